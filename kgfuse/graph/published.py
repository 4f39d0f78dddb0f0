"""States of the graph that readers see while a writer goes on: published whole, read from private copies.

A state is a folder of hard links, so it costs milliseconds and no space until the writer's files move on. A reader
links the newest state again for itself: what the writer publishes, or removes, later does not reach it.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kgfuse.errors import WorkspaceError
from kgfuse.graph.store import GraphStore

FOLDER: Final = "published"
GRAPH: Final = "graph"
_CURRENT: Final = "current"
_COPY: Final = re.compile(r"^\.read-(\d+)-\d+$")
_NUMBERS: Final = itertools.count()
_TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class State:
    """A reader's own copy of a published state; ``version`` differs whenever the content may."""

    folder: Path
    version: str

    @property
    def graph(self) -> Path:
        """Folder that `GraphStore` opens with ``read_only=True``."""
        return self.folder / GRAPH

    def release(self) -> None:
        """Remove the copy."""
        shutil.rmtree(self.folder, ignore_errors=True)


def publish(store: GraphStore, workspace: Path) -> None:
    """Make the store's present content the state that readers see.

    Args:
        store: open for writing, on a folder.
        workspace: the states are kept in it.
    """
    place = workspace / FOLDER
    place.mkdir(exist_ok=True)
    numbers = [int(p.name) for p in place.iterdir() if p.name.isdigit()]
    new = place / str(1 + max(numbers, default=0))
    if new.exists():
        shutil.rmtree(new)
    new.mkdir()
    store.snapshot(new / GRAPH)
    columns = store.keep_columns(store.columns) if store.journal.touched else store.columns_folder
    if columns is not None and columns.exists():
        _link(columns, new / f"{GRAPH}.columns")
    partial = place / f".{_CURRENT}"
    partial.write_text(new.name, encoding="utf-8")
    partial.replace(place / _CURRENT)
    for old in numbers:
        shutil.rmtree(place / str(old), ignore_errors=True)


def current(workspace: Path) -> str | None:
    """Version of the newest published state; ``None`` where nothing was published yet."""
    try:
        return (workspace / FOLDER / _CURRENT).read_text(encoding="utf-8").strip() or None
    except OSError:
        return None


def acquire(workspace: Path) -> State | None:
    """A private copy of the newest state; ``None`` where nothing was published yet.

    Raises:
        WorkspaceError: it cannot be copied.
    """
    sweep(workspace)
    for left in reversed(range(_TRIES)):
        version = current(workspace)
        if version is None:
            return None
        copy = workspace / f".read-{os.getpid()}-{next(_NUMBERS)}"
        try:
            _link(workspace / FOLDER / version, copy)
            return State(copy, version)
        except OSError as e:  # a newer state took its place meanwhile
            shutil.rmtree(copy, ignore_errors=True)
            if not left:
                raise WorkspaceError(
                    f"the published graph cannot be read: {e.strerror or e}",
                    where=workspace / FOLDER,
                    remedy="check the permissions of the workspace's folder",
                ) from e
    return None


def sweep(workspace: Path) -> None:
    """Remove the copies of readers that were killed."""
    for folder in workspace.glob(".read-*"):
        match = _COPY.match(folder.name)
        if match and not _alive(int(match[1])):
            shutil.rmtree(folder, ignore_errors=True)


def _link(source: Path, target: Path) -> None:
    shutil.copytree(source, target, copy_function=_hard_link)


def _hard_link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:  # a file system without hard links
        shutil.copy2(source, target)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
