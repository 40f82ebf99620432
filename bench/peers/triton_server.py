"""tritonserver, as the package nvidia-pytriton ships it, with its Python backend on triton_model.py.

  MODEL=model.onnx PORT=9000 GRPC_PORT=9001 FOLDER=somewhere python triton_server.py

With MAX_BATCH its dynamic batcher joins requests, with its default settings.
"""
import os
import shutil
import sys
from pathlib import Path

import onnxruntime as ort
import pytriton

here = Path(__file__).parent
shipped = Path(pytriton.__file__).parent / "tritonserver"
folder = Path(os.environ["FOLDER"])
session = ort.InferenceSession(os.environ["MODEL"], providers=["CPUExecutionProvider"])


TYPES = {"tensor(float)": "FP32", "tensor(int32)": "INT32", "tensor(int64)": "INT64"}
max_batch = int(os.environ.get("MAX_BATCH", "0"))
batching = "dynamic_batching { }" if max_batch > 0 else ""


def tensors(kind, values):
    return "\n".join(
        f'{kind} {{ name: "{v.name}" data_type: TYPE_{TYPES[v.type]} {dims(v.shape)} }}' for v in values
    )


def dims(shape):
    # Triton adds the batch's dimension itself, and wants one beside it.
    beside = shape[1:] if max_batch > 0 else shape
    if not beside:
        return "dims: [1] reshape { shape: [] }"
    return f"dims: [{', '.join(str(d if isinstance(d, int) else -1) for d in beside)}]"


(folder / "models" / "m" / "1").mkdir(parents=True, exist_ok=True)
shutil.copy(here / "triton_model.py", folder / "models" / "m" / "1" / "model.py")
(folder / "models" / "m" / "config.pbtxt").write_text(
    f"""backend: "python"
max_batch_size: {max_batch}
{batching}
{tensors("input", session.get_inputs())}
{tensors("output", session.get_outputs())}
instance_group {{ kind: KIND_CPU count: 1 }}
"""
)
# The backend starts a stub, which must be of this version of Python.
shutil.copytree(shipped / "backends" / "python", folder / "backends" / "python", dirs_exist_ok=True)
stub = f"{sys.version_info.major}.{sys.version_info.minor}/triton_python_backend_stub"
shutil.copy(shipped / "python_backend_stubs" / stub, folder / "backends" / "python")

# The stub looks for its packages beside the first python3.
os.environ["PATH"] = f"{sys.prefix}/bin:{os.environ['PATH']}"
os.environ["LD_LIBRARY_PATH"] = str(shipped.parent.parent / "nvidia_pytriton.libs")
os.execv(
    shipped / "bin" / "tritonserver",
    [
        "tritonserver",
        f"--model-repository={folder}/models",
        f"--backend-directory={folder}/backends",
        *("--http-address=127.0.0.1", f"--http-port={os.environ['PORT']}", "--http-thread-count=1"),
        *("--grpc-address=127.0.0.1", f"--grpc-port={os.environ['GRPC_PORT']}"),
        *("--allow-metrics=false", "--log-error=true", "--log-info=false", "--log-warning=false"),
    ],
)
