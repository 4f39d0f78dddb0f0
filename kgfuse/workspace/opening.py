"""How a workspace is opened: by one process for writing, by any number for reading beside it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from kgfuse.catalog import Catalog
from kgfuse.errors import WorkspaceError
from kgfuse.graph import GraphStore, published
from kgfuse.workspace.parts import Parts
from kgfuse.workspace.settings import Settings


@dataclass(frozen=True, slots=True)
class Opened:
    """An open workspace: a writer has the lock, a reader a state of its own."""

    parts: Parts
    lock: FileLock | None = None
    state: published.State | None = None

    def release(self) -> None:
        """Let go of all files."""
        try:
            self.parts.catalog.close()
            self.parts.store.close()
        finally:
            if self.state is not None:
                self.state.release()
            if self.lock is not None:
                self.lock.release()


def open_writer(folder: Path, settings: Settings) -> Opened:
    """Open for writing.

    Raises:
        WorkspaceError: another process has it open for writing, or it is damaged.
    """
    lock = FileLock(str(folder / "lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout as e:
        raise WorkspaceError(
            "another process has this workspace open", where=folder, remedy="wait for it, or stop it"
        ) from e
    except OSError as e:
        raise WorkspaceError(f"cannot be opened: {e.strerror}", where=folder, remedy="check its permissions") from e
    catalog = None
    try:
        catalog = Catalog(folder)
        store = GraphStore(folder / "graph")
        if catalog.states("graph:") and not store.graphs():  # somebody took the graph away: build it again
            for mark in ("built", *catalog.states("graph:")):
                catalog.set_state(mark, None if mark != "built" else "")
        return Opened(Parts(folder, settings, catalog, store), lock)
    except BaseException:
        if catalog is not None:
            catalog.close()
        lock.release()
        raise


def open_reader(folder: Path, settings: Settings) -> Opened:
    """Open the last published state; what no one published yet is published first.

    Raises:
        WorkspaceError: nothing was published, and another process has it open for writing; or it is damaged.
    """
    state = published.acquire(folder)
    if state is None:  # never built, or by an older kgfuse
        writer = open_writer(folder, settings)
        try:
            published.publish(writer.parts.store, folder)
        finally:
            writer.release()
        state = published.acquire(folder)
        assert state is not None
    catalog = None
    try:
        catalog = Catalog(folder, read_only=True)
        store = GraphStore(state.graph, read_only=True)
        return Opened(Parts(folder, settings, catalog, store), state=state)
    except BaseException:
        if catalog is not None:
            catalog.close()
        state.release()
        raise
