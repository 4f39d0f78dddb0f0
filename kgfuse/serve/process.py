"""A query process as the endpoint sees it: requests go in, frames come out, and it can be killed at any moment."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections import deque
from typing import Any, Final, cast

from kgfuse.serve import frames
from kgfuse.serve.snapshots import Snapshot

_AHEAD: Final = 1024 * 1024  # bytes of an answer that wait for a slow client before the process has to wait too
_LAST_WORDS_S: Final = 1.0


class GoneError(Exception):
    """The process ended before its answer did; the message says what is known of the reason."""


class QueryProcess(asyncio.SubprocessProtocol):
    """One ``kgfuse.serve.worker`` over one snapshot."""

    def __init__(self, snapshot: Snapshot, memory_mb: int) -> None:
        self.snapshot, self.memory_mb = snapshot, memory_mb
        self._buffer = bytearray()
        self._frames: deque[tuple[int, bytes]] = deque()
        self._held = 0
        self._paused = False
        self._ended = False
        self._waiter: asyncio.Future[None] | None = None
        self._exited = asyncio.get_running_loop().create_future()
        self._transport: asyncio.SubprocessTransport | None = None

    @classmethod
    async def start(cls, snapshot: Snapshot, memory_mb: int, settings: dict[str, Any]) -> QueryProcess:
        """Start a process and wait until it has opened its snapshot.

        Args:
            snapshot: what it reads.
            memory_mb: by how much it may grow.
            settings: what holds for all its queries.

        Raises:
            GoneError: it cannot open the snapshot.
        """
        loop = asyncio.get_running_loop()
        command = (sys.executable, "-m", "kgfuse.serve.worker", str(snapshot.path), str(memory_mb))
        transport, protocol = await loop.subprocess_exec(
            lambda: cls(snapshot, memory_mb), *command, stderr=asyncio.subprocess.DEVNULL
        )
        protocol._transport = transport
        try:
            protocol.send(settings)
            await protocol.receive()
        except BaseException:
            protocol.kill()
            raise
        return protocol

    @property
    def alive(self) -> bool:
        """Whether it can take a request."""
        return not self._ended and self._transport is not None and self._transport.get_returncode() is None

    def send(self, request: dict[str, Any]) -> None:
        """Hand it a request; a process that is gone is noticed by ``receive``."""
        if self.alive:
            cast(asyncio.WriteTransport, self._pipe(0)).write(frames.pack_json(request))

    async def receive(self) -> tuple[int, bytes]:
        """The next frame of its answer.

        Raises:
            GoneError: it ended.
        """
        while not self._frames:
            if self._ended:
                raise GoneError(await self._reason())
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        kind, payload = self._frames.popleft()
        self._held -= len(payload)
        if self._paused and self._held < _AHEAD:
            self._paused = False
            cast(asyncio.ReadTransport, self._pipe(1)).resume_reading()
        return kind, payload

    def kill(self) -> None:
        """End it now, in the middle of whatever it does."""
        self._ended = True
        if self._transport is not None:
            self._transport.close()  # kills, closes the pipes, and leaves the reaping to the loop
        self._wake()

    async def gone(self) -> None:
        """Wait until it has ended."""
        await self._exited

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Take in what the process wrote (called by asyncio)."""
        self._buffer += data
        for kind, payload in frames.take(self._buffer):
            self._frames.append((kind, payload))
            self._held += len(payload)
        if self._held + len(self._buffer) > 2 * _AHEAD and not self._paused and not self._ended:
            self._paused = True
            cast(asyncio.ReadTransport, self._pipe(1)).pause_reading()
        self._wake()

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        """Notice that nothing more will come (called by asyncio)."""
        if fd == 1:
            self._ended = True
            self._wake()

    def process_exited(self) -> None:
        """Notice the end (called by asyncio)."""
        if not self._exited.done():
            self._exited.set_result(None)

    def _pipe(self, fd: int) -> asyncio.BaseTransport | None:
        return self._transport.get_pipe_transport(fd) if self._transport is not None else None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _reason(self) -> str:
        await asyncio.wait({self._exited}, timeout=_LAST_WORDS_S)
        code = self._transport.get_returncode() if self._transport is not None else None
        if code is not None and -code in (signal.SIGSEGV, signal.SIGBUS):
            return "the engine ran out of stack and its process was replaced: the query is nested too deeply"
        return f"the query took more than {self.memory_mb:,} MB of memory and was stopped"
