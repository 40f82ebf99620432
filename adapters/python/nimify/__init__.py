"""What a served Python file may import: `import nimify`. It need not.

Works without nimify running, so a file that uses it can be tested like any other: put the folder above this one
into PYTHONPATH.
"""

__all__ = ["InvalidInput", "model"]


class InvalidInput(ValueError):
    """Raise it where the request's values are at fault: the client gets the message, with code INVALID_INPUT."""


def model(*, inputs=None, outputs=None, batchable=False, deterministic=False):
    """Declares what the decorated function takes and gives.

    `inputs` and `outputs` map names to specs such as "FP32[batch,4]": a datatype of the Open Inference Protocol,
    then dimensions, each a number, a name, or -1. Left out, they are read from the annotations.
    `batchable`: rows along the first dimension are independent, so that nimify may join requests (it tries this out).
    `deterministic`: equal requests get equal answers, so that answers may be cached.
    """

    def declare(function):
        function.signature = {
            "inputs": inputs,
            "outputs": outputs,
            "batchable": batchable,
            "deterministic": deterministic,
        }
        return function

    return declare
