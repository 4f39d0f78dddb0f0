"""Files as the workspace names them: in folders, and in archives, which are unpacked for the time of an ``add``."""

from __future__ import annotations

import glob
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

from kgfuse.errors import KgfuseError, SourceError
from kgfuse.sources.archives import MAX_DEPTH, Budget, unpack
from kgfuse.sources.identify import Identified


def absolute(path: Path) -> Path:
    """The path from the root, symbolic links left as they are: one may lead in a circle, or nowhere."""
    return Path(os.path.abspath(path))  # noqa: PTH100 (Path.absolute keeps "..")


def expand(paths: Iterable[str | Path]) -> list[Path]:
    """Paths with their globs (``*``, ``**``, ``?``, ``[…]``) replaced by what they match.

    Raises:
        SourceError: one does not exist, or matches nothing.
    """
    found: list[Path] = []
    for path in map(Path, paths):
        if path.exists():
            found.append(path)
            continue
        matches = sorted(glob.glob(str(path), recursive=True)) if glob.has_magic(str(path)) else []  # noqa: PTH207
        if not matches:
            raise SourceError("no such file or folder", where=path, remedy="check the path")
        found += map(Path, matches)
    return found


class Mounts:
    """Archives that are unpacked at the moment, and where their files are shown to be.

    A member ``a/b.txt`` of ``/home/x.zip`` is shown as ``/home/x.zip/a/b.txt``.
    """

    def __init__(self) -> None:
        self._folders: list[tempfile.TemporaryDirectory[str]] = []
        self._shown: dict[Path, Path] = {}
        self._budgets: dict[Path, Budget] = {}
        self._depths: dict[Path, int] = {}

    def __enter__(self) -> Mounts:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for folder in self._folders:
            folder.cleanup()
        self._folders.clear()
        self._shown.clear()

    def shown(self, path: Path) -> Path:
        """Where a file is, for people: absolute; below its archive where it was unpacked from one."""
        here = absolute(path)
        mount = self._mount(here)
        return here if mount is None else self._shown[mount] / here.relative_to(mount)

    def told(self, error: KgfuseError) -> KgfuseError:
        """An error that names its file as people know it."""
        where = error.where
        for folder, shown in self._shown.items():
            where = where.replace(str(folder), str(shown))
        return SourceError(error.what, where=where, remedy=error.remedy)

    def open(self, archive: Identified, problems: list[SourceError]) -> Path:
        """Unpack an archive; returns the folder.

        Args:
            archive: which.
            problems: takes what was left out.
        """
        here = absolute(archive.path)
        shown, outer = self.shown(here), self._mount(here)
        folder = tempfile.TemporaryDirectory(prefix="kgfuse-")
        self._folders.append(folder)
        into = absolute(Path(folder.name))
        depth = self._depths[outer] + 1 if outer is not None else 1
        self._shown[into], self._depths[into] = shown, depth
        self._budgets[into] = budget = self._budgets[outer] if outer else Budget(archive.path.stat().st_size)
        if depth > MAX_DEPTH:
            what = f"is an archive in an archive, {depth} deep"
            problems.append(SourceError(what, where=shown, remedy="unpack it yourself, and add the folder"))
            return into
        try:
            for left_out in unpack(archive.path, archive.media_type, into, budget):
                name = left_out.where.encode("utf-8", "backslashreplace").decode("utf-8")
                problems.append(SourceError(left_out.what, where=f"{shown}/{name}", remedy=left_out.remedy))
        except SourceError as e:
            problems.append(SourceError(e.what, where=shown, remedy=e.remedy))
        return into

    def _mount(self, path: Path) -> Path | None:
        return next((folder for folder in path.parents if folder in self._shown), None)
