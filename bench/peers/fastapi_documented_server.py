"""FastAPI as its documentation writes it: a Pydantic model for the body, and `def` or the thread pool for the run,
which blocks. See fastapi_server.py for the leanest that FastAPI can be, which gives both up.

  MODEL=model.onnx uvicorn --loop uvloop --http httptools --no-access-log fastapi_documented_server:app
"""
import fastapi_server as lean
import numpy as np
import orjson
from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel

TYPES = {i.name: lean.NUMPY[i.type] for i in lean.inputs}
app = FastAPI()


class Tensor(BaseModel):
    name: str
    datatype: str
    shape: list[int]
    data: list[int | float]


class InferRequest(BaseModel):
    inputs: list[Tensor]


@app.get("/ready")
async def ready():
    return Response(status_code=200)


@app.post("/infer")
def infer(request: InferRequest):
    feeds = {t.name: np.array(t.data, TYPES[t.name]).reshape(t.shape) for t in request.inputs}
    results = lean.session.run(lean.outputs, feeds)
    answer = {
        "outputs": [
            {"name": name, "datatype": lean.OIP[r.dtype.name], "shape": r.shape, "data": r.reshape(-1)}
            for name, r in zip(lean.outputs, results)
        ]
    }
    return Response(orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json")


@app.post("/infer-binary")
async def infer_binary(request: Request):
    body = await request.body()
    results = await run_in_threadpool(lean.session.run, lean.outputs, lean.feeds_of(body))
    return Response(b"".join(r.tobytes() for r in results), media_type="application/octet-stream")
