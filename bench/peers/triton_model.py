"""What Triton's Python backend serves: ONNX Runtime on the requests' tensors, joined where Triton hands over several."""
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
        self._inputs = [i.name for i in self._session.get_inputs()]
        config = json.loads(args["model_config"])
        self._outputs = [o["name"] for o in config["output"]]
        self._joins = config["max_batch_size"] > 0

    def execute(self, requests):
        feeds = [
            {name: pb_utils.get_input_tensor_by_name(request, name).as_numpy() for name in self._inputs}
            for request in requests
        ]
        if not self._joins or len(feeds) == 1:
            return [self._answer(self._session.run(self._outputs, one)) for one in feeds]
        joined = {name: np.concatenate([one[name] for one in feeds]) for name in self._inputs}
        results = self._session.run(self._outputs, joined)
        answers, at = [], 0
        for one in feeds:
            end = at + len(one[self._inputs[0]])
            answers.append(self._answer([r[at:end] for r in results]))
            at = end
        return answers

    def _answer(self, results):
        return pb_utils.InferenceResponse([pb_utils.Tensor(n, r) for n, r in zip(self._outputs, results)])
