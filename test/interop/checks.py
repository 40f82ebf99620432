"""What the scripts of this folder check with, and the values that every datatype has to carry unchanged."""

import numpy as np
from tritonclient.utils import InferenceServerException

ARRAYS = {
    "bool": np.array([[True, False, True]]),
    "uint8": np.array([[0, 128, 255]], np.uint8),
    "uint16": np.array([[0, 32768, 65535]], np.uint16),
    "uint32": np.array([[0, 2**31, 2**32 - 1]], np.uint32),
    "uint64": np.array([[0, 2**53 + 1, 2**64 - 1]], np.uint64),
    "int8": np.array([[-128, 0, 127]], np.int8),
    "int16": np.array([[-32768, 0, 32767]], np.int16),
    "int32": np.array([[-(2**31), 0, 2**31 - 1]], np.int32),
    "int64": np.array([[-(2**63), 2**53 + 1, 2**63 - 1]], np.int64),
    "float16": np.array([[65504.0, -0.1, np.inf]], np.float16),
    "float32": np.array([[3.4028235e38, 1e-45, -0.0]], np.float32),
    "float64": np.array([[1.7976931348623157e308, 5e-324, np.nan]], np.float64),
    "object": np.array([["", "plain", "日本語"]], object),
}

_held = 0


def check(condition, what):
    """Raises AssertionError(what) unless the condition is true."""
    global _held
    if not condition:
        raise AssertionError(what)
    _held += 1


def check_same(got, array, what):
    """The same shape and values, NaN included; strings may come as UTF-8."""
    if array.dtype == object:
        got = np.vectorize(lambda item: item.decode() if isinstance(item, bytes) else item, otypes=[object])(got)
    what = f"{what}: {got}"
    check(got.shape == array.shape, what)
    check(np.array_equal(got, array, equal_nan=array.dtype.kind == "f"), what)


def check_refused(call, status, words):
    """`status` as Triton's clients have it: '404', or 'StatusCode.NOT_FOUND'; `words` stand in the message."""
    try:
        got = call()
    except InferenceServerException as refusal:
        check(refusal.status() == status and words in refusal.message(), refusal)
    else:
        raise AssertionError(f"expected {status}: {words}; got {got}")


def print_held():
    """The last line of a script: the tests that start it look for it."""
    print(f"{_held} checks held")
