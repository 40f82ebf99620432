"""BentoML with its adaptive batching: one worker, and one parameter, which is all that a batchable API takes.

  MODEL=model.onnx MAX_BATCH=32 MAX_LATENCY_MS=60000 python -m bentoml serve bentoml_server:Onnx

POST /infer with {"rows": [...]}: one row of the model's input, of several inputs of one shape one beside the other.
Answers with the last output alone.
"""
import os

import bentoml
import numpy as np
import onnxruntime as ort

NUMPY = {"tensor(float)": np.float32, "tensor(int32)": np.int32, "tensor(int64)": np.int64}


@bentoml.service(workers=1, metrics={"enabled": False}, logging={"access": {"enabled": False}}, traffic={"timeout": 60})
class Onnx:
    def __init__(self):
        options = ort.SessionOptions()
        options.intra_op_num_threads = int(os.environ.get("THREADS", "1"))
        self.session = ort.InferenceSession(os.environ["MODEL"], options, providers=["CPUExecutionProvider"])
        self.inputs = [i.name for i in self.session.get_inputs()]
        self.dtype = NUMPY[self.session.get_inputs()[0].type]
        self.output = self.session.get_outputs()[-1].name

    @bentoml.api(
        batchable=True,
        max_batch_size=int(os.environ["MAX_BATCH"]),
        max_latency_ms=int(os.environ["MAX_LATENCY_MS"]),
    )
    def infer(self, rows: np.ndarray) -> np.ndarray:
        rows = rows.astype(self.dtype, copy=False)
        if len(self.inputs) == 1:
            feeds = {self.inputs[0]: rows}
        else:
            feeds = {name: rows[:, at] for at, name in enumerate(self.inputs)}
        return self.session.run([self.output], feeds)[0]
