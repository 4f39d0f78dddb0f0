"""Messages between the endpoint and its workers: a length, then bytes. Nothing is pickled."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from typing import IO, Any, Final

_LENGTH: Final = struct.Struct("!IB")
JSON, DATA = 0, 1


def pack(kind: int, payload: bytes | bytearray) -> bytes:
    """One frame."""
    return _LENGTH.pack(len(payload), kind) + payload


def pack_json(message: dict[str, Any]) -> bytes:
    """One frame that holds a message."""
    return pack(JSON, json.dumps(message).encode())


def read(stream: IO[bytes]) -> dict[str, Any] | None:
    """The next message; ``None`` at the end of the stream."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    length, _ = _LENGTH.unpack(head)
    message: dict[str, Any] = json.loads(stream.read(length))
    return message


def take(buffer: bytearray) -> Iterator[tuple[int, bytes]]:
    """Take the frames that are complete out of a buffer.

    >>> buffer = bytearray(pack(DATA, b"row") + pack(DATA, b"cut off")[:-1])
    >>> list(take(buffer)), len(buffer)
    ([(1, b'row')], 11)
    """
    start = 0
    try:
        while len(buffer) - start >= _LENGTH.size:
            length, kind = _LENGTH.unpack_from(buffer, start)
            end = start + _LENGTH.size + length
            if len(buffer) < end:
                break
            payload = bytes(memoryview(buffer)[start + _LENGTH.size : end])
            start = end
            yield kind, payload
    finally:
        del buffer[:start]
