"""A small pool of query processes: one query each at a time; one that overruns is killed and replaced."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Final

from kgfuse.errors import KgfuseError
from kgfuse.serve import frames
from kgfuse.serve.process import GoneError, QueryProcess
from kgfuse.serve.snapshots import Snapshot, SnapshotProvider

CLIENT_LEFT: Final = 499  # nobody sees it
_HEAD_BYTES: Final = 256 * 1024  # an answer that ends within them is sent whole, with its true status
_LOOK_EVERY: Final = 0.25  # seconds for which an answer of the snapshot provider is good


@dataclass(frozen=True, slots=True)
class Limits:
    """What one query may take.

    Args:
        timeout_s: seconds from the start of the query to the last byte of its answer.
        max_rows: rows or triples of an answer.
        max_bytes: bytes of an answer.
        memory_mb: by how much a query process may grow.
        workers: queries at a time.
        max_queue: queries that may wait for their turn.
    """

    timeout_s: float = 10.0
    max_rows: int = 100_000
    max_bytes: int = 64 * 1024 * 1024
    memory_mb: int = 1024
    workers: int = 2
    max_queue: int = 16


class RefusedError(Exception):
    """A query that gets no answer: HTTP status and message; ``retry`` where the same may work in a moment."""

    def __init__(self, status: int, message: str, *, retry: bool = False) -> None:
        self.status, self.message, self.retry = status, message, retry
        super().__init__(message)


class Answer:
    """An answer as it comes: a head, then data. It must be closed, whatever happens.

    A clock stops it even while nobody reads, so that a client that takes nothing holds no process for long.
    """

    def __init__(self, pool: Pool, process: QueryProcess) -> None:
        self._pool, self._process = pool, process
        self._late = self._closed = self._left = False
        self.status, self.media, self.head, self.complete = 200, "", b"", False
        loop = asyncio.get_running_loop()
        self._clock = loop.call_later(pool.limits.timeout_s, self._overrun)

    async def begin(self) -> None:
        """Read ahead until the answer is complete or known to be long.

        Raises:
            RefusedError: the query is wrong or not allowed, or ran past a limit.
        """
        data = bytearray()
        while len(data) < _HEAD_BYTES and (piece := await self.more()):
            data += piece
        self.head = bytes(data)

    async def more(self) -> bytes:
        """The next piece; empty at the end.

        Raises:
            RefusedError: a limit struck.
        """
        while not self.complete:
            try:
                kind, payload = await self._process.receive()
            except GoneError as gone:
                if self._left:
                    raise RefusedError(CLIENT_LEFT, "the client left") from gone
                if self._late:
                    seconds = self._pool.limits.timeout_s
                    raise RefusedError(504, f"the query ran longer than {seconds:g} s and was stopped") from gone
                raise RefusedError(500, str(gone)) from gone
            if kind == frames.DATA:
                return payload
            message: dict[str, Any] = json.loads(payload)
            if message.get("end"):
                self.complete = True
                self.close()
                if "status" in message:
                    raise RefusedError(message["status"], message["message"])
            else:
                self.status, self.media = message["status"], message["media"]
        return b""

    def close(self) -> None:
        """Give the process back, or end it where it is still at work."""
        if not self._closed:
            self._closed = True
            self._clock.cancel()
            self._pool.give_back(self._process, reusable=self.complete)

    def abandon(self) -> None:
        """End it because nobody waits for it any more."""
        self._left = True
        self.close()

    def _overrun(self) -> None:
        self._late = True
        self.close()


class Pool:
    """Query processes over the newest snapshot, kept ready.

    Args:
        provider: gives the newest snapshot.
        limits: what one query may take.
        prefixes: prefixes that queries may use undeclared.
    """

    def __init__(self, provider: SnapshotProvider, limits: Limits, prefixes: Mapping[str, str]) -> None:
        self._provider, self.limits = provider, limits
        self._settings = {
            "prefixes": dict(prefixes),
            "max_rows": limits.max_rows,
            "max_bytes": limits.max_bytes,
        }
        self._idle: list[QueryProcess] = []
        self._all: set[QueryProcess] = set()
        self._turns = asyncio.Semaphore(limits.workers)
        self._waiting = 0
        self._snapshot: Snapshot | None = None
        self._looked = 0.0
        self._looking: asyncio.Task[Snapshot] | None = None
        self._chores: set[asyncio.Task[None]] = set()
        self._open = True

    async def warm(self) -> None:
        """Start all processes; where that fails, the first query will say why."""
        await asyncio.gather(*(self._add_idle() for _ in range(self.limits.workers)))

    async def run(self, request: Mapping[str, Any]) -> Answer:
        """Run one request.

        Raises:
            RefusedError: too many are waiting, the query is wrong or not allowed, or it ran past a limit.
        """
        await self._turn()
        try:
            process = await self._checkout()
        except BaseException:
            self._turns.release()
            raise
        answer = Answer(self, process)
        try:
            process.send(dict(request))
            await answer.begin()
        except BaseException:
            answer.close()
            raise
        return answer

    async def snapshot(self) -> Snapshot:
        """The newest snapshot, as of a moment ago.

        Raises:
            RefusedError: there is none.
        """
        now = asyncio.get_running_loop().time()
        if self._snapshot is None or now - self._looked >= _LOOK_EVERY:
            if self._looking is None:
                self._looking = asyncio.create_task(self._look())
            try:
                await asyncio.shield(self._looking)
            except KgfuseError as error:
                raise RefusedError(503, error.message, retry=True) from error
        assert self._snapshot is not None
        return self._snapshot

    def give_back(self, process: QueryProcess, *, reusable: bool) -> None:
        """Take a process back, or replace it; the turn that it held is free once another query can be run."""
        if reusable and process.alive:
            self._idle.append(process)
            self._turns.release()
            return
        process.kill()
        self._all.discard(process)
        if self._open:
            self._chore(self._replace())

    async def close(self) -> None:
        """Kill all processes."""
        self._open = False
        chores: list[asyncio.Task[Any]] = list(self._chores)
        for chore in chores:
            chore.cancel()
        if self._looking is not None:  # a thread is at it: it ends by itself
            chores.append(self._looking)
        await asyncio.gather(*chores, return_exceptions=True)
        for process in self._all:
            process.kill()
        await asyncio.gather(*(process.gone() for process in self._all))
        self._idle.clear()

    async def _turn(self) -> None:
        if not self._turns.locked():
            await self._turns.acquire()  # at once
            return
        if self._waiting >= self.limits.max_queue:
            raise RefusedError(503, "too many queries are waiting (try again in a moment)", retry=True)
        self._waiting += 1
        try:
            async with asyncio.timeout(self.limits.timeout_s):
                await self._turns.acquire()
        except TimeoutError as error:
            text = "no query process became free in time (try again in a moment)"
            raise RefusedError(503, text, retry=True) from error
        finally:
            self._waiting -= 1

    async def _checkout(self) -> QueryProcess:
        snapshot = await self.snapshot()
        while self._idle:
            process = self._idle.pop()
            if process.snapshot.version == snapshot.version and process.alive:
                return process
            process.kill()
            self._all.discard(process)
        return await self._start(snapshot)

    async def _start(self, snapshot: Snapshot) -> QueryProcess:
        try:
            async with asyncio.timeout(max(self.limits.timeout_s, 10.0)):
                process = await QueryProcess.start(snapshot, self.limits.memory_mb, self._settings)
        except (GoneError, OSError, TimeoutError) as error:
            raise RefusedError(503, "the graph's snapshot cannot be opened", retry=True) from error
        self._all.add(process)
        return process

    async def _replace(self) -> None:
        try:
            await self._add_idle()
        finally:
            self._turns.release()

    async def _add_idle(self) -> None:
        try:
            self._idle.append(await self._start(await self.snapshot()))
        except RefusedError:
            return

    async def _look(self) -> Snapshot:
        try:
            self._snapshot = await asyncio.to_thread(self._provider)
            self._looked = asyncio.get_running_loop().time()
            return self._snapshot
        finally:
            self._looking = None

    def _chore(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)
