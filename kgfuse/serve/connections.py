"""Connections that make no progress are cut: half a request, or an answer that nobody takes, holds nothing for long."""

from __future__ import annotations

import asyncio
import socket
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

MAX_CONNECTIONS: Final = 512
_PATIENCE_S: Final = 10.0
_LONGEST_HEAD: Final = 64 * 1024  # a query in a URL may be that long


def server_config(app: ASGIApp, *, patience_s: float = _PATIENCE_S, **options: Any) -> uvicorn.Config:
    """How uvicorn serves the endpoint.

    Args:
        app: the application.
        patience_s: seconds for the head of a request to arrive, and for a client to take a part of its answer.
        options: further ones of `uvicorn.Config`.
    """
    return uvicorn.Config(
        app,
        http=_patient(patience_s),
        ws="none",
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=MAX_CONNECTIONS,
        h11_max_incomplete_event_size=_LONGEST_HEAD,
        **options,
    )


def _patient(patience_s: float) -> type[H11Protocol]:
    return type("PatientProtocol", (PatientProtocol,), {"patience_s": patience_s})


class PatientProtocol(H11Protocol):
    """uvicorn's HTTP/1.1 with two more clocks: for the head of a request, and for an answer that is not taken."""

    patience_s = _PATIENCE_S
    _clocks: dict[str, asyncio.TimerHandle]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock of the first request."""
        super().connection_made(transport)
        # asyncio does so for sockets that it makes itself; without, an answer's second part waits for an ACK
        sock = transport.get_extra_info("socket")
        if sock is not None and sock.family in (socket.AF_INET, socket.AF_INET6):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._clocks = {}
        self._start("head")

    def data_received(self, data: bytes) -> None:
        """Take in a part of a request; the clock runs from its first byte to the end of its head."""
        before = self.cycle
        super().data_received(data)
        if self.cycle is not before or not self._between():
            self._stop("head")
        else:
            self._start("head")

    def pause_writing(self) -> None:
        """The client is slower than the answer: it has so long to take some."""
        super().pause_writing()
        self._start("answer")

    def resume_writing(self) -> None:
        """It took some."""
        super().resume_writing()
        self._stop("answer")

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clocks."""
        self._stop("head")
        self._stop("answer")
        super().connection_lost(exc)

    def _between(self) -> bool:
        """Whether no request is being answered."""
        return self.cycle is None or self.cycle.response_complete

    def _start(self, clock: str) -> None:
        if clock not in self._clocks:  # abort, not close: that would wait for the client
            self._clocks[clock] = self.loop.call_later(self.patience_s, self.transport.abort)

    def _stop(self, clock: str) -> None:
        if (running := self._clocks.pop(clock, None)) is not None:
            running.cancel()
