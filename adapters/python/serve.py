"""Serves a Python function to nimify: `python serve.py model.py [function]`, started by nimify itself.

Standard library only. The parts: nimify/_wire.py speaks docs/engine-protocol.md, _signature.py reads what the
function takes and gives, _tensors.py turns bytes into values and back, _model.py imports and calls the function.
"""

import sys

if sys.version_info < (3, 9):
    import json
    import os
    import struct

    MESSAGE = ("nimify needs Python 3.9 or newer, and %s is %s; name another interpreter with --python"
               % (sys.executable, sys.version.split()[0]))
    if "NIMIFY_ENGINE_FD" in os.environ:
        TEXT = json.dumps({"code": "UNSUPPORTED", "error": MESSAGE}).encode()
        FRAME = b"NIM\4" + struct.pack("<III", len(TEXT), len(TEXT), 0) + TEXT
        os.write(int(os.environ["NIMIFY_ENGINE_FD"]), FRAME)
    sys.exit(MESSAGE)

from nimify._serve import main  # noqa: E402  (older versions cannot even parse it)

main(sys.argv[1:])
