"""Builds the two models of the fault suite, whose answers can be told without running them.

  python make_models.py OUT

sums   f32[N,8] -> f32[N,4]: small whole numbers times small whole numbers, exact in FP32; next to nothing to compute.
sines  f32[N,8] -> f32[N,4]: the same answers, and on the way to them the sines of so many numbers that a row takes some
       milliseconds however many rows a run has. They are multiplied by 0 at the end, which nobody but a run can know.
"""
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper as nh

# y[j] = sum of x[i] * WEIGHTS[i][j] + j, as bench/chaos/models.mjs has it.
WEIGHTS = np.array([[(i * 4 + j) % 7 - 3 for j in range(4)] for i in range(8)], dtype=np.float32)
BIAS = np.arange(4, dtype=np.float32)
WIDTH, TIMES = 1 << 15, 24


def save(out, name, nodes, initializers):
    x = h.make_tensor_value_info("x", T.FLOAT, ["N", 8])
    y = h.make_tensor_value_info("y", T.FLOAT, ["N", 4])
    graph = h.make_graph(nodes, name, [x], [y], initializers)
    model = h.make_model(graph, opset_imports=[h.make_opsetid("", 17)], ir_version=8, producer_name="nimify-chaos")
    onnx.checker.check_model(model)
    onnx.save(model, out / f"{name}.onnx")


def main(out):
    known = [nh.from_array(WEIGHTS, "w"), nh.from_array(BIAS, "b")]
    save(out, "sums", [h.make_node("Gemm", ["x", "w", "b"], ["y"])], known)

    ints = lambda name, *values: nh.from_array(np.array(values, dtype=np.int64), name)
    nodes = [
        h.make_node("Gemm", ["x", "w", "b"], ["sums"]),
        h.make_node("ReduceMean", ["x"], ["mean"], axes=[1], keepdims=1),
        h.make_node("Expand", ["mean", "wide"], ["s0"]),
        *(h.make_node("Sin", [f"s{at}"], [f"s{at + 1}"]) for at in range(TIMES)),
        h.make_node("ReduceMean", [f"s{TIMES}"], ["sine"], axes=[1], keepdims=1),
        h.make_node("Mul", ["sine", "zero"], ["nothing"]),
        h.make_node("Add", ["sums", "nothing"], ["y"]),
    ]
    zero = nh.from_array(np.zeros(1, dtype=np.float32), "zero")
    save(out, "sines", nodes, [*known, ints("wide", 1, WIDTH), zero])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
