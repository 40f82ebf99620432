"""Builds the benchmark's own models with random weights: their shapes matter, their answers do not.

  python make_models.py OUT

linear16 f32[N,16] -> 4: next to nothing but the server itself.
mlp784   f32[N,784] -> 256 -> 10: small enough that the server's own cost shows.
pixels   f32[N,3,224,224] -> f32[N,3]: a large input and next to no compute, so that moving and parsing it shows.
convnet  f32[N,3,32,32] -> 10: six 3 x 3 convolutions, about two milliseconds a run.
resnet18 the shape of ResNet-18, f32[N,3,224,224] -> 1000, its normalizations folded into the convolutions.
encoder  the shape of all-MiniLM-L6-v2: 6 layers, width 384, 12 heads, ids i64[N,T] -> f32[N,384], mean pooled.
"""
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper as nh

LAYERS, WIDTH, HEADS, VOCABULARY, LONGEST = 6, 384, 12, 30522, 512
rng = np.random.default_rng(0)


def weights(name, *shape):
    values = (rng.standard_normal(shape) / np.sqrt(shape[0])).astype(np.float32)
    return nh.from_array(values, name)


def save(out, name, nodes, inputs, outputs, initializers):
    graph = h.make_graph(nodes, name, inputs, outputs, initializers)
    model = h.make_model(graph, opset_imports=[h.make_opsetid("", 17)], ir_version=8, producer_name="nimify-bench")
    onnx.checker.check_model(model)
    folder = out / name
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(model, folder / "model.onnx")


def mlp784(out):
    nodes = [
        h.make_node("Gemm", ["x", "w1", "b1"], ["h"]),
        h.make_node("Relu", ["h"], ["r"]),
        h.make_node("Gemm", ["r", "w2", "b2"], ["y"]),
    ]
    initializers = [weights("w1", 784, 256), weights("b1", 256), weights("w2", 256, 10), weights("b2", 10)]
    save(
        out,
        "mlp784",
        nodes,
        [h.make_tensor_value_info("x", T.FLOAT, ["N", 784])],
        [h.make_tensor_value_info("y", T.FLOAT, ["N", 10])],
        initializers,
    )


def linear16(out):
    save(
        out,
        "linear16",
        [h.make_node("Gemm", ["x", "w", "b"], ["y"])],
        [h.make_tensor_value_info("x", T.FLOAT, ["N", 16])],
        [h.make_tensor_value_info("y", T.FLOAT, ["N", 4])],
        [weights("w", 16, 4), weights("b", 4)],
    )


def pixels(out):
    save(
        out,
        "pixels",
        [h.make_node("GlobalAveragePool", ["x"], ["mean"]), h.make_node("Flatten", ["mean"], ["y"])],
        [h.make_tensor_value_info("x", T.FLOAT, ["N", 3, 224, 224])],
        [h.make_tensor_value_info("y", T.FLOAT, ["N", 3])],
        [],
    )


def convnet(out):
    nodes, initializers = [], []
    x, channels = "x", 3
    for at, (wide, stride) in enumerate([(64, 1), (128, 2), (256, 2), (512, 2), (512, 1), (512, 1)]):
        fan_in = channels * 9
        values = rng.standard_normal((wide, channels, 3, 3)) * np.sqrt(2 / fan_in)
        initializers.extend([nh.from_array(values.astype(np.float32), f"w{at}"), weights(f"b{at}", wide)])
        nodes.append(
            h.make_node("Conv", [x, f"w{at}", f"b{at}"], [f"c{at}"], pads=[1] * 4, strides=[stride] * 2)
        )
        nodes.append(h.make_node("Relu", [f"c{at}"], [f"r{at}"]))
        x, channels = f"r{at}", wide
    nodes.append(h.make_node("GlobalAveragePool", [x], ["mean"]))
    nodes.append(h.make_node("Flatten", ["mean"], ["flat"]))
    nodes.append(h.make_node("Gemm", ["flat", "w", "b"], ["y"]))
    initializers.extend([weights("w", channels, 10), weights("b", 10)])
    save(
        out,
        "convnet",
        nodes,
        [h.make_tensor_value_info("x", T.FLOAT, ["N", 3, 32, 32])],
        [h.make_tensor_value_info("y", T.FLOAT, ["N", 10])],
        initializers,
    )


def resnet18(out):
    nodes, initializers = [], []

    def conv(x, name, channels, wide, size, stride):
        scale = np.sqrt(2 / (channels * size * size))
        values = rng.standard_normal((wide, channels, size, size)) * scale
        initializers.extend([nh.from_array(values.astype(np.float32), f"{name}.w"), weights(f"{name}.b", wide)])
        nodes.append(
            h.make_node(
                "Conv", [x, f"{name}.w", f"{name}.b"], [name], pads=[size // 2] * 4, strides=[stride] * 2
            )
        )
        return name

    def relu(x):
        nodes.append(h.make_node("Relu", [x], [f"{x}.r"]))
        return f"{x}.r"

    x = relu(conv("x", "stem", 3, 64, 7, 2))
    nodes.append(h.make_node("MaxPool", [x], ["pool"], kernel_shape=[3, 3], pads=[1] * 4, strides=[2, 2]))
    x, channels = "pool", 64
    for stage, wide in enumerate([64, 128, 256, 512]):
        for block in range(2):
            name = f"s{stage}b{block}"
            stride = 2 if stage > 0 and block == 0 else 1
            first = relu(conv(x, f"{name}.c1", channels, wide, 3, stride))
            second = conv(first, f"{name}.c2", wide, wide, 3, 1)
            same = x if stride == 1 else conv(x, f"{name}.down", channels, wide, 1, stride)
            nodes.append(h.make_node("Add", [second, same], [f"{name}.sum"]))
            x, channels = relu(f"{name}.sum"), wide
    nodes.append(h.make_node("GlobalAveragePool", [x], ["mean"]))
    nodes.append(h.make_node("Flatten", ["mean"], ["flat"]))
    nodes.append(h.make_node("Gemm", ["flat", "w", "b"], ["y"]))
    initializers.extend([weights("w", channels, 1000), weights("b", 1000)])
    save(
        out,
        "resnet18",
        nodes,
        [h.make_tensor_value_info("x", T.FLOAT, ["N", 3, 224, 224])],
        [h.make_tensor_value_info("y", T.FLOAT, ["N", 1000])],
        initializers,
    )


def encoder(out):
    nodes, initializers = [], []

    def node(op, inputs, output, **attributes):
        nodes.append(h.make_node(op, inputs, [output], **attributes))
        return output

    def constant(name, values):
        initializers.append(nh.from_array(np.asarray(values), name))
        return name

    def linear(x, name, rows, columns):
        initializers.extend([weights(f"{name}.w", rows, columns), weights(f"{name}.b", columns)])
        return node("Add", [node("MatMul", [x, f"{name}.w"], f"{name}.m"), f"{name}.b"], f"{name}.o")

    def norm(x, name):
        constant(f"{name}.g", np.ones(WIDTH, np.float32))
        constant(f"{name}.z", np.zeros(WIDTH, np.float32))
        return node("LayerNormalization", [x, f"{name}.g", f"{name}.z"], f"{name}.o", axis=-1, epsilon=1e-12)

    split = constant("split", np.array([0, 0, HEADS, WIDTH // HEADS], np.int64))
    join = constant("join", np.array([0, 0, WIDTH], np.int64))
    scale = constant("scale", np.float32(1 / np.sqrt(WIDTH // HEADS)))
    half = constant("half", np.float32(0.5))
    one = constant("one", np.float32(1))
    root = constant("root", np.float32(1 / np.sqrt(2)))
    initializers.extend([weights("words", VOCABULARY, WIDTH), weights("positions", LONGEST, WIDTH)])

    length = node("Shape", ["input_ids"], "length", start=1, end=2)
    words = node("Gather", ["words", "input_ids"], "words.o")
    zero = constant("zero", np.array([0], np.int64))
    positions = node("Slice", ["positions", zero, length, zero], "positions.o")
    x = norm(node("Add", [words, positions], "sum"), "embed")

    axes = constant("axes", np.array([1, 2], np.int64))
    mask = node("Cast", ["attention_mask"], "mask.f", to=T.FLOAT)
    far = constant("far", np.float32(-1e4))
    bias = node("Mul", [node("Sub", [one, node("Unsqueeze", [mask, axes], "mask.u")], "mask.i"), far], "mask.b")

    for layer in range(LAYERS):
        p = f"l{layer}"
        heads = []
        for part, order in (("q", [0, 2, 1, 3]), ("k", [0, 2, 3, 1]), ("v", [0, 2, 1, 3])):
            shaped = node("Reshape", [linear(x, f"{p}.{part}", WIDTH, WIDTH), split], f"{p}.{part}.s")
            heads.append(node("Transpose", [shaped], f"{p}.{part}.t", perm=order))
        scores = node("Mul", [node("MatMul", heads[:2], f"{p}.qk"), scale], f"{p}.qks")
        chances = node("Softmax", [node("Add", [scores, bias], f"{p}.qkb")], f"{p}.p", axis=-1)
        mixed = node("Transpose", [node("MatMul", [chances, heads[2]], f"{p}.pv")], f"{p}.pvt", perm=[0, 2, 1, 3])
        attended = linear(node("Reshape", [mixed, join], f"{p}.a"), f"{p}.out", WIDTH, WIDTH)
        x = norm(node("Add", [x, attended], f"{p}.r1"), f"{p}.n1")
        wide = linear(x, f"{p}.up", WIDTH, 4 * WIDTH)
        erf = node("Erf", [node("Mul", [wide, root], f"{p}.g1")], f"{p}.g2")
        gelu = node("Mul", [node("Mul", [wide, half], f"{p}.g3"), node("Add", [erf, one], f"{p}.g4")], f"{p}.g5")
        narrow = linear(gelu, f"{p}.down", 4 * WIDTH, WIDTH)
        x = norm(node("Add", [x, narrow], f"{p}.r2"), f"{p}.n2")

    node("ReduceMean", [x], "embedding", axes=[1], keepdims=0)
    save(
        out,
        "encoder",
        nodes,
        [h.make_tensor_value_info(name, T.INT64, ["N", "T"]) for name in ("input_ids", "attention_mask")],
        [h.make_tensor_value_info("embedding", T.FLOAT, ["N", WIDTH])],
        initializers,
    )


if __name__ == "__main__":
    target = Path(sys.argv[1])
    mlp784(target)
    pixels(target)
    encoder(target)
    linear16(target)
    convnet(target)
    resnet18(target)
