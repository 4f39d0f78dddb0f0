"""Worker processes as their parent sees them: batches out, replies in; one that dies takes one source with it at most.

Processes are spawned, not forked: the threads of the graph store do not survive a fork. A worker has a pipe of its own,
so that the parent knows what each is reading. When one dies over a batch, its sources are read again one at a time, and
the one that ends a worker by itself is reported.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import connection
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from kgfuse.errors import UsageError, WorkspaceError
from kgfuse.extract.running import Result
from kgfuse.workspace.worker import Refusal, Reply, Task, main

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

    from kgfuse.workspace.settings import Settings

_WORTH_A_WORKER: Final = 200
_MOST: Final = 8
_PATIENCE: Final = 5.0


def worker_count(asked: int | None, sources: int) -> int:
    """How many processes read so many sources: as asked, else one a core, but none that costs more than it brings.

    A worker takes seconds to load its models and some hundred megabytes; where there is a GPU, one process feeds it.

    Raises:
        UsageError: fewer than one are asked for.
    """
    if asked is not None:
        if asked < 1:
            raise UsageError(f"{asked} workers cannot work", remedy="ask for 1 or more")
        return asked
    import torch

    if torch.cuda.is_available():
        return 1
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, sources // _WORTH_A_WORKER, _MOST))


@dataclass(eq=False, slots=True)
class _Worker:
    process: SpawnProcess
    pipe: Any
    is_ready: bool = False
    task: Task | None = None


class Pool:
    """Workers that are started when they are first needed, and ended with the ``with`` block.

    Args:
        settings: of the workspace; workers build vocabulary and extractors from them.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._workers: list[_Worker] = []

    def __enter__(self) -> Pool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.process.terminate()
        for worker in self._workers:
            worker.process.join(_PATIENCE)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
            worker.pipe.close()
        self._workers.clear()

    def run(self, tasks: Iterable[Task], count: int) -> Iterator[tuple[Task, Reply]]:
        """Yield tasks with their replies as they are ready; tasks are taken only as workers ask for them.

        A task that a worker died of comes back as one task for each of its sources.

        Args:
            tasks: batches.
            count: how many workers.

        Raises:
            WorkspaceError: the workers cannot be started.
        """
        waiting, again = iter(tasks), deque[Task]()
        is_more = True
        while len(self._workers) < count:
            self._start()
        while True:
            for worker in [w for w in self._workers if w.is_ready and w.task is None]:
                task = again.popleft() if again else next(waiting, None)
                if task is None:
                    is_more = False
                    break
                worker.task = task
                with suppress(OSError):  # it died while it was idle: the end of its pipe, below, tells
                    worker.pipe.send(task)
            busy = [w for w in self._workers if w.task is not None]
            if not (busy or again or is_more):
                return
            starting = [w for w in self._workers if not w.is_ready]
            for pipe in connection.wait([w.pipe for w in (*busy, *starting)]):
                worker = next(w for w in self._workers if w.pipe is pipe)
                yield from self._hear(worker, again)

    def _hear(self, worker: _Worker, again: deque[Task]) -> Iterator[tuple[Task, Reply]]:
        """Take what a worker says, or notice its death."""
        try:
            said = worker.pipe.recv()
        except (EOFError, OSError):
            yield from self._bury(worker, again)
            return
        if isinstance(said, Refusal):
            raise WorkspaceError(f"a worker cannot extract: {said.message}", remedy="try again")
        task, worker.task = worker.task, None
        if task is None:
            worker.is_ready = True
        else:
            yield task, said

    def _bury(self, worker: _Worker, again: deque[Task]) -> Iterator[tuple[Task, Reply]]:
        """Replace a dead worker; what it was reading is read again, one by one, or reported where it was alone."""
        worker.process.join()
        worker.pipe.close()
        self._workers.remove(worker)
        how = _how_it_ended(worker.process.exitcode)
        if not worker.is_ready:
            raise WorkspaceError(f"a worker {how} while it was starting", remedy="try again with --workers 1")
        self._start()
        if worker.task is None:
            return
        if len(worker.task.sources) > 1:
            again.extend(Task(worker.task.run, (source,)) for source in worker.task.sources)
            return
        problem = f"the process that was reading it {how}"
        remedy = "it may need more memory than there is: split the file, or try again with --retry --workers 1"
        yield worker.task, Reply([Result(worker.task.sources[0].name, None, problem, remedy)], [])

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=main, args=(theirs, self._settings), name="kgfuse worker", daemon=True)
        with _interrupts_held():
            process.start()
        theirs.close()  # so that the pipe ends when the worker does
        self._workers.append(_Worker(process, ours))


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back; a process that starts meanwhile never hears it, and prints no traceback of its own."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # its first start would let signals through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _how_it_ended(code: int | None) -> str:
    if code is not None and code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with code {code}"
