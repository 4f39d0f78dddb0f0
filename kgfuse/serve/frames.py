"""Messages between the endpoint and its workers: a length, then bytes. Nothing is pickled."""

from __future__ import annotations

import asyncio
import json
import struct
from typing import IO, Any, Final

_LENGTH: Final = struct.Struct("!IB")
JSON, DATA = 0, 1


def pack(kind: int, payload: bytes) -> bytes:
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


async def receive(stream: asyncio.StreamReader) -> tuple[int, bytes]:
    """The next frame.

    Raises:
        asyncio.IncompleteReadError: the other side is gone.
    """
    length, kind = _LENGTH.unpack(await stream.readexactly(_LENGTH.size))
    return kind, await stream.readexactly(length)
