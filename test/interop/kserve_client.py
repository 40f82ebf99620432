"""Drives a server with the inference clients of KServe's Python SDK, unchanged. Prints how many checks held.

    kserve_client.py URL GRPC_ADDRESS

The server holds triton_simple, triton_simple_string and identity models of all datatypes (onnx_zero_1_*).
"""

import asyncio
import sys

import grpc
import httpx
import numpy as np
from checks import ARRAYS, check, check_same, print_held
from kserve import InferenceGRPCClient, InferenceRESTClient, InferInput, InferRequest
from kserve.inference_client import RESTConfig
from kserve.protocol.infer_type import RequestedOutput
from tritonclient.utils import np_to_triton_dtype

url, address = sys.argv[1:]

TO_16 = np.arange(16, dtype=np.int32).reshape(1, 16)
ONES = np.ones((1, 16), np.int32)


def input_of(name, datatype, array, binary):
    tensor = InferInput(name, list(array.shape), datatype)
    tensor.set_data_from_numpy(array, binary_data=binary)
    return tensor


def check_output(response, name, expected, what):
    check_same(next(output for output in response.outputs if output.name == name).as_numpy(), expected, what)


def has_form(array, binary):
    """16-bit floats are not in JSON, nor in typed contents; what is not finite the SDK does not write in JSON."""
    return binary or (array.dtype != np.float16 and (array.dtype.kind != "f" or np.isfinite(array).all()))


def simple_request(name="triton_simple", binary=True, **options):
    inputs = [input_of("INPUT0", "INT32", TO_16, binary), input_of("INPUT1", "INT32", ONES, binary)]
    return InferRequest(model_name=name, request_id="42", infer_inputs=inputs, **options)


async def check_rest():
    client = InferenceRESTClient(RESTConfig(protocol="v2", timeout=60))
    check(await client.is_server_live(url) and await client.is_server_ready(url), "server health")
    check(await client.is_model_ready(url, "triton_simple"), "model health")
    check(not await client.is_model_ready(url, "nobody"), "health of a model that is not there")

    for name, array in ARRAYS.items():
        datatype = np_to_triton_dtype(array.dtype)
        for binary in (False, True):
            if not has_form(array, binary):
                continue
            tensor = input_of("INPUT0", datatype, array, binary)
            wanted = [RequestedOutput("OUTPUT0", parameters={"binary_data": binary})]
            request = InferRequest(model_name="onnx_zero_1_" + name, infer_inputs=[tensor], request_outputs=wanted)
            response = await client.infer(url, request, model_name="onnx_zero_1_" + name)
            check_output(response, "OUTPUT0", array, f"{datatype} over REST, binary {binary}")

    for binary in (False, True):
        headers = {}
        response = await client.infer(
            url, simple_request(binary=binary), model_name="triton_simple", headers={"x-request-id": "7"},
            response_headers=headers,
        )
        check(response.id == "42" and response.model_name == "triton_simple", response)
        check(headers["x-request-id"] == "7", headers)
        check_output(response, "OUTPUT0", TO_16 + ONES, "sum")
        check_output(response, "OUTPUT1", TO_16 - ONES, "difference")
    body = {"inputs": [{"name": "INPUT0", "shape": [1, 3], "datatype": "INT32", "data": [[1, 2, 3]]}]}
    response = await client.infer(url, body, model_name="onnx_zero_1_int32")
    check_output(response, "OUTPUT0", np.array([[1, 2, 3]]), "a plain object")
    only = simple_request(request_outputs=[RequestedOutput("OUTPUT1")])
    response = await client.infer(url, only, model_name="triton_simple")
    check([output.name for output in response.outputs] == ["OUTPUT1"], response)

    for request, model, status, words in (
        (simple_request("nobody"), "nobody", 404, "Request for unknown model"),
        ({"inputs": []}, "triton_simple", 400, "INPUT0"),
        ({"inputs": "none"}, "triton_simple", 400, "inputs"),
    ):
        try:
            await client.infer(url, request, model_name=model)
        except httpx.HTTPStatusError as refusal:
            check(refusal.response.status_code == status and words in str(refusal), refusal)
        else:
            raise AssertionError(f"expected {status}: {words}")
    await client.close()


async def check_v1():
    client = InferenceRESTClient(RESTConfig(protocol="v1", timeout=60))
    check(await client.is_model_ready(url, "onnx_zero_1_int32"), "model health of v1")
    answer = await client.infer(url, {"instances": [[1, 2, 3], [4, 5, 6]]}, model_name="onnx_zero_1_int32")
    check(answer["predictions"] == [[1, 2, 3], [4, 5, 6]], answer)
    await client.close()


async def check_grpc():
    async with InferenceGRPCClient(address, timeout=60) as client:
        check(await client.is_server_live() and await client.is_server_ready(), "server health over gRPC")
        check(await client.is_model_ready("triton_simple"), "model health over gRPC")
        check(not await client.is_model_ready("nobody"), "health over gRPC of a model that is not there")
        for name, array in ARRAYS.items():
            datatype = np_to_triton_dtype(array.dtype)
            for binary in (False, True):
                if not has_form(array, binary):
                    continue
                if datatype == "BYTES" and not binary:
                    array = np.vectorize(str.encode, otypes=[object])(array)
                tensor = input_of("INPUT0", datatype, array, binary)
                request = InferRequest(model_name="onnx_zero_1_" + name, infer_inputs=[tensor])
                response = await client.infer(request)
                check_output(response, "OUTPUT0", ARRAYS[name], f"{datatype} over gRPC, raw {binary}")
        response = await client.infer(simple_request(), headers=(("x-tenant", "a"),))
        check(response.id == "42", response)
        check_output(response, "OUTPUT0", TO_16 + ONES, "sum over gRPC")
        check_output(response, "OUTPUT1", TO_16 - ONES, "difference over gRPC")
        many = await asyncio.gather(*(client.infer(simple_request()) for _ in range(32)))
        check(len(many) == 32, many)
        for name, status in (("nobody", grpc.StatusCode.NOT_FOUND), ("onnx_zero_1_bool", grpc.StatusCode.INVALID_ARGUMENT)):
            try:
                await client.infer(simple_request(name))
            except grpc.RpcError as refusal:
                check(refusal.code() == status, refusal)
            else:
                raise AssertionError(f"expected {status}")


asyncio.run(check_rest())
asyncio.run(check_v1())
asyncio.run(check_grpc())
print_held()
