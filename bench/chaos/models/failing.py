"""The sums of make_models.py, by a function that does as the file FAILING_HOW says, and counts in FAILING_CALLS the
rows that it was given: `raise` or `crash`, and the share of calls to which it happens; an empty file: nothing does.
"""
import os
import random
import signal
from typing import Annotated

WEIGHTS = [[(i * 4 + j) % 7 - 3 for j in range(4)] for i in range(8)]


def predict(x: Annotated[list, "FP32[batch,8]"]) -> dict:
    calls = os.open(os.environ["FAILING_CALLS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(calls, b"+" * len(x))
    os.close(calls)
    with open(os.environ["FAILING_HOW"], encoding="ascii") as file:
        how, _, share = file.read().partition(" ")
    if how and random.random() < float(share):
        if how == "crash":
            os.kill(os.getpid(), signal.SIGKILL)
        raise RuntimeError("as told")
    return {"y": [[sum(row[i] * WEIGHTS[i][j] for i in range(8)) + j for j in range(4)] for row in x]}


predict.signature = {"outputs": {"y": "FP32[batch,4]"}, "batchable": True}
