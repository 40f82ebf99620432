"""Frames of nimify's engine protocol, version 1 (docs/engine-protocol.md), over one file descriptor."""

import json
import os
import struct

VERSION = 1
HELLO, RUN, RESULT, ERROR, PING, PONG, DRAIN, BYE = range(1, 9)

# Magic, kind, length of the message, length of its JSON, id.
_HEAD = struct.Struct("<3sBIII")
_MAGIC = b"NIM"

# A short message goes out in one write: that costs a copy and saves a wake-up of the reader.
_JOIN_BELOW = 64 * 1024


class Wire:
    def __init__(self, descriptor):
        self._descriptor = descriptor

    def read(self):
        """The next frame as (kind, id, JSON as a dict or None, binary data); None at the end of the stream."""
        head = bytearray(_HEAD.size)
        if not self._fill(memoryview(head)):
            return None
        magic, kind, length, json_length, run_id = _HEAD.unpack(head)
        if magic != _MAGIC:
            raise RuntimeError("the other side does not speak nimify's engine protocol")
        body = memoryview(bytearray(length))
        if not self._fill(body):
            return None
        message = json.loads(bytes(body[:json_length])) if json_length > 0 else None
        return kind, run_id, message, body[json_length:]

    def write(self, kind, run_id=0, message=None, sections=()):
        """Sends a frame. `sections` are the binary parts, in the order in which the JSON names them."""
        text = b"" if message is None else json.dumps(message, separators=(",", ":")).encode()
        if sections:
            text += b" " * (-len(text) % 8)
        length = len(text) + sum(len(section) for section in sections)
        head = _HEAD.pack(_MAGIC, kind, length, len(text), run_id) + text
        if length < _JOIN_BELOW:
            self._send(b"".join((head, *sections)))
            return
        self._send(head)
        for section in sections:
            self._send(section)

    def _fill(self, view):
        while len(view) > 0:
            count = os.readv(self._descriptor, [view]) if hasattr(os, "readv") else self._read_into(view)
            if count == 0:
                return False
            view = view[count:]
        return True

    def _read_into(self, view):
        chunk = os.read(self._descriptor, len(view))
        view[: len(chunk)] = chunk
        return len(chunk)

    def _send(self, data):
        view = memoryview(data)
        while len(view) > 0:
            view = view[os.write(self._descriptor, view) :]
