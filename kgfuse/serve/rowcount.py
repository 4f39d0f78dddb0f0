"""Rows in a stream of SPARQL results, counted exactly as the bytes go by."""

from __future__ import annotations

import re
from typing import Final

_JSON_ESCAPE: Final = re.compile(rb"\\.", re.DOTALL)


class RowCounter:
    r"""Counts the rows of one result in the form that Oxigraph writes it.

    >>> counter = RowCounter("text/csv")
    >>> counter.feed(b'name\r\n"two\nlines"\r\n')
    >>> counter.rows
    1
    """

    def __init__(self, media: str) -> None:
        self.rows = 0
        self._tail = self._bare = b""
        self._quotes = 0
        self._header = True
        self.feed = {
            "text/csv": self._csv,
            "text/tab-separated-values": self._tsv,
        }.get(media, self._json if media.endswith("json") else self._xml)

    def _tsv(self, data: bytes) -> None:  # line ends inside values are escaped
        self._lines(data.count(b"\n"))

    def _csv(self, data: bytes) -> None:  # a line end counts outside quotes; doubled quotes keep the parity
        lines = 0
        for i, piece in enumerate(data.split(b'"')):
            self._quotes ^= i > 0
            lines += 0 if self._quotes else piece.count(b"\n")
        self._lines(lines)

    def _lines(self, lines: int) -> None:
        if lines and self._header:
            self._header = False
            lines -= 1
        self.rows += lines

    def _xml(self, data: bytes) -> None:  # "<" inside values is escaped
        data = self._tail + data
        self.rows += data.count(b"<result>")
        self._tail = data[-7:]

    def _json(self, data: bytes) -> None:  # with strings taken out, "},{" stands between rows only
        data = self._tail + data
        if b"\\" in data:
            kept = len(data) - len(data.rstrip(b"\\"))  # an escape may go on in the next piece
            data, self._tail = data[: len(data) - kept], data[len(data) - kept :]
            data = _JSON_ESCAPE.sub(b"", data)
        else:
            self._tail = b""
        pieces = data.split(b'"')
        bare = self._bare + b"".join(pieces[self._quotes :: 2])
        self._quotes ^= (len(pieces) - 1) & 1
        self.rows += bare.count(b"},{")
        if self._header and b"[{" in bare:
            self._header = False
            self.rows += 1
        self._bare = bare[-2:]
