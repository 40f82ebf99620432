"""Does what the examples of Triton's Python clients do, with each of the four clients.

    triton_examples.py http|grpc|http.aio|grpc.aio ADDRESS

The server holds the models of those examples: simple, simple_string, simple_int8 and simple_identity; besides digits,
with its images. Only what nimify has not is left out: sequences with a state, shared memory, ensembles and models that
answer a request several times. What is asked of these is in `check_refusals` and `check_sequences`.
"""

import asyncio
import importlib
import json
import queue
import sys
import uuid

import numpy as np
from checks import check, check_refused, print_held

protocol, address, images = sys.argv[1:]
IS_HTTP = protocol.startswith("http")
IS_AIO = protocol.endswith(".aio")
triton = importlib.import_module("tritonclient." + protocol)
loop = asyncio.new_event_loop()

TO_16 = np.arange(16).reshape(1, 16)
ONES = np.ones((1, 16), int)


class Waiting:
    """A client of asyncio, asked as the others are: each call runs to its end."""

    def __init__(self, *args, **options):
        async def connect():
            return triton.InferenceServerClient(*args, **options)

        self._client = loop.run_until_complete(connect())

    def __getattr__(self, name):
        method = getattr(self._client, name)
        return lambda *args, **options: loop.run_until_complete(method(*args, **options))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def connect(**options):
    return (Waiting if IS_AIO else triton.InferenceServerClient)(address, **options)


def refused(call, words, status):
    codes = {"INVALID_ARGUMENT": "400", "NOT_FOUND": "404", "UNIMPLEMENTED": "501"}
    check_refused(call, codes[status] if IS_HTTP else f"StatusCode.{status}", words)


def plain(answer):
    """Of HTTP an answer is JSON, of gRPC a message, which gives its fields by name as well."""
    return answer if isinstance(answer, dict) else {field.name: value for field, value in answer.ListFields()}


def input_of(name, array, datatype, **how):
    tensor = triton.InferInput(name, list(array.shape), datatype)
    tensor.set_data_from_numpy(array, **how)
    return tensor


def two_inputs(datatype, a, b, mixed=False):
    """Of HTTP the one in JSON and the other as bytes, where they are to be mixed."""
    how = [{"binary_data": False}, {"binary_data": True}] if IS_HTTP and mixed else [{}, {}]
    return [input_of("INPUT0", a, datatype, **how[0]), input_of("INPUT1", b, datatype, **how[1])]


def two_outputs(mixed=False):
    how = [{"binary_data": True}, {"binary_data": False}] if IS_HTTP and mixed else [{}, {}]
    return [triton.InferRequestedOutput(f"OUTPUT{index}", **each) for index, each in enumerate(how)]


def check_sums(result, a, b, what):
    check(np.array_equal(result.as_numpy("OUTPUT0"), a + b), f"{what}: sum")
    check(np.array_equal(result.as_numpy("OUTPUT1"), a - b), f"{what}: difference")


def compressions():
    yield {}
    for name in ("gzip", "deflate"):
        if IS_HTTP:
            yield {"request_compression_algorithm": name, "response_compression_algorithm": name}
        else:
            yield {"compression_algorithm": name}


def check_health_and_metadata(client):
    headers = {"test": "1", "dummy": "2"}
    check(client.is_server_live(headers=headers) and client.is_server_ready(), "server health")
    check(client.is_model_ready("simple") and client.is_model_ready("simple", "1"), "model health")
    check(not client.is_model_ready("nobody") and not client.is_model_ready("simple", "7"), "health of what is not there")
    metadata = plain(client.get_server_metadata())
    check(metadata["name"] == "nimify" and "statistics" in metadata["extensions"], metadata)
    metadata = plain(client.get_model_metadata("simple", headers=headers))
    check(metadata["name"] == "simple" and list(metadata["versions"]) == ["1"], metadata)
    unknown = "Request for unknown model: 'nobody' is not found"
    refused(lambda: client.get_model_metadata("nobody"), unknown, "NOT_FOUND")
    config = plain(client.get_model_config("simple"))
    config = config if IS_HTTP else plain(config["config"])
    check(config["name"] == "simple" and config["max_batch_size"] == 8, config)
    refused(lambda: client.get_model_config("nobody"), unknown, "NOT_FOUND")


def check_simple(client):
    a, b = TO_16.astype(np.int32), -ONES.astype(np.int32)
    for compression in compressions():
        for outputs in (two_outputs(mixed=True), None):
            result = client.infer(
                "simple",
                two_inputs("INT32", a, b, mixed=True),
                outputs=outputs,
                headers={"test": "1"},
                **({"query_params": {"test_1": 1, "test_2": 2}} if IS_HTTP else {}),
                **compression,
            )
            check_sums(result, a, b, f"simple, {compression}")
    only = client.infer("simple", two_inputs("INT32", a, b), outputs=two_outputs()[1:])
    check(only.as_numpy("OUTPUT0") is None and np.array_equal(only.as_numpy("OUTPUT1"), a - b), "one output")
    stats = plain(client.get_inference_statistics("simple"))["model_stats"]
    check(len(stats) == 1, stats)
    unknown = "Request for unknown model: 'wrong_model_name' is not found"
    refused(lambda: client.infer("wrong_model_name", two_inputs("INT32", a, b)), unknown, "NOT_FOUND")
    batch = np.arange(8 * 16, dtype=np.int32).reshape(8, 16)
    check_sums(client.infer("simple", two_inputs("INT32", batch, batch)), batch, batch, "a batch of 8")
    refused(
        lambda: client.infer("simple", two_inputs("INT32", batch[:, :15], batch[:, :15])), "inputs[0]", "INVALID_ARGUMENT"
    )


def check_int8(client):
    a, b = TO_16.astype(np.int8), ONES.astype(np.int8)
    check_sums(client.infer("simple_int8", two_inputs("INT8", a, b)), a, b, "int8")


def check_explicit_contents():
    """What the gRPC client never does by itself: elements in the fields of their datatype."""
    import grpc
    from tritonclient.grpc import service_pb2, service_pb2_grpc

    with grpc.insecure_channel(address) as channel:
        stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        for model, datatype, field in (
            ("simple", "INT32", "int_contents"),
            ("simple_int8", "INT8", "int_contents"),
            ("simple_string", "BYTES", "bytes_contents"),
        ):
            request = service_pb2.ModelInferRequest(model_name=model, id="explicit")
            for index, array in enumerate((TO_16, ONES)):
                tensor = request.inputs.add(name=f"INPUT{index}", datatype=datatype, shape=array.shape)
                as_text = field == "bytes_contents"
                elements = [str(item).encode() if as_text else int(item) for item in array.flat]
                getattr(tensor.contents, field).extend(elements)
            response = stub.ModelInfer(request)
            check(response.id == "explicit" and response.model_version == "1", response)
            got = triton.InferResult(response)
            if datatype == "BYTES":
                check([int(item) for item in got.as_numpy("OUTPUT0").flat] == list((TO_16 + ONES).flat), got)
            else:
                check_sums(got, TO_16, ONES, "explicit " + datatype)


def check_strings(client):
    texts = [np.array([[str(item).encode() for item in array.flat]], object) for array in (TO_16, ONES)]
    for mixed in (False, True):
        inputs = two_inputs("BYTES", *texts, mixed=mixed)
        result = client.infer("simple_string", inputs, outputs=two_outputs(mixed=mixed))
        for output, expected in (("OUTPUT0", TO_16 + ONES), ("OUTPUT1", TO_16 - ONES)):
            got = [int(item) for item in result.as_numpy(output).flat]
            check(got == list(expected.flat), f"strings, mixed {mixed}: {got}")
    odd = np.array([[b"", b" ", "日本語".encode(), b"\"\n\\"]], object)
    got = client.infer("simple_identity", [input_of("INPUT0", odd, "BYTES")]).as_numpy("OUTPUT0")
    check(list(got.flat) == list(odd.flat), got)
    # ONNX has texts, and no other bytes.
    for other in (b"\x00inner\x00", b"\xff\xfe"):
        bytes_of = input_of("INPUT0", np.array([[b"", other]], object), "BYTES")
        refused(lambda: client.infer("simple_identity", [bytes_of]), "element 1", "INVALID_ARGUMENT")
    refused(
        lambda: client.infer("simple_string", two_inputs("BYTES", odd, odd)), "inputs[0].shape", "INVALID_ARGUMENT"
    )


def check_images(client):
    """The image client: a batch, and of each image the best class, with its name."""
    with open(images) as file:
        held_out = json.load(file)
    pixels = np.array(held_out["image"], np.float32)
    count = len(pixels)
    wanted = triton.InferRequestedOutput("probabilities", class_count=1)
    result = client.infer("digits", [input_of("image", pixels, "FP32")], outputs=[wanted], request_id="7")
    best = result.as_numpy("probabilities")
    check(best.shape == (count, 1), best)
    # Over HTTP in JSON they are text already.
    texts = [item.decode() if isinstance(item, bytes) else item for item in best.flat]
    parts = [text.split(":") for text in texts]
    check(all(len(part) == 3 and part[1] == part[2] and 0 <= float(part[0]) <= 1 for part in parts), texts)
    right = sum(int(part[1]) == label for part, label in zip(parts, held_out["label"]))
    check(right >= count - 1, f"{right} of {count}: {texts}")
    response = result.get_response()
    check((response["id"] if IS_HTTP else response.id) == "7", response)


def check_reuse(client):
    """The same objects for several requests, with other elements."""
    inputs, outputs = two_inputs("INT32", TO_16.astype(np.int32), ONES.astype(np.int32)), two_outputs()
    for factor in (1, 2, 3):
        a, b = TO_16.astype(np.int32), (ONES * factor).astype(np.int32)
        inputs[0].set_data_from_numpy(a)
        inputs[1].set_data_from_numpy(b)
        check_sums(client.infer("simple", inputs, outputs=outputs), a, b, f"reused, {factor}")


def check_model_control(client):
    index = client.get_model_repository_index()
    names = [model["name"] for model in index] if IS_HTTP else [model.name for model in index.models]
    check(len(names) == 5 and "simple" in names, names)
    client.load_model("simple")
    check(client.is_model_ready("simple"), "loaded")
    wrong = '"parameters": {"config": {{"max_batch_size": "16"}}}'
    refused(lambda: client.load_model("simple", config=wrong), "failed to load", "INVALID_ARGUMENT")
    # Protobuf's JSON has integers in quotes as well.
    client.load_model("simple", config='{"max_batch_size":"16"}')
    config = client.get_model_config("simple")
    check((config["max_batch_size"] if IS_HTTP else config.config.max_batch_size) == 16, config)
    client.unload_model("simple")
    check(not client.is_model_ready("simple"), "unloaded")
    refused(lambda: client.load_model("wrong_model_name"), "failed to load", "NOT_FOUND")
    client.load_model("simple")
    check(client.is_model_ready("simple"), "loaded again")


def check_asynchronous(client):
    a, b = TO_16.astype(np.int32), ONES.astype(np.int32)
    if IS_AIO:
        own = client._client

        async def many():
            return await asyncio.gather(*(own.infer("simple", two_inputs("INT32", a * n, b)) for n in range(32)))

        results = loop.run_until_complete(many())
    elif IS_HTTP:
        pending = [client.async_infer("simple", two_inputs("INT32", a * n, b)) for n in range(32)]
        results = [one.get_result(block=True, timeout=30) for one in pending]
    else:
        done = queue.Queue()

        def ask(n):
            def tell_it(result, error):
                done.put((n, result, error))

            return client.async_infer("simple", two_inputs("INT32", a * n, b), tell_it, client_timeout=30)

        for n in range(32):
            ask(n)
        answers = sorted((done.get(timeout=30) for _ in range(32)), key=lambda answer: answer[0])
        check(all(error is None for _, _, error in answers), answers)
        results = [result for _, result, _ in answers]
        # One that is cancelled ends as that, or had its answer already.
        ask(99).cancel()
        _, result, error = done.get(timeout=30)
        check(result is not None or "Locally cancelled" in str(error), error)
    for n, result in enumerate(results):
        check_sums(result, a * n, b, f"asynchronous {n}")


def check_stream(client):
    """Many requests in one stream; a wrong one among them is answered with its error, and the stream goes on."""
    a, b = TO_16.astype(np.int32), ONES.astype(np.int32)

    def request(n):
        model = "nobody" if n == 50 else "simple"
        return {"model_name": model, "inputs": two_inputs("INT32", a * n, b), "request_id": str(n)}

    if IS_AIO:
        own = client._client

        async def requests():
            for n in range(100):
                yield request(n)

        async def collect():
            return [answer async for answer in own.stream_infer(requests())]

        answers = loop.run_until_complete(collect())
    else:
        done = queue.Queue()
        client.start_stream(lambda result, error: done.put((result, error)))
        for n in range(100):
            client.async_stream_infer(**request(n))
        answers = [done.get(timeout=30) for _ in range(100)]
        client.stop_stream()
    for n, (result, error) in enumerate(answers):
        if n == 50:
            check("Request for unknown model: 'nobody'" in error.message(), error)
        else:
            check(error is None and result.get_response().id == str(n), error)
            check_sums(result, a * n, b, f"stream {n}")


def check_sequences(client):
    """Requests of a sequence are answered; there is no model that would know what came before."""
    a, b = TO_16.astype(np.int32), ONES.astype(np.int32)
    for sequence in (1000, str(uuid.uuid4())):
        for n in range(3):
            result = client.infer(
                "simple",
                two_inputs("INT32", a * n, b),
                sequence_id=sequence,
                sequence_start=n == 0,
                sequence_end=n == 2,
            )
            check_sums(result, a * n, b, f"sequence {n}")


def check_refusals(client):
    no_memory = "tensors in shared memory are not offered"
    for call in (
        client.get_system_shared_memory_status,
        client.get_cuda_shared_memory_status,
        client.unregister_system_shared_memory,
        client.unregister_cuda_shared_memory,
        lambda: client.register_system_shared_memory("region", "/key", 64),
        lambda: client.register_cuda_shared_memory("region", b"aGFuZGxl", 0, 64),
    ):
        refused(call, no_memory, "UNIMPLEMENTED")
    refused(client.get_trace_settings, "traces are not written", "UNIMPLEMENTED")
    refused(lambda: client.update_trace_settings("simple", {"trace_rate": "1"}), "traces are not", "UNIMPLEMENTED")
    inputs = two_inputs("INT32", TO_16.astype(np.int32), ONES.astype(np.int32))
    inputs[0].set_shared_memory("region", 64)
    refused(lambda: client.infer("simple", inputs), "shared memory", "UNIMPLEMENTED")
    outputs = two_outputs()
    outputs[0].set_shared_memory("region", 64)
    inputs = two_inputs("INT32", TO_16.astype(np.int32), ONES.astype(np.int32))
    refused(lambda: client.infer("simple", inputs, outputs=outputs), "shared memory", "UNIMPLEMENTED")


def check_channel_options():
    """Keep-alive pings, and the channel's own options."""
    a, b = TO_16.astype(np.int32), ONES.astype(np.int32)
    keepalive = triton.KeepAliveOptions(
        keepalive_time_ms=2**31 - 1,
        keepalive_timeout_ms=20000,
        keepalive_permit_without_calls=False,
        http2_max_pings_without_data=2,
    )
    arguments = [
        ("grpc.max_send_message_length", 1024 * 1024),
        ("grpc.max_receive_message_length", 1024 * 1024),
        ("grpc.http2.max_pings_without_data", 2),
    ]
    for options in ({"keepalive_options": keepalive}, {"channel_args": arguments}):
        with connect(**options) as client:
            check_sums(client.infer("simple", two_inputs("INT32", a, b)), a, b, str(options))


with connect() as client:
    check_health_and_metadata(client)
    check_simple(client)
    check_int8(client)
    check_strings(client)
    check_images(client)
    check_reuse(client)
    check_model_control(client)
    check_asynchronous(client)
    check_sequences(client)
    check_refusals(client)
    if not IS_HTTP:
        check_stream(client)
if not IS_HTTP:
    check_explicit_contents()
    check_channel_options()
print_held()
