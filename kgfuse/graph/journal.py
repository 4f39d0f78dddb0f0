"""Which graphs were touched since the columns beside the store were last written."""

from __future__ import annotations

from pathlib import Path
from typing import Final

ALL: Final = "*"


class Journal:
    """Names of graphs that may differ from what the columns say, kept on disk where the store is.

    A name is written before its graph is: a process that is killed leaves word of what it was at.

    Args:
        path: the file; ``None`` keeps the names in memory.

    Attributes:
        touched: since the columns were last written.
        unread: since they were last read.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.touched: set[str] = set()
        if path is not None and path.exists():
            self.touched = set(path.read_text(encoding="utf-8").split())
        self.unread = set(self.touched)

    def touch(self, graph: str) -> None:
        """Note that a graph is about to change; ``*`` stands for all."""
        self.unread.add(graph)
        if graph in self.touched:
            return
        self.touched.add(graph)
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(f"\n{graph}\n")  # a line that a lost power supply cut off must not run into this one

    def clear(self) -> None:
        """The columns on disk say what the graphs say."""
        self.touched.clear()
        self.unread.clear()
        if self._path is not None:
            self._path.unlink(missing_ok=True)
