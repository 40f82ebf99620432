"""A Python file with a function: imported, described, called."""

import importlib.util
import inspect
import os
import sys

from ._signature import SignatureError, read_signature
from ._tensors import WrongOutput, decode, encode


class LoadError(Exception):
    """The file cannot be served; the message is for whoever started nimify."""

    def __init__(self, message, code="ENGINE_FAILED"):
        super().__init__(message)
        self.code = code


class Model:
    def __init__(self, path, name):
        module = _import(path)
        self.function = _find(module, path, name)
        try:
            self.signature = read_signature(self.function)
        except SignatureError as error:
            raise LoadError(f"{path}: function '{self.function.__name__}' cannot be served: {error}",
                            "UNSUPPORTED") from error
        self._inputs = {spec.name: spec for spec in self.signature.inputs}

    def hello(self):
        signature = self.signature
        return {
            "model": {
                "name": self.function.__name__,
                "platform": "python",
                "inputs": [spec.metadata() for spec in signature.inputs],
                "outputs": [spec.metadata() for spec in signature.outputs],
            },
            "batchable": signature.batchable,
            "deterministic": signature.deterministic,
        }

    def run(self, request, data):
        """Answers OIP's inference request; returns its outputs and their binary sections."""
        arguments, at = {}, 0
        for entry in request["inputs"]:
            size = entry["parameters"]["binary_data_size"]
            arguments[entry["name"]] = decode(self._inputs[entry["name"]], entry["shape"], data[at : at + size])
            at += size
        returned = self._by_name(self.function(**arguments))
        wanted = {output["name"] for output in request.get("outputs", [])}
        entries, sections = [], []
        for spec in self.signature.outputs:
            if wanted and spec.name not in wanted:
                continue
            shape, section = encode(spec, returned[spec.name])
            entries.append({"name": spec.name, "datatype": spec.datatype, "shape": shape,
                            "parameters": {"binary_data_size": len(section)}})
            sections.append(section)
        return entries, sections

    def _by_name(self, returned):
        """A dict, or a record, by its names; a tuple in order; anything else is the only output."""
        names = [spec.name for spec in self.signature.outputs]
        if hasattr(returned, "__dataclass_fields__"):
            returned = {name: getattr(returned, name) for name in returned.__dataclass_fields__}
        elif isinstance(returned, tuple) and hasattr(returned, "_asdict"):
            returned = returned._asdict()
        if isinstance(returned, dict):
            missing = [name for name in names if name not in returned]
            if missing:
                raise WrongOutput(f"output '{missing[0]}' is declared, but the function gave only "
                                  + (", ".join(f"'{name}'" for name in returned) or "an empty dict"))
            return returned
        if len(names) == 1:
            return {names[0]: returned}
        if not isinstance(returned, tuple) or len(returned) != len(names):
            raise WrongOutput(f"{len(names)} outputs are declared; return a dict with their names, or a tuple of "
                              f"{len(names)}")
        return dict(zip(names, returned))


def _import(path):
    name = os.path.splitext(os.path.basename(path))[0]
    # The file's own folder first, as when Python runs it; this adapter's folder goes, `nimify` is imported already.
    sys.path[0] = os.path.dirname(path)
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except ModuleNotFoundError as error:
        raise LoadError(f"{path} needs the module '{error.name}', which {sys.executable} does not have; install it "
                        "there, or name another interpreter with --python") from error
    except SyntaxError as error:
        version = ".".join(map(str, sys.version_info[:2]))
        raise LoadError(f"{error.filename}, line {error.lineno}, is no valid Python {version}", "INVALID_INPUT") from error
    return module


def _find(module, path, name):
    own = [key for key, value in vars(module).items()
           if inspect.isfunction(value) and value.__module__ == module.__name__ and not key.startswith("_")]
    if name is None:
        name = "predict" if hasattr(module, "predict") or len(own) != 1 else own[0]
    function = getattr(module, name, None)
    if callable(function):
        return function
    listed = f"it has {', '.join(own)}; name one as {os.path.basename(path)}:{own[0]}" if own else "it has none"
    raise LoadError(f"{path} has no function '{name}'; {listed}", "NOT_FOUND")
