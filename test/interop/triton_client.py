"""Drives a server with Triton's own Python client, unchanged. Ends with 0 and prints how many checks held."""

import sys

import numpy as np
import tritonclient.http as triton
from checks import ARRAYS, check, check_same, print_held
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

def ask(client, model, array, binary_in=True, binary_out=True, **options):
    tensor = triton.InferInput("INPUT0", list(array.shape), np_to_triton_dtype(array.dtype))
    tensor.set_data_from_numpy(array, binary_data=binary_in)
    wanted = [triton.InferRequestedOutput("OUTPUT0", binary_data=binary_out)]
    return client.infer(model, [tensor], outputs=wanted, **options)


def check_every_datatype(client):
    for name, array in ARRAYS.items():
        for binary_in in (True, False):
            for binary_out in (True, False):
                result = ask(client, "onnx_zero_1_" + name, array, binary_in, binary_out).as_numpy("OUTPUT0")
                check_same(result, array, f"{name}, binary in {binary_in}, out {binary_out}")


def check_options(client):
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    for algorithm in ("gzip", "deflate"):
        result = ask(
            client,
            "onnx_zero_1_float32",
            array,
            request_compression_algorithm=algorithm,
            response_compression_algorithm=algorithm,
        )
        check(np.array_equal(result.as_numpy("OUTPUT0"), array), algorithm)

    result = ask(client, "onnx_zero_1_float32", array, request_id="42", timeout=5_000_000, model_version="1")
    check(result.get_response()["id"] == "42", "id")

    # Without requested outputs the client asks for all of them as binary.
    tensor = triton.InferInput("INPUT0", [2, 3], "FP32")
    tensor.set_data_from_numpy(array)
    check(np.array_equal(client.infer("onnx_zero_1_float32", [tensor]).as_numpy("OUTPUT0"), array), "all outputs")

    empty = np.zeros((0, 4), np.float32)
    check(ask(client, "onnx_zero_1_float32", empty).as_numpy("OUTPUT0").shape == (0, 4), "no rows")

    pending = [client.async_infer("onnx_zero_1_float32", [tensor]) for _ in range(20)]
    check(all(np.array_equal(one.get_result().as_numpy("OUTPUT0"), array) for one in pending), "asynchronous")


def check_management(client):
    check(client.is_server_live() and client.is_server_ready(), "health")
    check(client.get_server_metadata()["name"] == "nimify", "server metadata")
    check(client.is_model_ready("onnx_zero_1_int32") and client.is_model_ready("onnx_zero_1_int32", "1"), "model health")
    check(not client.is_model_ready("nobody"), "health of a model that is not there")
    metadata = client.get_model_metadata("onnx_zero_1_int32")
    check(metadata["inputs"] == [{"name": "INPUT0", "datatype": "INT32", "shape": [-1, -1]}], metadata)


def check_refusals(client):
    for model, array, status in (
        ("nobody", ARRAYS["int32"], "404"),
        ("onnx_zero_1_int32", ARRAYS["int64"], "400"),
        ("onnx_zero_1_int32", ARRAYS["int32"][0], "400"),
    ):
        try:
            ask(client, model, array)
        except InferenceServerException as refusal:
            check(refusal.status() == status and len(refusal.message()) > 20, refusal)
        else:
            raise AssertionError(f"{model} took {array}")


with triton.InferenceServerClient(sys.argv[1], concurrency=8) as client:
    check_management(client)
    check_every_datatype(client)
    check_options(client)
    check_refusals(client)
print_held()
