"""FastAPI at its leanest, on uvicorn with orjson and ONNX Runtime: nothing is validated, and the run blocks the event
loop. See fastapi_documented_server.py for what its documentation advises.

  MODEL=model.onnx uvicorn --loop uvloop --http httptools --no-access-log fastapi_server:app

POST /infer with OIP JSON, or with application/octet-stream: the inputs' bytes one after another, one row.
"""
import math
import os

import numpy as np
import onnxruntime as ort
import orjson
from fastapi import FastAPI, Request, Response

options = ort.SessionOptions()
options.intra_op_num_threads = int(os.environ.get("THREADS", "1"))
options.inter_op_num_threads = 1
session = ort.InferenceSession(os.environ["MODEL"], options, providers=["CPUExecutionProvider"])

NUMPY = {"tensor(float)": np.float32, "tensor(int32)": np.int32, "tensor(int64)": np.int64}
OIP = {"float32": "FP32", "int64": "INT64"}
TOKENS = int(os.environ.get("TOKENS", "32"))
inputs = session.get_inputs()
outputs = [output.name for output in session.get_outputs()]
app = FastAPI()


def one_row(shape):
    return [1 if i == 0 else (d if isinstance(d, int) else TOKENS) for i, d in enumerate(shape)]


binary_layout = [(i.name, np.dtype(NUMPY[i.type]), one_row(i.shape)) for i in inputs]


def feeds_of(body):
    feeds, at = {}, 0
    for name, dtype, shape in binary_layout:
        count = math.prod(shape)
        feeds[name] = np.frombuffer(body, dtype, count, at).reshape(shape)
        at += count * dtype.itemsize
    return feeds


@app.get("/ready")
async def ready():
    return Response(status_code=200)


@app.post("/infer")
async def infer(request: Request):
    body = await request.body()
    if request.headers.get("content-type") == "application/octet-stream":
        results = session.run(outputs, feeds_of(body))
        return Response(b"".join(r.tobytes() for r in results), media_type="application/octet-stream")
    types = {i.name: NUMPY[i.type] for i in inputs}
    feeds = {
        tensor["name"]: np.array(tensor["data"], types[tensor["name"]]).reshape(tensor["shape"])
        for tensor in orjson.loads(body)["inputs"]
    }
    results = session.run(outputs, feeds)
    answer = {
        "outputs": [
            {"name": name, "datatype": OIP[r.dtype.name], "shape": r.shape, "data": r.reshape(-1)}
            for name, r in zip(outputs, results)
        ]
    }
    return Response(orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json")
