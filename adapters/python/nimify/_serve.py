"""The life of the process: import the file, say hello, answer runs, leave when told to or when nimify is gone."""

import os
import select
import signal
import sys
import threading
import time
import traceback

from . import InvalidInput
from ._model import LoadError, Model
from ._tensors import WrongOutput
from ._wire import BYE, DRAIN, ERROR, HELLO, PING, PONG, RESULT, RUN, VERSION, Wire


def main(arguments):
    if "NIMIFY_ENGINE_FD" not in os.environ:
        sys.exit("This is started by nimify: nimify serve model.py:predict")
    descriptor = int(os.environ["NIMIFY_ENGINE_FD"])
    os.set_inheritable(descriptor, False)  # what the function starts must not hold the wire open
    _ignore_signals()
    _leave_with_parent(descriptor)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True, errors="backslashreplace")
    wire = Wire(descriptor)
    path = os.path.abspath(arguments[0])
    try:
        model = Model(path, arguments[1] if len(arguments) > 1 else None)
    except BaseException as error:  # also SystemExit: a file that calls sys.exit() is not served
        wire.write(ERROR, 0, _load_error(error, path))
        sys.exit(1)
    wire.write(HELLO, 0, {"protocol": VERSION, "slots": 1, "memory_bytes": _resident_bytes(), **model.hello()})
    _answer(wire, model)


def _answer(wire, model):
    while True:
        frame = wire.read()
        if frame is None:
            return
        kind, run_id, request, data = frame
        if kind == RUN:
            started = time.perf_counter_ns()
            try:
                outputs, sections = model.run(request, data)
            except Exception as error:  # SystemExit and the like end the process, as the function wants
                wire.write(ERROR, run_id, _run_error(error, model))
                continue
            took = time.perf_counter_ns() - started
            answer = {"model_name": "", "outputs": outputs, "parameters": {"compute_ns": took}}
            wire.write(RESULT, run_id, answer, sections)
        elif kind == PING:
            wire.write(PONG, run_id)
        elif kind == DRAIN:
            wire.write(BYE)
            return


def _run_error(error, model):
    if isinstance(error, InvalidInput):
        return {"code": "INVALID_INPUT", "error": str(error) or "The function refused the request"}
    name = model.function.__name__
    if isinstance(error, WrongOutput):
        print(f"{name}: {error}", file=sys.stderr)
        return {"code": "ENGINE_FAILED", "error": f"The function '{name}' gave a wrong answer: {error}"}
    traceback.print_exc()
    if isinstance(error, MemoryError):
        return {"code": "OUT_OF_MEMORY", "error": f"The function '{name}' ran out of memory"}
    # The class only: what an exception says may be a secret.
    return {"code": "ENGINE_FAILED",
            "error": f"The function '{name}' raised {type(error).__name__}; the log has its traceback"}


def _load_error(error, path):
    if isinstance(error, LoadError):
        if error.__cause__ is not None:
            traceback.print_exception(type(error.__cause__), error.__cause__, error.__cause__.__traceback__)
        return {"code": error.code, "error": str(error)}
    traceback.print_exc()
    if isinstance(error, MemoryError):
        return {"code": "OUT_OF_MEMORY", "error": f"{path} ran out of memory while being imported"}
    return {"code": "ENGINE_FAILED",
            "error": f"{path} raised {type(error).__name__} while being imported; the log has its traceback"}


def _ignore_signals():
    """Ctrl-C and `systemctl stop` reach every process; nimify wants to finish its runs and then says so."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _leave_with_parent(descriptor):
    """Ends the process when the wire's other end is closed, also in the middle of a run."""
    if not hasattr(select, "poll"):
        return  # Windows: noticed at the next read
    poller = select.poll()
    poller.register(descriptor, 0)  # no events: only the hang-up, which cannot be turned off

    def wait():
        poller.poll()
        os._exit(1)

    threading.Thread(target=wait, name="nimify-wire", daemon=True).start()


def _resident_bytes():
    try:
        import resource
    except ImportError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
