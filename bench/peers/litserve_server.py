"""LitServe with one worker on the CPU and its defaults: OIP-like JSON in and out at /predict.

  MODEL=model.onnx PORT=9000 python litserve_server.py

With MAX_BATCH and BATCH_TIMEOUT_S it joins requests of one row each.
"""
import os

import litserve as ls
import numpy as np
import onnxruntime as ort

NUMPY = {"tensor(float)": np.float32, "tensor(int32)": np.int32, "tensor(int64)": np.int64}


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


class BatchedApi(Api):
    def batch(self, requests):
        return {name: np.concatenate([one[name] for one in requests]) for name in requests[0]}

    def unbatch(self, results):
        return [[r[at : at + 1] for r in results] for at in range(len(results[0]))]


def make_api():
    if "MAX_BATCH" not in os.environ:
        return Api()
    return BatchedApi(
        max_batch_size=int(os.environ["MAX_BATCH"]), batch_timeout=float(os.environ["BATCH_TIMEOUT_S"])
    )


if __name__ == "__main__":
    ls.LitServer(make_api(), accelerator="cpu", workers_per_device=1).run(
        host="127.0.0.1", port=int(os.environ["PORT"]), log_level="warning", access_log=False, generate_client_file=False
    )
