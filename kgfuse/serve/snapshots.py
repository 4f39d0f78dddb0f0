"""Snapshots of a workspace's graph that may change: the endpoint reads them while a build goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from kgfuse.errors import WorkspaceError
from kgfuse.graph import published

_LOOK_EVERY: Final = 1.0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A folder that `pyoxigraph.Store.read_only` opens; another version means other content."""

    path: Path
    version: str


SnapshotProvider: TypeAlias = Callable[[], Snapshot]


class PublishedSnapshots:
    """The states that a workspace publishes, each as a private copy; a new one after each change.

    Args:
        workspace: its folder. Copies are made in it, and removed with ``close``.

    Raises:
        WorkspaceError: on the first call, when nothing was published yet.
    """

    def __init__(self, workspace: Path) -> None:
        self._workspace = workspace
        self._states: list[published.State] = []
        self._looked = 0.0
        self._lock = threading.Lock()

    def __call__(self) -> Snapshot:
        """The newest snapshot; looks for changes at most once a second."""
        with self._lock:
            now = time.monotonic()
            if not self._states or now - self._looked >= _LOOK_EVERY:
                self._looked = now
                self._renew()
            newest = self._states[-1]
            return Snapshot(newest.graph, newest.version)

    def close(self) -> None:
        """Remove the copies."""
        for state in self._states:
            state.release()
        self._states.clear()

    def _renew(self) -> None:
        if self._states and self._states[-1].version == published.current(self._workspace):
            return
        state = published.acquire(self._workspace)
        if state is None:
            if self._states:
                return
            raise WorkspaceError("there is no graph", where=self._workspace, remedy="build the workspace first")
        self._states.append(state)
        for old in self._states[:-2]:  # the one before may still be read
            old.release()
        self._states = self._states[-2:]
