"""Drives the extensions of a server with Triton's own Python clients: models come, answer in classes, are counted, and go.

    triton_extensions.py http|grpc ADDRESS MODEL_FILE

The server holds a repository with the model `iris`, which is not loaded, and has a log of its own. The file is iris'
model.
"""

import json
import sys

import numpy as np
import plain_messages
import tritonclient.grpc
import tritonclient.http
from checks import check, check_refused, print_held

ROWS = np.array([[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3]], np.float32)

protocol, address, model_file = sys.argv[1:]
IS_HTTP = protocol == "http"
triton = tritonclient.http if IS_HTTP else tritonclient.grpc
STATUS = {
    "INVALID_ARGUMENT": "400",
    "NOT_FOUND": "404",
    "UNIMPLEMENTED": "501",
}


def refused(call, status, words):
    check_refused(call, STATUS[status] if IS_HTTP else f"StatusCode.{status}", words)


def infer(client, model, **wanted):
    tensor = triton.InferInput("X", list(ROWS.shape), "FP32")
    tensor.set_data_from_numpy(ROWS)
    return client.infer(model, [tensor], outputs=[triton.InferRequestedOutput("probabilities", **wanted)])


def states(client):
    return {entry["name"]: entry["state"] for entry in client.get_model_repository_index()}


def check_loading(client, file):
    check(states(client) == {"iris": "UNAVAILABLE"}, states(client))
    refused(lambda: infer(client, "iris"), "NOT_FOUND", "Request for unknown model: 'iris' is not found")
    client.load_model("iris")
    check(states(client) == {"iris": "READY"} and client.is_model_ready("iris"), states(client))
    check(client.get_model_config("iris")["max_batch_size"] == 8, "the configuration of the repository")

    client.load_model("iris", config=json.dumps({"max_batch_size": 4}))
    check(client.get_model_config("iris")["max_batch_size"] == 4, "the configuration of the request")

    config = json.dumps({"backend": "onnxruntime", "max_batch_size": 2})
    client.load_model("given", config=config, files={"file:1/model.onnx": file})
    check(client.get_model_config("given", "1")["max_batch_size"] == 2, "the configuration of files that were sent")
    check(infer(client, "given").as_numpy("probabilities").shape == (2, 3), "an answer of files that were sent")

    refused(lambda: client.load_model("nobody"), "NOT_FOUND", "there is no model 'nobody'")
    named = "the name of a model in the repository"
    names = ["..", ".", "iris\\1"]
    # In the path of a URL these are other paths.
    names += [] if IS_HTTP else ["../iris", "iris/1", "/etc", "iris\0", ""]
    for name in names:
        refused(lambda: client.load_model(name), "INVALID_ARGUMENT", named)
        refused(lambda: client.unload_model(name), "INVALID_ARGUMENT", named)
    refused(lambda: client.load_model("iris", config="{"), "INVALID_ARGUMENT", "model configuration as JSON")
    for path in ("../1/model.onnx", "/tmp/1/model.onnx", "1/../../model.onnx", "..", "1/..", ""):
        outside = {"file:" + path: file, "file:1/model.onnx": file}
        refused(
            lambda: client.load_model("given", config=config, files=outside),
            "INVALID_ARGUMENT",
            "nothing outside is written",
        )
    long = {"file:" + "A" * 256: b"a"}
    refused(lambda: client.load_model("given", config=config, files=long), "INVALID_ARGUMENT", "failed to load 'given'")
    broken = {"file:1/model.onnx": file[:100]}
    refused(lambda: client.load_model("given", config=config, files=broken), "INVALID_ARGUMENT", "failed to load 'given'")
    refused(lambda: client.load_model("iris", config='{"max_batch_size": "many"}'), "INVALID_ARGUMENT", "max_batch_size")
    check(client.is_model_ready("iris") and client.is_model_ready("given"), "what was refused changed nothing")


def check_config(client):
    config = client.get_model_config("iris", "1")
    check(config["name"] == "iris" and config["backend"] == "onnxruntime", config)
    check([(i["name"], i["data_type"], i["dims"]) for i in config["input"]] == [("X", "TYPE_FP32", [4])], config)
    check([(o["name"], o["dims"]) for o in config["output"]] == [("probabilities", [3])], config)
    refused(lambda: client.get_model_config("nobody"), "NOT_FOUND", "Request for unknown model: 'nobody' is not found")


def check_classification(client):
    scores = infer(client, "iris").as_numpy("probabilities")
    for how in ({"binary_data": True}, {"binary_data": False}) if IS_HTTP else ({},):
        texts = infer(client, "iris", class_count=2, **how).as_numpy("probabilities")
        check(texts.shape == (2, 2) and texts.dtype == np.object_, texts)
        for row, best in zip(scores, texts):
            order = np.argsort(-row)[:2]
            names = ["setosa", "versicolor", "virginica"]
            expected = ["%f:%d:%s" % (row[at], at, names[at]) for at in order]
            check([t.decode() if isinstance(t, bytes) else t for t in best] == expected, (best, expected))
    check(infer(client, "iris", class_count=9).as_numpy("probabilities").shape == (2, 3), "more classes than there are")


def check_statistics(client):
    before = client.get_inference_statistics("iris", "1")["model_stats"][0]
    for _ in range(3):
        infer(client, "iris")
    (stat,) = client.get_inference_statistics("iris")["model_stats"]
    check(stat["inference_count"] - before["inference_count"] == 6, stat)
    check(stat["execution_count"] - before["execution_count"] == 3, stat)
    check(stat["inference_stats"]["success"]["count"] - before["inference_stats"]["success"]["count"] == 3, stat)
    check(stat["inference_stats"]["compute_infer"]["ns"] > before["inference_stats"]["compute_infer"]["ns"], stat)
    check([batch["batch_size"] for batch in stat["batch_stats"]] == [2], stat)
    check(stat["last_inference"] >= before["last_inference"] > 1_600_000_000_000, stat)
    everything = client.get_inference_statistics()["model_stats"]
    check({(s["name"], s["version"]) for s in everything} == {("iris", "1"), ("given", "1")}, everything)
    refused(lambda: client.get_inference_statistics("nobody"), "NOT_FOUND", "Request for unknown model")


def check_logging(client):
    settings = client.get_log_settings()
    check(settings["log_info"] is True and settings["log_verbose_level"] == 0, settings)
    changed = client.update_log_settings({"log_verbose_level": 1})
    check(changed == {**settings, "log_verbose_level": 1}, changed)
    check(client.update_log_settings({"log_verbose_level": 0}) == settings, "back again")
    refused(lambda: client.update_log_settings({"log_file": "/tmp/log"}), "UNIMPLEMENTED", "settings.log_file")


def check_refusals(client):
    refused(client.get_system_shared_memory_status, "UNIMPLEMENTED", "tensors in shared memory are not offered")
    refused(client.get_cuda_shared_memory_status, "UNIMPLEMENTED", "tensors in shared memory are not offered")
    refused(client.get_trace_settings, "UNIMPLEMENTED", "traces are not written")


def check_unloading(client):
    client.unload_model("given", unload_dependents=True)
    check(not client.is_model_ready("given") and client.is_model_ready("iris"), states(client))
    client.unload_model("iris")
    check(states(client)["iris"] in ("UNLOADING", "UNAVAILABLE"), states(client))
    refused(lambda: client.unload_model("nobody"), "NOT_FOUND", "there is no model 'nobody'")
    check(client.get_inference_statistics()["model_stats"] == [], "nothing is served any more")


with open(model_file, "rb") as file:
    model = file.read()
Client = tritonclient.http.InferenceServerClient if IS_HTTP else plain_messages.Client
with Client(address) as client:
    extensions = client.get_server_metadata()["extensions"]
    wanted = {"classification", "logging", "model_configuration", "model_repository", "statistics"}
    check(wanted <= set(extensions) and ("binary_tensor_data" in extensions) == IS_HTTP, extensions)
    check_loading(client, model)
    client.load_model("iris")
    check_config(client)
    check_classification(client)
    check_statistics(client)
    check_logging(client)
    check_refusals(client)
    check_unloading(client)
print_held()
