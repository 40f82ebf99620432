"""Bytes of the wire to values for a function and back, with NumPy where it can be imported, and without."""

import array
import struct
import sys

from . import InvalidInput

try:
    import numpy
except ImportError:
    numpy = None

# Datatype -> (code of the standard library's array, NumPy's name). Sizes of `array` codes are checked below.
_CODES = {
    "BOOL": ("B", "bool"), "UINT8": ("B", "uint8"), "UINT16": ("H", "uint16"), "UINT32": ("I", "uint32"),
    "UINT64": ("Q", "uint64"), "INT8": ("b", "int8"), "INT16": ("h", "int16"), "INT32": ("i", "int32"),
    "INT64": ("q", "int64"), "FP16": ("e", "float16"), "BF16": ("", "float32"), "FP32": ("f", "float32"),
    "FP64": ("d", "float64"),
}
_FLOATS = ("FP16", "BF16", "FP32", "FP64")
_LENGTH = struct.Struct("<I")

if sys.byteorder != "little":
    raise ImportError("nimify's Python adapter runs on little-endian machines only")


class WrongOutput(Exception):
    """The function returned what it did not declare; the message says what."""


def decode(spec, shape, section):
    """A tensor's bytes as the function wants them: a NumPy array, or nested lists (a bare value for shape [])."""
    if spec.datatype == "BYTES":
        values = _read_texts(spec, section)
        if numpy is None or spec.form == "list":
            return _nest(values, shape)
        return _object_array(values, shape)
    if numpy is not None and spec.form != "list":
        return _read_array(spec.datatype, section).reshape(shape)
    return _nest(_read_numbers(spec.datatype, section), shape)


def encode(spec, value):
    """What the function gave for an output, as (shape, bytes). Raises WrongOutput."""
    shape, section = _encode(spec, value)
    fits = len(shape) == len(spec.shape) and all(
        wanted in (-1, size) for wanted, size in zip(spec.shape, shape))
    if not fits:
        raise WrongOutput(f"output '{spec.name}': declared with shape {spec.shape}, but the function gave {shape}")
    return shape, section


def _encode(spec, value):
    if numpy is not None and (isinstance(value, (numpy.ndarray, numpy.generic)) or spec.form == "any"):
        if spec.datatype == "BYTES":
            values = numpy.asarray(value, dtype=object)
            return list(values.shape), _write_texts(spec, values.ravel().tolist())
        return _write_array(spec, value)
    shape, values = _flatten(spec, value)
    if spec.datatype == "BYTES":
        return shape, _write_texts(spec, values)
    return shape, _write_numbers(spec, values)


# NumPy


def _read_array(datatype, section):
    if datatype != "BF16":
        return numpy.frombuffer(section, dtype=_CODES[datatype][1])
    # The upper half of a float32: widened, since NumPy has no bfloat16.
    return (numpy.frombuffer(section, dtype="uint16").astype("uint32") << 16).view("float32")


def _write_array(spec, value):
    values = numpy.asarray(value)
    dtype = numpy.dtype(_CODES[spec.datatype][1])
    if values.dtype != dtype:
        # A plain list has no datatype of its own, and is an int64 or float64 only by default.
        has_none = not isinstance(value, (numpy.ndarray, numpy.generic))
        is_whole = values.dtype.kind in "iu" and dtype.kind in "iu"
        if values.size > 0 and not (numpy.can_cast(values.dtype, dtype, "same_kind") or (has_none and is_whole)):
            raise WrongOutput(f"output '{spec.name}': declared as {spec.datatype}, but the function gave {values.dtype}")
        if is_whole and values.size > 0:
            bounds = numpy.iinfo(dtype)
            if int(values.min()) < bounds.min or int(values.max()) > bounds.max:
                raise WrongOutput(f"output '{spec.name}': a value does not fit {spec.datatype}")
        with numpy.errstate(over="ignore"):
            values = values.astype(dtype)
    shape = list(values.shape)
    values = numpy.ascontiguousarray(values)
    if spec.datatype == "BF16":
        values = _round_to_bf16(values)
    return shape, memoryview(values.reshape(-1).view("uint8")) if values.size else b""


def _round_to_bf16(values):
    bits = values.view("uint32")
    rounded = ((bits.astype("uint64") + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("uint16")
    return numpy.where(numpy.isnan(values), numpy.uint16(0x7FC0), rounded)


def _object_array(values, shape):
    filled = numpy.empty(len(values), dtype=object)
    filled[:] = values
    return filled.reshape(shape)


# The standard library


def _read_numbers(datatype, section):
    if datatype == "BF16":
        halves = array.array("H", bytes(section))
        return list(struct.unpack(f"<{len(halves)}f", b"".join(b"\0\0" + struct.pack("<H", half) for half in halves)))
    if datatype == "FP16":
        return list(struct.unpack(f"<{len(section) // 2}e", section))
    values = array.array(_CODES[datatype][0])
    values.frombytes(section)
    return [value != 0 for value in values] if datatype == "BOOL" else values.tolist()


def _write_numbers(spec, values):
    datatype = spec.datatype
    try:
        if datatype == "BOOL":
            return bytes(_as_bool(value) for value in values)
        if datatype in _FLOATS:
            return _write_floats(datatype, [_as_float(value) for value in values])
        return array.array(_CODES[datatype][0], [_as_integer(value) for value in values]).tobytes()
    except OverflowError:
        raise WrongOutput(f"output '{spec.name}': a value does not fit {datatype}") from None
    except TypeError as error:
        raise WrongOutput(f"output '{spec.name}': declared as {datatype}, but the function gave {error}") from None


def _write_floats(datatype, values):
    if datatype == "FP64":
        return array.array("d", values).tobytes()
    if datatype == "FP32":
        return array.array("f", values).tobytes()  # beyond its range: infinity, as NumPy has it
    if datatype == "FP16":
        return b"".join(_half(value) for value in values)
    return b"".join(_brain(value) for value in values)


def _half(value):
    try:
        return struct.pack("<e", value)
    except OverflowError:
        return struct.pack("<e", float("inf") if value > 0 else float("-inf"))


def _brain(value):
    if value != value:
        return b"\xc0\x7f"
    (bits,) = struct.unpack("<I", array.array("f", [value]).tobytes())
    return struct.pack("<H", (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16)


def _as_bool(value):
    if isinstance(value, bool) or (isinstance(value, int) and value in (0, 1)):
        return int(value)
    raise TypeError(type(value).__name__)


def _as_integer(value):
    try:
        return value.__index__()
    except AttributeError:
        raise TypeError(type(value).__name__) from None


def _as_float(value):
    if isinstance(value, (int, float)):
        return float(value)
    if hasattr(type(value), "__float__"):
        return float(value)
    raise TypeError(type(value).__name__)


# Texts and nesting


def _read_texts(spec, section):
    values, at = [], 0
    while at < len(section):
        (length,) = _LENGTH.unpack_from(section, at)
        at += _LENGTH.size
        element = bytes(section[at : at + length])
        at += length
        if spec.element is not bytes:
            try:
                element = element.decode()
            except UnicodeDecodeError:
                raise InvalidInput(f"input '{spec.name}': element {len(values)} is no UTF-8 text") from None
        values.append(element)
    return values


def _write_texts(spec, values):
    parts = []
    for value in values:
        if isinstance(value, str):
            value = value.encode("utf-8", "replace")
        elif not isinstance(value, (bytes, bytearray)):
            raise WrongOutput(f"output '{spec.name}': declared as BYTES, but the function gave {type(value).__name__}")
        parts.append(_LENGTH.pack(len(value)))
        parts.append(value)
    return b"".join(parts)


def _nest(values, shape):
    if not shape:
        return values[0]
    for axis in range(len(shape) - 1, 0, -1):
        size, count = shape[axis], 1
        for before in shape[:axis]:
            count *= before
        values = [values[at * size : (at + 1) * size] for at in range(count)]
    return values


def _flatten(spec, value):
    """Shape and elements of nested lists, which must not be ragged. Text and bytes are elements."""
    if numpy is not None and isinstance(value, numpy.ndarray):
        value = value.tolist()
    shape, level = [], [value]
    while level and all(_is_list(one) for one in level):
        if len({len(one) for one in level}) > 1:
            raise WrongOutput(f"output '{spec.name}': lists of different lengths stand beside each other")
        shape.append(len(level[0]))
        level = [element for one in level for element in one]
    if any(_is_list(one) for one in level):
        raise WrongOutput(f"output '{spec.name}': lists and values stand beside each other")
    # Nothing is known of axes behind an empty one.
    if not level:
        shape += [0 if size == -1 else size for size in spec.shape[len(shape) :]]
    return shape, level


def _is_list(value):
    return isinstance(value, (list, tuple, array.array)) or (numpy is not None and isinstance(value, numpy.ndarray))
