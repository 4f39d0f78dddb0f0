"""Snapshots of a store that may change: the endpoint reads them while others write."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import pyoxigraph as ox

from kgfuse.errors import WorkspaceError

_LOOK_EVERY: Final = 1.0
_NUMBERS: Final = itertools.count()
_LOCK: Final = threading.Lock()  # one process can open a store for writing only once at a time
_FOLDER: Final = re.compile(r"^\.serve-(\d+)-\d+$")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A folder that `pyoxigraph.Store.read_only` opens; another version means other content."""

    path: Path
    version: str


SnapshotProvider: TypeAlias = Callable[[], Snapshot]


class FolderSnapshots:
    """Snapshots of a store's folder, a new one after each change; hard links, so they cost next to nothing.

    While another process has the store open for writing, the last snapshot stays in use.

    Args:
        graph: folder of the Oxigraph store. Snapshots are made beside it, and removed with ``close``.

    Raises:
        WorkspaceError: on the first call, when there is no such store or it is being written.
    """

    def __init__(self, graph: Path) -> None:
        self._graph = graph
        self._made: list[Snapshot] = []
        self._seen: tuple[object, ...] = ()
        self._looked = 0.0
        self._sweep()

    def __call__(self) -> Snapshot:
        """The newest snapshot; looks for changes at most once a second."""
        with _LOCK:
            now = time.monotonic()
            if self._made and now - self._looked < _LOOK_EVERY:
                return self._made[-1]
            self._looked = now
            if not self._made or self._signature() != self._seen:
                self._refresh()
            return self._made[-1]

    def close(self) -> None:
        """Remove the snapshots."""
        for snapshot in self._made:
            shutil.rmtree(snapshot.path, ignore_errors=True)
        self._made.clear()

    def _refresh(self) -> None:
        if not (self._graph / "CURRENT").exists():
            raise WorkspaceError("there is no graph", where=self._graph, remedy="build the workspace first")
        folder = self._graph.parent / f".serve-{os.getpid()}-{next(_NUMBERS)}"
        try:
            store = ox.Store(str(self._graph))
            store.backup(str(folder))
            del store
        except OSError as error:
            if self._made:
                return
            raise WorkspaceError(
                f"the graph cannot be opened: {error}", where=self._graph, remedy="wait for the build to end"
            ) from error
        self._seen = self._signature()
        self._made.append(Snapshot(folder, folder.name))
        for old in self._made[:-2]:  # the one before may still be read
            shutil.rmtree(old.path, ignore_errors=True)
        self._made = self._made[-2:]

    def _signature(self) -> tuple[object, ...]:
        """Names, sizes and times of the files that hold data; log files change without it."""
        found = []
        for file in sorted(self._graph.iterdir()):
            if file.suffix in (".sst", ".log") or file.name.startswith("MANIFEST"):
                status = file.stat()
                found.append((file.name, status.st_size, status.st_mtime_ns))
        return tuple(found)

    def _sweep(self) -> None:
        """Remove what an endpoint that was killed left behind."""
        for folder in self._graph.parent.glob(".serve-*"):
            match = _FOLDER.match(folder.name)
            if match and not _alive(int(match[1])):
                shutil.rmtree(folder, ignore_errors=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
