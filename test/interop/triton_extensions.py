"""Drives the extensions of a server with Triton's own Python client: models come, answer in classes, are counted, and go.

The server holds a repository with the model `iris`, which is not loaded, and has a log of its own. The second argument
is iris' model file.
"""

import json
import sys

import numpy as np
import tritonclient.http as triton
from checks import check, print_held
from tritonclient.utils import InferenceServerException

ROWS = np.array([[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3]], np.float32)

def refused(call, status, words):
    try:
        call()
    except InferenceServerException as refusal:
        check(refusal.status() == status and words in refusal.message(), refusal)
    else:
        raise AssertionError(f"expected {status}: {words}")


def infer(client, model, **wanted):
    tensor = triton.InferInput("X", list(ROWS.shape), "FP32")
    tensor.set_data_from_numpy(ROWS)
    return client.infer(model, [tensor], outputs=[triton.InferRequestedOutput("probabilities", **wanted)])


def states(client):
    return {entry["name"]: entry["state"] for entry in client.get_model_repository_index()}


def check_loading(client, file):
    check(states(client) == {"iris": "UNAVAILABLE"}, states(client))
    refused(lambda: infer(client, "iris"), "404", "Request for unknown model: 'iris' is not found")
    client.load_model("iris")
    check(states(client) == {"iris": "READY"} and client.is_model_ready("iris"), states(client))
    check(client.get_model_config("iris")["max_batch_size"] == 8, "the configuration of the repository")

    client.load_model("iris", config=json.dumps({"max_batch_size": 4}))
    check(client.get_model_config("iris")["max_batch_size"] == 4, "the configuration of the request")

    config = json.dumps({"backend": "onnxruntime", "max_batch_size": 2})
    client.load_model("given", config=config, files={"file:1/model.onnx": file})
    check(client.get_model_config("given", "1")["max_batch_size"] == 2, "the configuration of files that were sent")
    check(infer(client, "given").as_numpy("probabilities").shape == (2, 3), "an answer of files that were sent")

    refused(lambda: client.load_model("nobody"), "404", "there is no model 'nobody'")
    refused(lambda: client.load_model(".."), "400", "the name of a model in the repository")
    refused(lambda: client.load_model("iris", config="{"), "400", "model configuration as JSON")
    outside = {"file:../1/model.onnx": file}
    refused(lambda: client.load_model("given", config=config, files=outside), "400", "nothing outside is written")
    check(client.is_model_ready("iris") and client.is_model_ready("given"), "what was refused changed nothing")


def check_config(client):
    config = client.get_model_config("iris", "1")
    check(config["name"] == "iris" and config["backend"] == "onnxruntime", config)
    check([(i["name"], i["data_type"], i["dims"]) for i in config["input"]] == [("X", "TYPE_FP32", [4])], config)
    check([(o["name"], o["dims"]) for o in config["output"]] == [("probabilities", [3])], config)
    refused(lambda: client.get_model_config("nobody"), "404", "Request for unknown model: 'nobody' is not found")


def check_classification(client):
    scores = infer(client, "iris").as_numpy("probabilities")
    for binary in (True, False):
        texts = infer(client, "iris", class_count=2, binary_data=binary).as_numpy("probabilities")
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
    refused(lambda: client.get_inference_statistics("nobody"), "404", "Request for unknown model")


def check_logging(client):
    settings = client.get_log_settings()
    check(settings["log_info"] is True and settings["log_verbose_level"] == 0, settings)
    changed = client.update_log_settings({"log_verbose_level": 1})
    check(changed == {**settings, "log_verbose_level": 1}, changed)
    check(client.update_log_settings({"log_verbose_level": 0}) == settings, "back again")
    refused(lambda: client.update_log_settings({"log_file": "/tmp/log"}), "501", "settings.log_file")


def check_refusals(client):
    refused(client.get_system_shared_memory_status, "501", "tensors in shared memory are not offered")
    refused(client.get_cuda_shared_memory_status, "501", "tensors in shared memory are not offered")
    refused(client.get_trace_settings, "501", "traces are not written")


def check_unloading(client):
    client.unload_model("given", unload_dependents=True)
    check(not client.is_model_ready("given") and client.is_model_ready("iris"), states(client))
    client.unload_model("iris")
    check(states(client)["iris"] in ("UNLOADING", "UNAVAILABLE"), states(client))
    refused(lambda: client.unload_model("nobody"), "404", "there is no model 'nobody'")
    check(client.get_inference_statistics()["model_stats"] == [], "nothing is served any more")


with triton.InferenceServerClient(sys.argv[1]) as client, open(sys.argv[2], "rb") as file:
    extensions = client.get_server_metadata()["extensions"]
    wanted = {"binary_tensor_data", "classification", "logging", "model_configuration", "model_repository", "statistics"}
    check(wanted <= set(extensions), extensions)
    check_loading(client, file.read())
    client.load_model("iris")
    check_config(client)
    check_classification(client)
    check_statistics(client)
    check_logging(client)
    check_refusals(client)
    check_unloading(client)
print_held()
