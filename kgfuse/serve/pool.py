"""A small pool of query processes: one query each at a time; one that overruns is killed and replaced."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

from kgfuse.errors import KgfuseError
from kgfuse.serve import frames
from kgfuse.serve.snapshots import Snapshot, SnapshotProvider

_HEAD_BYTES: Final = 256 * 1024  # an answer that ends within them is sent whole, with its true status


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
    """A query that gets no answer: HTTP status and message."""

    def __init__(self, status: int, message: str) -> None:
        self.status, self.message = status, message
        super().__init__(message)


@dataclass
class Answer:
    """Head of an answer and its body; the body must be read to the end, or closed."""

    status: int
    media: str
    whole: bytes | None
    body: AsyncIterator[bytes]


class _Worker:
    def __init__(self, process: asyncio.subprocess.Process, snapshot: Snapshot) -> None:
        self.process, self.snapshot = process, snapshot

    @classmethod
    async def start(cls, snapshot: Snapshot, limits: Limits) -> _Worker:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "kgfuse.serve.worker",
            str(snapshot.path),
            str(limits.memory_mb),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        worker = cls(process, snapshot)
        try:
            await worker.receive()
        except asyncio.IncompleteReadError as error:
            raise RefusedError(503, "the graph's snapshot cannot be opened") from error
        return worker

    async def send(self, request: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(frames.pack_json(request))
        await self.process.stdin.drain()

    async def receive(self) -> tuple[int, bytes]:
        assert self.process.stdout is not None
        return await frames.receive(self.process.stdout)

    async def kill(self) -> None:
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()


class Pool:
    """Query processes over the newest snapshot; started on first use."""

    def __init__(self, provider: SnapshotProvider, limits: Limits) -> None:
        self._provider, self.limits = provider, limits
        self._idle: list[_Worker] = []
        self._busy: set[_Worker] = set()
        self._turns = asyncio.Semaphore(limits.workers)
        self._waiting = 0

    async def run(self, request: dict[str, Any]) -> Answer:
        """Run one request.

        Raises:
            RefusedError: too many are waiting, the query is wrong or not allowed, or it ran past a limit.
        """
        if self._turns.locked() and self._waiting >= self.limits.max_queue:
            raise RefusedError(503, "too many queries are waiting (try again in a moment)")
        self._waiting += 1
        try:
            async with asyncio.timeout(self.limits.timeout_s):
                await self._turns.acquire()
        except TimeoutError as error:
            raise RefusedError(503, "no query process became free in time (try again in a moment)") from error
        finally:
            self._waiting -= 1
        try:
            worker = await self._checkout()
        except BaseException:
            self._turns.release()
            raise
        limits = {"max_rows": self.limits.max_rows, "max_bytes": self.limits.max_bytes}
        frames_ = self._frames(worker, {**request, **limits})
        return await self._begin(frames_)

    async def close(self) -> None:
        """Kill all processes."""
        for worker in (*self._idle, *self._busy):
            await worker.kill()
        self._idle.clear()

    async def _checkout(self) -> _Worker:
        try:
            snapshot = await asyncio.to_thread(self._provider)
        except KgfuseError as error:
            raise RefusedError(503, error.message) from error
        while self._idle:
            worker = self._idle.pop()
            if worker.snapshot.version == snapshot.version and worker.process.returncode is None:
                break
            await worker.kill()
        else:
            worker = await _Worker.start(snapshot, self.limits)
        self._busy.add(worker)
        return worker

    async def _frames(self, worker: _Worker, request: dict[str, Any]) -> AsyncIterator[dict[str, Any] | bytes]:
        """The frames of an answer: a head, data, an end. Whatever happens, the worker is returned or killed."""
        done = False
        clock = asyncio.get_running_loop().time
        deadline = clock() + self.limits.timeout_s
        try:
            await worker.send(request)
            while not done:
                # no asyncio.timeout around the loop: head and body are read by different tasks
                kind, payload = await asyncio.wait_for(worker.receive(), deadline - clock())
                if kind == frames.DATA:
                    yield payload
                else:
                    message: dict[str, Any] = json.loads(payload)
                    done = bool(message.get("end"))
                    yield message
        except TimeoutError as error:
            seconds = self.limits.timeout_s
            raise RefusedError(504, f"the query ran longer than {seconds:g} s and was stopped") from error
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            text = f"the query took more than {self.limits.memory_mb:,} MB of memory and was stopped"
            raise RefusedError(503, text) from error
        finally:
            self._busy.discard(worker)
            if done:
                self._idle.append(worker)
            else:
                await worker.kill()
            self._turns.release()

    async def _begin(self, stream: AsyncIterator[dict[str, Any] | bytes]) -> Answer:
        """Read ahead until the answer is complete or known to be long."""
        status, media, data, ended = 200, "", bytearray(), False
        async for frame in stream:
            if isinstance(frame, bytes):
                data += frame
                if len(data) >= _HEAD_BYTES:
                    break
            elif frame.get("end"):
                ended = True
                if "status" in frame:
                    await _finish(stream)
                    raise RefusedError(frame["status"], frame["message"])
            else:
                status, media = frame["status"], frame["media"]
        if ended:
            return Answer(status, media, bytes(data), _nothing())
        return Answer(status, media, None, self._rest(bytes(data), stream))

    async def _rest(self, head: bytes, stream: AsyncIterator[dict[str, Any] | bytes]) -> AsyncIterator[bytes]:
        """The body of a long answer; a limit that strikes now breaks the connection: cut short is never complete."""
        try:
            yield head
            async for frame in stream:
                if isinstance(frame, bytes):
                    yield frame
                elif "status" in frame:
                    raise RefusedError(frame["status"], frame["message"])
        finally:
            await _close(stream)


async def _finish(stream: AsyncIterator[Any]) -> None:
    async for _ in stream:
        pass


async def _close(stream: AsyncIterator[Any]) -> None:
    close = getattr(stream, "aclose", None)
    if close is not None:
        await close()


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield b""
