"""Typed client of models behind the Open Inference Protocol. Needs `requests`; uses NumPy where it is installed."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Sequence as AbstractSequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional, Sequence, Tuple, Type, TypeVar, Union
from urllib.parse import quote

import requests

try:
    import numpy as _np
except ImportError:
    _np = None  # type: ignore[assignment]

if TYPE_CHECKING:
    import numpy as _numpy

#: What inputs may be: NumPy arrays (or whatever turns into one), nested lists, or one value where there is no dimension.
Floats = Union["_numpy.ndarray[Any, Any]", float, Sequence[Any]]
Integers = Union["_numpy.ndarray[Any, Any]", int, Sequence[Any]]
Booleans = Union["_numpy.ndarray[Any, Any]", bool, Sequence[Any]]
Texts = Union["_numpy.ndarray[Any, Any]", str, bytes, Sequence[Any]]


_Outputs = TypeVar("_Outputs")


class InferenceError(Exception):
    """Why there is no answer.

    `code` is the server's where it sent one, such as INVALID_INPUT, MODEL_NOT_FOUND, OVERLOADED; else MODEL_NOT_READY
    where there is no connection, DEADLINE_EXCEEDED, or HTTP_ and the status.
    """

    def __init__(
        self,
        code: str,
        message: str,
        status: Optional[int] = None,
        details: Any = None,
        retry_after: Optional[float] = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        #: HTTP status; None where the server did not answer.
        self.status = status
        #: Where the request is wrong, what was expected and what came.
        self.details = details
        #: When to try again, in seconds, where the server says it.
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


@dataclass(frozen=True)
class Options:
    """What one call may ask for."""

    #: Default: the server's choice, the newest.
    version: Optional[str] = None
    #: Longest time, in seconds; the server is told too. Default: the client's.
    timeout: Optional[float] = None


class Tensor:
    """An output: its dimensions, and its elements in row-major order."""

    __slots__ = ("datatype", "name", "raw", "shape")

    def __init__(self, name: str, datatype: str, shape: Tuple[int, ...], raw: memoryview) -> None:
        self.name = name
        self.datatype = datatype
        self.shape = shape
        #: The elements as they came: little-endian, of BYTES each with its length before it.
        self.raw = raw

    def values(self) -> List[Any]:
        """The elements in one list. Bytes that are no UTF-8 stay in the text as surrogate escapes (PEP 383)."""
        return _unpack(self.datatype, self.raw)

    def tolist(self) -> Any:
        """The elements in lists within lists, as the shape says; the element itself where it has no dimension."""
        return _nest(self.values(), self.shape)

    def numpy(self) -> "_numpy.ndarray[Any, Any]":
        """A read-only view over the answer where there is a type for it in NumPy; BYTES are objects, BF16 are float32."""
        if _np is None:
            raise ImportError("NumPy is not installed; tolist() and values() do without it")
        if self.datatype == "BYTES":
            return _np.array(self.values(), dtype=object).reshape(self.shape)
        if self.datatype == "BF16":
            bits = _np.frombuffer(self.raw, dtype="<u2").astype("<u4") << 16
            return bits.view("<f4").reshape(self.shape)
        return _np.frombuffer(self.raw, dtype=_DTYPES[self.datatype]).reshape(self.shape)

    def __array__(self, dtype: Any = None, copy: Optional[bool] = None) -> "_numpy.ndarray[Any, Any]":
        array = self.numpy()
        if dtype is not None and array.dtype != dtype:
            return array.astype(dtype)
        return array.copy() if copy else array

    def __repr__(self) -> str:
        return f"Tensor({self.name!r}, {self.datatype}, shape={list(self.shape)})"


#: Formats of `struct` and types of NumPy.
_FORMATS = {
    "BOOL": "?",
    "UINT8": "B",
    "UINT16": "H",
    "UINT32": "I",
    "UINT64": "Q",
    "INT8": "b",
    "INT16": "h",
    "INT32": "i",
    "INT64": "q",
    "FP16": "e",
    "FP32": "f",
    "FP64": "d",
}
_DTYPES = {
    "BOOL": "?",
    "UINT8": "u1",
    "UINT16": "<u2",
    "UINT32": "<u4",
    "UINT64": "<u8",
    "INT8": "i1",
    "INT16": "<i2",
    "INT32": "<i4",
    "INT64": "<i8",
    "FP16": "<f2",
    "FP32": "<f4",
    "FP64": "<f8",
}


def _encode(name: str, datatype: str, value: Any) -> Tuple[List[int], bytes]:
    """The shape and the elements of an input. What one model answered may go to the next as it is."""
    if isinstance(value, Tensor) and value.datatype == datatype:
        return list(value.shape), bytes(value.raw)
    if _np is not None and hasattr(value, "__array__"):
        return _encode_array(name, datatype, _np.asarray(value))
    shape, flat = _flatten(name, value)
    try:
        return shape, _pack(datatype, flat)
    except (struct.error, OverflowError, TypeError, ValueError) as error:
        raise InferenceError("INVALID_INPUT", f"{name}: expected elements of {datatype}: {error}") from error


def _encode_array(name: str, datatype: str, array: Any) -> Tuple[List[int], bytes]:
    shape = list(array.shape)
    if datatype == "BYTES":
        return shape, _pack(datatype, array.ravel().tolist())
    if datatype == "BF16":
        bits = array.astype("<f4").view("<u4")
        rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16
        return shape, _np.where(_np.isnan(array), 0x7FC0, rounded).astype("<u2").tobytes()
    dtype = _np.dtype(_DTYPES[datatype])
    converted = array.astype(dtype, copy=False)
    # Fractions, and integers that the type does not hold, must not be changed in silence.
    if not _np.can_cast(array.dtype, dtype, "same_kind") or (dtype.kind in "iu" and (converted != array).any()):
        raise InferenceError("INVALID_INPUT", f"{name}: expected {datatype}, got an array of {array.dtype}")
    return shape, converted.tobytes()


def _flatten(name: str, value: Any) -> Tuple[List[int], List[Any]]:
    shape: List[int] = []
    level = [value]
    while level and _is_list(level[0]):
        length = len(level[0])
        if any(not _is_list(row) or len(row) != length for row in level):
            raise InferenceError("INVALID_INPUT", f"{name}: expected rows of one length at depth {len(shape)}")
        shape.append(length)
        level = [element for row in level for element in row]
    if any(_is_list(element) for element in level):
        raise InferenceError("INVALID_INPUT", f"{name}: expected rows of one length at depth {len(shape)}")
    return shape, level


def _is_list(value: Any) -> bool:
    return isinstance(value, AbstractSequence) and not isinstance(value, (str, bytes, bytearray, memoryview))


def _pack(datatype: str, flat: Sequence[Any]) -> bytes:
    if datatype == "BYTES":
        elements = [
            element.encode("utf-8", "surrogateescape") if isinstance(element, str) else bytes(memoryview(element))
            for element in flat
        ]
        return b"".join(part for element in elements for part in (struct.pack("<I", len(element)), element))
    if datatype == "BF16":
        return struct.pack(f"<{len(flat)}H", *(_to_bfloat16(element) for element in flat))
    return struct.pack(f"<{len(flat)}{_FORMATS[datatype]}", *flat)


def _to_bfloat16(value: float) -> int:
    """The nearest number that BF16 has, ties to even: the upper half of its FP32."""
    if math.isnan(value):
        return 0x7FC0
    bits: int = struct.unpack("<I", struct.pack("<f", value))[0]
    return (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16


def _unpack(datatype: str, raw: memoryview) -> List[Any]:
    if datatype == "BYTES":
        texts: List[Any] = []
        at = 0
        while at < len(raw):
            (length,) = struct.unpack_from("<I", raw, at)
            texts.append(str(raw[at + 4 : at + 4 + length], "utf-8", "surrogateescape"))
            at += 4 + length
        return texts
    if datatype == "BF16":
        bits = struct.unpack(f"<{len(raw) // 2}H", raw)
        return [struct.unpack("<f", struct.pack("<I", one << 16))[0] for one in bits]
    size = struct.calcsize(f"<{_FORMATS[datatype]}")
    return list(struct.unpack(f"<{len(raw) // size}{_FORMATS[datatype]}", raw))


def _nest(flat: List[Any], shape: Tuple[int, ...]) -> Any:
    if not shape:
        return flat[0]
    if len(shape) == 1:
        return flat
    step = len(flat) // shape[0] if shape[0] else 0
    return [_nest(flat[row * step : (row + 1) * step], shape[1:]) for row in range(shape[0])]


class _Client:
    """What is the same for all models. One thread at a time: that is what a `requests.Session` is made for."""

    def __init__(
        self,
        url: Optional[str] = None,
        *,
        timeout: float = 30.0,
        headers: Optional[Mapping[str, str]] = None,
        session: Optional[requests.Session] = None,
    ) -> None:
        """`url`: address of the server. `timeout`: longest time for one call, in seconds. `headers`: sent with every
        request. `session`: yours, for proxies, certificates or credentials; else one of the client's own."""
        self._url = (url or _DEFAULT_URL).rstrip("/")
        self._timeout = timeout
        self._headers = dict(headers or {})
        self._session = session or requests.Session()

    def ready(self, model: Optional[str] = None, options: Optional[Options] = None) -> bool:
        """Can the server, or one model by its own name, take requests?"""
        path = "/v2/health/ready" if model is None else f"{_path(model, options)}/ready"
        response = self._send("GET", path, None, {}, options)
        if response.ok:
            return True
        if response.status_code in (400, 503):
            return False
        error = _refusal(response)
        if error.code == "MODEL_NOT_FOUND":
            return False
        raise error

    def close(self) -> None:
        """Closes the connections."""
        self._session.close()

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(
        self, make: Type[_Outputs], model: str, values: Sequence[Any], options: Optional[Options]
    ) -> _Outputs:
        inputs, outputs = _MODELS[model]
        described = []
        sections = []
        for (name, datatype), value in zip(inputs, values):
            shape, section = _encode(name, datatype, value)
            parameters = {"binary_data_size": len(section)}
            described.append({"name": name, "datatype": datatype, "shape": shape, "parameters": parameters})
            sections.append(section)
        wanted = [{"name": name, "parameters": {"binary_data": True}} for name in outputs]
        header = json.dumps({"inputs": described, "outputs": wanted}).encode()
        response = self._send(
            "POST",
            f"{_path(model, options)}/infer",
            b"".join([header, *sections]),
            {"content-type": "application/octet-stream", "inference-header-content-length": str(len(header))},
            options,
        )
        if not response.ok:
            raise _refusal(response)
        tensors = _decode(response)
        missing = [name for name in outputs if name not in tensors]
        if missing:
            raise InferenceError("ENGINE_FAILED", f"{response.url} answered without {missing[0]!r}")
        return make(*(tensors[name] for name in outputs))

    def _send(
        self,
        method: str,
        path: str,
        body: Optional[bytes],
        headers: Mapping[str, str],
        options: Optional[Options],
    ) -> requests.Response:
        url = self._url + path
        timeout = self._timeout if options is None or options.timeout is None else options.timeout
        deadline = {"x-request-deadline": f"{max(1, round(timeout * 1000))}ms"}
        try:
            return self._session.request(
                method, url, data=body, headers={**self._headers, **headers, **deadline}, timeout=timeout
            )
        except requests.Timeout as error:
            raise InferenceError("DEADLINE_EXCEEDED", f"{url} did not answer within {timeout} s") from error
        except requests.RequestException as error:
            raise InferenceError("MODEL_NOT_READY", f"{url} cannot be reached") from error


def _path(model: str, options: Optional[Options]) -> str:
    version = None if options is None else options.version
    path = f"/v2/models/{quote(model, safe='')}"
    return path if version is None else f"{path}/versions/{quote(version, safe='')}"


def _decode(response: requests.Response) -> Dict[str, Tensor]:
    body = memoryview(response.content)
    try:
        at = int(response.headers.get("inference-header-content-length", len(body)))
        tensors = {}
        for output in json.loads(bytes(body[:at]))["outputs"]:
            name, datatype = output["name"], output["datatype"]
            size = output.get("parameters", {}).get("binary_data_size")
            if size is None:
                raw = memoryview(_pack(datatype, _from_json(datatype, _flatten(name, output["data"])[1])))
            else:
                raw = body[at : at + size]
                at += size
            tensors[name] = Tensor(name, datatype, tuple(output["shape"]), raw)
        return tensors
    except (KeyError, TypeError, ValueError, struct.error) as error:
        message = f"{response.url} did not answer in the Open Inference Protocol"
        raise InferenceError("ENGINE_FAILED", message) from error


def _from_json(datatype: str, flat: List[Any]) -> List[Any]:
    """JSON has no number for what is not finite: servers write words."""
    return [float(element) for element in flat] if datatype in ("FP16", "BF16", "FP32", "FP64") else flat


def _refusal(response: requests.Response) -> InferenceError:
    """The server's own words and code; proxies have neither."""
    try:
        told = response.json()
    except ValueError:
        told = {}
    if not isinstance(told, dict):
        told = {}
    error, code = told.get("error"), told.get("code")
    seconds = response.headers.get("retry-after", "")
    return InferenceError(
        code if isinstance(code, str) else f"HTTP_{response.status_code}",
        error if isinstance(error, str) else f"{response.url} answered {response.status_code}",
        response.status_code,
        told.get("details"),
        float(seconds) if seconds.isdigit() else None,
    )


# <models>
_DEFAULT_URL = "http://127.0.0.1:8000"


@dataclass(frozen=True)
class IrisOutputs:
    """What the model 'iris' answers."""

    #: INT64 [N]
    label: Tensor


class Client(_Client):
    """Asks the models of a server. Every method raises InferenceError."""

    def iris(self, *, X: Floats, options: Optional[Options] = None) -> IrisOutputs:
        """Asks the model 'iris'.

        X: FP32 [N,4]

        Answers label: INT64 [N].
        """
        return self._ask(IrisOutputs, "iris", (X,), options)


#: Inputs and outputs of each model by their own names.
_MODELS: Dict[str, Tuple[Tuple[Tuple[str, str], ...], Tuple[str, ...]]] = {
    "iris": ((("X", "FP32"),), ("label",)),
}
# </models>
