"""What a function takes and gives: from `function.signature` (see nimify.model), or from its annotations."""

import inspect
import re
import typing

DATATYPES = ("BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64",
             "FP16", "BF16", "FP32", "FP64", "BYTES")

# What a plain Python type is on the wire: nothing is lost on the way.
_PLAIN = {bool: "BOOL", int: "INT64", float: "FP64", str: "BYTES", bytes: "BYTES"}

_SPEC = re.compile(r"\s*([A-Z0-9]+)\s*(?:\[([^\[\]]*)\])?\s*$")
_HOW = "write it as Annotated[numpy.ndarray, 'FP32[batch,4]'] or declare it with @nimify.model(inputs=..., outputs=...)"


class SignatureError(Exception):
    """The function cannot be served as it is; the message says what to change."""


class Spec:
    """One tensor, and the form in which the function has it: `array` (NumPy), `list` (nested), or `any`."""

    def __init__(self, name, datatype, shape, names, form, element=None, optional=False):
        self.name = name
        self.datatype = datatype
        self.shape = shape
        self.names = names
        self.form = form
        self.element = element  # bytes: the elements of BYTES are wanted as they are, not as text
        self.optional = optional

    def metadata(self):
        entry = {"name": self.name, "datatype": self.datatype, "shape": self.shape, "dimension_names": self.names}
        return {**entry, "optional": True} if self.optional else entry


class Signature:
    def __init__(self, inputs, outputs, batchable, deterministic):
        self.inputs = inputs
        self.outputs = outputs
        self.batchable = batchable
        self.deterministic = deterministic


def read_signature(function):
    """The signature of a function. Raises SignatureError."""
    declared = getattr(function, "signature", None) or {}
    if not isinstance(declared, dict) or not set(declared) <= {"inputs", "outputs", "batchable", "deterministic"}:
        raise SignatureError("its attribute 'signature' must be a dict with 'inputs', 'outputs', and where wanted "
                             "'batchable' and 'deterministic'")
    hints = _hints(function)
    parameters = inspect.signature(function).parameters.values()
    given_inputs, given_outputs = declared.get("inputs"), declared.get("outputs")
    inputs = _annotated_inputs(parameters, hints) if given_inputs is None \
        else _declared_inputs(given_inputs, parameters, hints)
    outputs = _annotated_outputs(hints.get("return")) if given_outputs is None \
        else [_parse(name, spec, "any", "outputs") for name, spec in _items(given_outputs, "outputs")]
    if not outputs:
        raise SignatureError("it gives no output; declare at least one")
    return Signature(inputs, outputs, bool(declared.get("batchable")), bool(declared.get("deterministic")))


def _hints(function):
    try:
        return typing.get_type_hints(function, include_extras=True)
    except NameError as error:
        raise SignatureError(f"an annotation names '{error.name}', which is not defined where it stands") from error


def _declared_inputs(given, parameters, hints):
    parameters = list(parameters)
    takes_any = any(one.kind is one.VAR_KEYWORD for one in parameters)
    by_name = {one.name: one for one in parameters if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)}
    inputs = []
    for name, spec in _items(given, "inputs"):
        if name not in by_name and not takes_any:
            raise SignatureError(f"input '{name}' is declared, but the function has no parameter of that name")
        form = "list" if typing.get_origin(hints.get(name)) is list or hints.get(name) is list else "any"
        tensor = _parse(name, spec, form, "inputs")
        tensor.optional = name in by_name and by_name[name].default is not inspect.Parameter.empty
        inputs.append(tensor)
    for name, one in by_name.items():
        if one.default is one.empty and name not in given:
            raise SignatureError(f"parameter '{name}' is required, but no input of that name is declared")
    return inputs


def _items(given, what):
    if not isinstance(given, dict) or not given:
        raise SignatureError(f"'{what}' must be a dict such as {{'x': 'FP32[batch,4]'}}")
    return given.items()


def _annotated_inputs(parameters, hints):
    inputs = []
    for one in parameters:
        if one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD):
            continue
        if one.kind is one.POSITIONAL_ONLY:
            raise SignatureError(f"parameter '{one.name}' cannot be given by name; inputs are named")
        if one.name not in hints:
            if one.default is not one.empty:
                continue
            raise SignatureError(f"parameter '{one.name}' has no annotation; {_HOW}")
        spec = _of_annotation(one.name, hints[one.name], f"parameter '{one.name}'")
        spec.optional = one.default is not one.empty
        inputs.append(spec)
    return inputs


def _annotated_outputs(annotation):
    if annotation is None:
        raise SignatureError(f"it has no annotation of what it returns; {_HOW}")
    fields = _fields(annotation)
    if fields is not None:
        return [_of_annotation(name, hint, f"output '{name}'") for name, hint in fields.items()]
    return [_of_annotation("output", annotation, "what it returns")]


def _fields(annotation):
    """Names and annotations of a TypedDict, NamedTuple or dataclass, which stand for several outputs."""
    is_record = typing.is_typeddict(annotation) if hasattr(typing, "is_typeddict") \
        else hasattr(annotation, "__total__")
    if is_record or hasattr(annotation, "_fields") or hasattr(annotation, "__dataclass_fields__"):
        return typing.get_type_hints(annotation, include_extras=True)
    return None


def _of_annotation(name, annotation, where):
    extras = getattr(annotation, "__metadata__", ())
    text = next((extra for extra in extras if isinstance(extra, str)), None)
    if extras:
        annotation = annotation.__origin__
    if text is not None:
        form = "list" if annotation is list or typing.get_origin(annotation) is list else "any"
        spec = _parse(name, text, form, where)
        if _leaf(annotation)[0] is bytes:
            spec.element = bytes
        return spec
    leaf, depth = _leaf(annotation)
    if leaf not in _PLAIN:
        raise SignatureError(f"{where} is annotated as {_name_of(annotation)}, which tells no datatype and shape; {_HOW}")
    return Spec(name, _PLAIN[leaf], [-1] * depth, [None] * depth, "list", bytes if leaf is bytes else None)


def _leaf(annotation):
    """`list[list[float]]` is (float, 2)."""
    depth = 0
    while typing.get_origin(annotation) is list:
        annotation = (typing.get_args(annotation) or (None,))[0]
        depth += 1
    return (annotation if isinstance(annotation, type) else None), depth


def _name_of(annotation):
    return getattr(annotation, "__name__", None) or str(annotation)


def _parse(name, text, form, where):
    match = _SPEC.match(text) if isinstance(text, str) else None
    if match is None or match.group(1) not in DATATYPES:
        raise SignatureError(f"{where}: {text!r} for '{name}' is no spec such as 'FP32[batch,4]'; datatypes are "
                             + ", ".join(DATATYPES))
    shape, names = [], []
    for part in (match.group(2) or "").split(","):
        part = part.strip()
        if part == "":
            continue
        is_number = re.fullmatch(r"-?\d+", part) is not None
        size = int(part) if is_number else -1
        if size < -1:
            raise SignatureError(f"{where}: dimension {part} of '{name}' is negative; -1 is one of any size")
        shape.append(size)
        names.append(None if is_number else part)
    return Spec(name, match.group(1), shape, names, form)
