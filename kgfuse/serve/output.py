"""Answers on their way out of a query process: frames of a good size, and never more than is allowed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from kgfuse.serve import frames
from kgfuse.serve.rowcount import RowCounter

_CHUNK: Final = 128 * 1024


class LimitError(Exception):
    """An answer grew past its limit."""


class Output:
    """Binary file that sends frames, and stops an answer that grows too large.

    A short answer leaves in one piece: head, data and end.

    Args:
        send: writes to the endpoint.
        media: media type of the answer.
        max_rows: rows that it may have; ``None`` where somebody else counts.
        max_bytes: bytes that it may have.
        status: HTTP status.
    """

    def __init__(
        self, send: Callable[[bytes], None], media: str, max_rows: int | None, max_bytes: int, status: int = 200
    ) -> None:
        self._send, self._head = send, frames.pack_json({"status": status, "media": media})
        self._buffer = bytearray()
        self._sent = 0
        self._max_rows, self._max_bytes = max_rows, max_bytes
        self._rows = RowCounter(media) if max_rows is not None else None

    def write(self, data: bytes) -> int:
        """Take a piece of the answer.

        Raises:
            LimitError: it is one too many.
        """
        self._sent += len(data)
        if self._sent > self._max_bytes:
            raise LimitError(f"the answer is larger than {self._max_bytes:,} bytes")
        if self._rows is not None and self._max_rows is not None:
            self._rows.feed(data)
            if self._rows.rows > self._max_rows:
                raise LimitError(f"the answer has more than {self._max_rows:,} rows")
        self._buffer += data
        if len(self._buffer) >= _CHUNK:
            self._send(self._taken())
        return len(data)

    def flush(self) -> None:
        """Frames are sent as they fill up."""

    def end(self) -> None:
        """Send what is left, and that it is complete."""
        self._send(self._taken() + frames.pack_json({"end": True}))

    def _taken(self) -> bytes:
        taken = self._head + (frames.pack(frames.DATA, self._buffer) if self._buffer else b"")
        self._head = b""
        self._buffer.clear()
        return taken


def failure(status: int, message: str) -> dict[str, Any]:
    """The end of an answer that failed."""
    return {"end": True, "status": status, "message": message}
