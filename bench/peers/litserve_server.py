"""LitServe with one worker on the CPU and its defaults: OIP-like JSON in and out at /predict.

  MODEL=model.onnx PORT=9000 python litserve_server.py
"""
import os

import litserve as ls
import numpy as np
import onnxruntime as ort

NUMPY = {"tensor(float)": np.float32, "tensor(int64)": np.int64}


class Api(ls.LitAPI):
    def setup(self, device):
        options = ort.SessionOptions()
        options.intra_op_num_threads = int(os.environ.get("THREADS", "1"))
        self.session = ort.InferenceSession(os.environ["MODEL"], options, providers=["CPUExecutionProvider"])
        self.types = {i.name: NUMPY[i.type] for i in self.session.get_inputs()}
        self.outputs = [o.name for o in self.session.get_outputs()]

    def decode_request(self, request):
        return {
            t["name"]: np.array(t["data"], self.types[t["name"]]).reshape(t["shape"]) for t in request["inputs"]
        }

    def predict(self, feeds):
        return self.session.run(self.outputs, feeds)

    def encode_response(self, results):
        return {
            "outputs": [
                {"name": n, "shape": list(r.shape), "data": r.reshape(-1).tolist()}
                for n, r in zip(self.outputs, results)
            ]
        }


if __name__ == "__main__":
    ls.LitServer(Api(), accelerator="cpu", workers_per_device=1).run(
        host="127.0.0.1", port=int(os.environ["PORT"]), log_level="warning", access_log=False, generate_client_file=False
    )
