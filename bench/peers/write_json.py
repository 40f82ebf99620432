"""orjson on a NumPy array of FP32 numbers, again and again. Prints the CPU time of a text, after it was read back and
compared.

  NUMBERS=file.f32 [SECONDS=1] python write_json.py
"""
import json
import os
import time

import numpy as np
import orjson

WARM_RUNS = 20
seconds = float(os.environ.get("SECONDS", "1"))
data = np.fromfile(os.environ["NUMBERS"], np.float32)


def write():
    return orjson.dumps(data, option=orjson.OPT_SERIALIZE_NUMPY)


text = write()
if not np.array_equal(np.array(orjson.loads(text), np.float32), data):
    raise SystemExit("other numbers came back")
for _ in range(WARM_RUNS):
    write()
runs = 0
start, before = time.perf_counter(), time.process_time()
while time.perf_counter() - start < seconds:
    write()
    runs += 1
print(json.dumps({"cpuUs": (time.process_time() - before) * 1e6 / runs, "textBytes": len(text)}))
