"""What Triton's Python backend serves: ONNX Runtime on the request's raw contents."""
import json
import os

import numpy as np
import onnxruntime as ort
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def initialize(self, args):
        options = ort.SessionOptions()
        options.intra_op_num_threads = int(os.environ.get("THREADS", "1"))
        options.inter_op_num_threads = 1
        self._session = ort.InferenceSession(os.environ["MODEL"], options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name
        self._outputs = [o["name"] for o in json.loads(args["model_config"])["output"]]

    def execute(self, requests):
        answers = []
        for request in requests:
            data = pb_utils.get_input_tensor_by_name(request, self._input).as_numpy()
            results = self._session.run(self._outputs, {self._input: data})
            answers.append(
                pb_utils.InferenceResponse([pb_utils.Tensor(n, r) for n, r in zip(self._outputs, results)])
            )
        return answers
