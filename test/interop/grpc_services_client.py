"""Asks a server by nothing but what it says of itself: descriptors from reflection, and its health.

    grpc_services_client.py ADDRESS

The server holds a repository with the model `iris`, which is not loaded, in mode `explicit`.
"""

import base64
import queue
import struct
import sys
import threading

import grpc
from checks import check, print_held
from google.protobuf import json_format, message_factory
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

INFERENCE = "inference.GRPCInferenceService"
Status = health_pb2.HealthCheckResponse


class Service:
    """A service's methods, made from its descriptor: JSON in, JSON out."""

    def __init__(self, channel, pool, name):
        self._channel = channel
        self._methods = pool.FindServiceByName(name).methods_by_name

    def names(self):
        return set(self._methods)

    def call(self, name, request):
        method = self._methods[name]
        ask = self._callable(method, self._channel.unary_unary)
        return json_format.MessageToDict(ask(self._message(method, request)), preserving_proto_field_name=True)

    def stream(self, name, requests):
        method = self._methods[name]
        ask = self._callable(method, self._channel.stream_stream)
        answers = ask(self._message(method, request) for request in requests)
        return [json_format.MessageToDict(answer, preserving_proto_field_name=True) for answer in answers]

    def _callable(self, method, kind):
        return kind(
            f"/{method.containing_service.full_name}/{method.name}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=message_factory.GetMessageClass(method.output_type).FromString,
        )

    def _message(self, method, request):
        return json_format.ParseDict(request, message_factory.GetMessageClass(method.input_type)())


def status_of(call):
    try:
        call()
    except grpc.RpcError as refusal:
        return refusal.code()
    raise AssertionError("expected a refusal")


def check_reflection(channel):
    database = ProtoReflectionDescriptorDatabase(channel)
    services = set(database.get_services())
    expected = {INFERENCE, "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection"}
    check(expected <= services, services)
    pool = DescriptorPool(database)
    for name in services:
        check(pool.FindServiceByName(name).full_name == name, name)
    request = pool.FindMessageTypeByName("inference.ModelInferRequest")
    numbers = {field.name: field.number for field in request.fields}
    wanted = ["model_name", "model_version", "id", "parameters", "inputs", "outputs", "raw_input_contents"]
    check(numbers == {name: number for number, name in enumerate(wanted, 1)}, numbers)
    try:
        pool.FindMessageTypeByName("inference.Nothing")
    except KeyError:
        check(True, "what is not there")
    else:
        raise AssertionError("expected no inference.Nothing")
    return Service(channel, pool, INFERENCE)


def check_inference(inference):
    methods = {
        *("ServerLive", "ServerReady", "ModelReady", "ServerMetadata", "ModelMetadata", "ModelInfer"),
        *("ModelStreamInfer", "ModelConfig", "ModelStatistics", "RepositoryIndex", "RepositoryModelLoad"),
        *("RepositoryModelUnload", "LogSettings", "TraceSetting", "SystemSharedMemoryStatus"),
    }
    check(methods <= inference.names(), inference.names())
    check(inference.call("ServerLive", {}) == {"live": True}, "live")
    tensor = {"name": "X", "datatype": "FP32", "shape": [1, 4], "contents": {"fp32_contents": [5.1, 3.5, 1.4, 0.2]}}
    asked = {"model_name": "iris", "id": "7", "inputs": [tensor]}
    answer = inference.call("ModelInfer", asked)
    check(answer["model_name"] == "iris" and answer["id"] == "7", answer)
    check([output["name"] for output in answer["outputs"]] == ["label", "probabilities"], answer)
    metadata = inference.call("ModelMetadata", {"name": "iris"})
    check(metadata["inputs"] == [{"name": "X", "datatype": "FP32", "shape": ["-1", "4"]}], metadata)
    config = inference.call("ModelConfig", {"name": "iris"})["config"]
    check(config["input"][0]["data_type"] == "TYPE_FP32", config)
    answers = inference.stream("ModelStreamInfer", [asked, {**asked, "model_name": "nobody"}, asked])
    check([one.get("infer_response", {}).get("id") for one in answers] == ["7", "7", "7"], answers)
    check(["outputs" in one["infer_response"] for one in answers] == [True, False, True], answers)
    check("Request for unknown model: 'nobody'" in answers[1]["error_message"], answers)
    elements = base64.b64encode(struct.pack("<4f", 1, 2, 3, 4)).decode()
    raw = {**asked, "inputs": [{**tensor, "contents": {}}], "raw_input_contents": [elements]}
    check(inference.call("ModelInfer", raw)["outputs"][0]["shape"] == ["1"], "raw contents")
    status = status_of(lambda: inference.call("ModelInfer", {"model_name": "nobody"}))
    check(status == grpc.StatusCode.NOT_FOUND, status)
    status = status_of(lambda: inference.call("TraceSetting", {}))
    check(status == grpc.StatusCode.UNIMPLEMENTED, status)


def check_health(channel, inference):
    health = health_pb2_grpc.HealthStub(channel)

    def check_of(service):
        return health.Check(health_pb2.HealthCheckRequest(service=service)).status

    # A repository in mode explicit may be empty, and is ready then.
    for service in ("", INFERENCE):
        check(check_of(service) == Status.SERVING, service)
    for service in ("iris", "nobody", "inference.Other"):
        status = status_of(lambda: check_of(service))
        check(status == grpc.StatusCode.NOT_FOUND, f"{service}: {status}")

    told = queue.Queue()
    watch = health.Watch(health_pb2.HealthCheckRequest(service="iris"))

    def listen():
        try:
            for response in watch:
                told.put(response.status)
        except grpc.RpcError as ended:
            told.put(ended.code())

    threading.Thread(target=listen, daemon=True).start()

    def expect(wanted):
        seen = []
        while not seen or seen[-1] != wanted:
            seen.append(told.get(timeout=30))
        check(True, seen)

    expect(Status.SERVICE_UNKNOWN)
    inference.call("RepositoryModelLoad", {"model_name": "iris"})
    check(check_of("iris") == Status.SERVING, "the model by its name")
    expect(Status.SERVING)
    yield
    inference.call("RepositoryModelUnload", {"model_name": "iris"})
    expect(Status.SERVICE_UNKNOWN)
    watch.cancel()
    expect(grpc.StatusCode.CANCELLED)
    check(check_of("") == Status.SERVING, "the server, without the model")


with grpc.insecure_channel(sys.argv[1]) as channel:
    inference = check_reflection(channel)
    for _ in check_health(channel, inference):
        check_inference(inference)
print_held()
