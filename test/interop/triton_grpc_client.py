"""Drives a server with Triton's own Python gRPC clients, unchanged. Ends with 0 and prints how many checks held."""

import asyncio
import queue
import sys

import grpc
import numpy as np
import tritonclient.grpc as triton
import tritonclient.grpc.aio as triton_aio
from checks import ARRAYS, check, check_same, print_held
from tritonclient.grpc import service_pb2
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

CONTENTS = {
    "bool": "bool_contents",
    "int8": "int_contents",
    "int16": "int_contents",
    "int32": "int_contents",
    "int64": "int64_contents",
    "uint8": "uint_contents",
    "uint16": "uint_contents",
    "uint32": "uint_contents",
    "uint64": "uint64_contents",
    "float32": "fp32_contents",
    "float64": "fp64_contents",
    "object": "bytes_contents",
}

ROWS = np.arange(6, dtype=np.float32).reshape(2, 3)
FLOATS = "onnx_zero_1_float32"

def check_array(result, array, what):
    check_same(result.as_numpy("OUTPUT0"), array, what)


def tensor_of(array):
    tensor = triton.InferInput("INPUT0", list(array.shape), np_to_triton_dtype(array.dtype))
    tensor.set_data_from_numpy(array)
    return tensor


def ask(client, model, array, **options):
    wanted = [triton.InferRequestedOutput("OUTPUT0")]
    return client.infer(model, [tensor_of(array)], outputs=wanted, **options)


def refused_with(call, status):
    try:
        call()
    except InferenceServerException as refusal:
        check(refusal.status() == f"StatusCode.{status}" and len(refusal.message()) > 20, refusal)
    else:
        raise AssertionError(f"expected {status}")


def check_management(client):
    check(client.is_server_live() and client.is_server_ready(), "health")
    check(client.get_server_metadata().name == "nimify", "server metadata")
    check(client.is_model_ready("onnx_zero_1_int32") and client.is_model_ready("onnx_zero_1_int32", "1"), "model health")
    metadata = client.get_model_metadata("onnx_zero_1_int32", as_json=True)
    check(metadata["inputs"] == [{"name": "INPUT0", "datatype": "INT32", "shape": ["-1", "-1"]}], metadata)
    config = client.get_model_config("onnx_zero_1_object").config
    check(config.input[0].data_type == 13 and config.backend == "onnxruntime", config)
    index = client.get_model_repository_index()
    check(all(model.state == "READY" for model in index.models) and len(index.models) == len(ARRAYS), index)
    statistics = client.get_inference_statistics().model_stats
    check(len(statistics) == len(ARRAYS) and all(stat.version == "1" for stat in statistics), statistics)
    for call in (
        lambda: client.load_model("m"),
        lambda: client.unload_model("m"),
        lambda: client.get_trace_settings(),
        lambda: client.get_system_shared_memory_status(),
        lambda: client.get_cuda_shared_memory_status(),
        lambda: client.register_system_shared_memory("r", "/k", 8),
    ):
        refused_with(call, "UNIMPLEMENTED")
    refused_with(lambda: client.get_model_metadata("nobody"), "NOT_FOUND")


def check_every_datatype(client):
    for name, array in ARRAYS.items():
        check_array(ask(client, "onnx_zero_1_" + name, array), array, name)


def check_typed_contents(address):
    """The client itself always sends raw contents; other clients of the protocol do not."""
    with grpc.insecure_channel(address) as channel:
        call = channel.unary_unary(
            "/inference.GRPCInferenceService/ModelInfer",
            request_serializer=service_pb2.ModelInferRequest.SerializeToString,
            response_deserializer=service_pb2.ModelInferResponse.FromString,
        )
        for name, field in CONTENTS.items():
            array = ARRAYS[name]
            request = service_pb2.ModelInferRequest(model_name="onnx_zero_1_" + name)
            tensor = request.inputs.add(name="INPUT0", datatype=np_to_triton_dtype(array.dtype), shape=array.shape)
            elements = [item.encode() for item in array.flat] if name == "object" else array.flatten().tolist()
            getattr(tensor.contents, field).extend(elements)
            check_array(triton.InferResult(call(request)), array, "typed " + name)


def check_options(client):
    for algorithm in ("gzip", "deflate"):
        large = np.arange(30_000, dtype=np.float32).reshape(-1, 3)
        check_array(ask(client, FLOATS, large, compression_algorithm=algorithm), large, algorithm)
    result = ask(
        client,
        FLOATS,
        ROWS,
        request_id="42",
        timeout=5_000_000,
        client_timeout=5,
        model_version="1",
        priority=1,
        headers={"x-tenant": "a"},
        parameters={"own": "kept", "number": 1, "flag": True},
    )
    check(result.get_response().id == "42", "id")
    check_array(client.infer(FLOATS, [tensor_of(ROWS)]), ROWS, "all outputs")
    check_array(ask(client, FLOATS, np.zeros((0, 4), np.float32)), np.zeros((0, 4), np.float32), "no rows")
    large = np.random.default_rng(1).random((3000, 1000), np.float32)
    check_array(ask(client, FLOATS, large), large, "12 MB both ways")

    done = queue.Queue()
    for _ in range(50):
        client.async_infer(FLOATS, [tensor_of(ROWS)], lambda result, error: done.put((result, error)))
    for _ in range(50):
        result, error = done.get(timeout=30)
        check(error is None, error)
        check_array(result, ROWS, "asynchronous")


def check_refusals(client):
    refused_with(lambda: ask(client, "nobody", ARRAYS["int32"]), "NOT_FOUND")
    refused_with(lambda: ask(client, "onnx_zero_1_int32", ARRAYS["int64"]), "INVALID_ARGUMENT")
    refused_with(lambda: ask(client, "onnx_zero_1_int32", ARRAYS["int32"][0]), "INVALID_ARGUMENT")
    refused_with(lambda: ask(client, FLOATS, ROWS, timeout=1), "DEADLINE_EXCEEDED")


def check_stream(client):
    answers = queue.Queue()
    client.start_stream(lambda result, error: answers.put((result, error)))
    for number in range(20):
        model = "nobody" if number == 7 else FLOATS
        client.async_stream_infer(model, [tensor_of(ROWS)], request_id=str(number), enable_empty_final_response=True)
    for number in range(20):
        result, error = answers.get(timeout=30)
        if number == 7:
            check("Request for unknown model: 'nobody'" in error.message(), error)
            continue
        check(error is None and result.get_response().id == str(number), error)
        check(result.get_response().parameters["triton_final_response"].bool_param, "final")
        check_array(result, ROWS, "stream")
    client.stop_stream()


async def check_aio(address):
    async with triton_aio.InferenceServerClient(address) as client:
        check(await client.is_server_ready(), "aio health")
        results = await asyncio.gather(*(ask(client, "onnx_zero_1_" + name, array) for name, array in ARRAYS.items()))
        for result, (name, array) in zip(results, ARRAYS.items()):
            check_array(result, array, "aio " + name)

        async def requests():
            for number in range(5):
                yield {"model_name": FLOATS, "inputs": [tensor_of(ROWS)], "request_id": str(number)}

        number = 0
        async for result, error in client.stream_infer(requests()):
            check(error is None and result.get_response().id == str(number), error)
            check_array(result, ROWS, "aio stream")
            number += 1
        check(number == 5, number)


def check_keepalive(address):
    options = triton.KeepAliveOptions(keepalive_time_ms=1000, keepalive_permit_without_calls=True)
    with triton.InferenceServerClient(address, keepalive_options=options) as client:
        check_array(ask(client, FLOATS, ROWS), ROWS, "kept alive")


with triton.InferenceServerClient(sys.argv[1]) as client:
    check_management(client)
    check_every_datatype(client)
    check_options(client)
    check_refusals(client)
    check_stream(client)
check_typed_contents(sys.argv[1])
asyncio.run(check_aio(sys.argv[1]))
check_keepalive(sys.argv[1])
print_held()
