"""tritonserver, as the package nvidia-pytriton ships it, with its Python backend on triton_model.py.

  MODEL=model.onnx PORT=9000 GRPC_PORT=9001 FOLDER=somewhere python triton_server.py
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


def tensors(kind, values):
    def dims(shape):
        return ", ".join(str(d if isinstance(d, int) else -1) for d in shape)

    return "\n".join(f'{kind} {{ name: "{v.name}" data_type: TYPE_FP32 dims: [{dims(v.shape)}] }}' for v in values)


(folder / "models" / "m" / "1").mkdir(parents=True, exist_ok=True)
shutil.copy(here / "triton_model.py", folder / "models" / "m" / "1" / "model.py")
(folder / "models" / "m" / "config.pbtxt").write_text(
    f"""backend: "python"
max_batch_size: 0
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
