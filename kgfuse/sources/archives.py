"""Zip and tar archives, unpacked within limits: what is in them is never believed, neither names nor sizes."""

from __future__ import annotations

import bz2
import gzip
import lzma
import stat
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final, cast

from kgfuse.errors import SourceError

ZIP: Final = "application/zip"
TAR: Final = "application/x-tar"
COMPRESSED: Final[dict[str, Callable[..., Any]]] = {
    "application/gzip": gzip.open,
    "application/x-bzip2": bz2.open,
    "application/x-xz": lzma.open,
}
ARCHIVES: Final = frozenset({ZIP, TAR, *COMPRESSED})
MAX_DEPTH: Final = 3
MAX_MEMBERS: Final = 100_000
MAX_RATIO: Final = 200
_ALWAYS: Final = 200_000_000
_MOST: Final = 8_000_000_000
_PIECE: Final = 1 << 20
_BROKEN: Final = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, EOFError, OSError,
    NotImplementedError, RuntimeError, ValueError, OverflowError,
)  # fmt: skip


@dataclass(slots=True)
class Budget:
    """Bytes that may still be unpacked: of a file from outside, nested archives included.

    Args:
        packed: size of that file.
        files: how many members may still come.
    """

    packed: int
    files: int = MAX_MEMBERS
    left: int = field(init=False)

    def __post_init__(self) -> None:
        self.left = min(max(_ALWAYS, MAX_RATIO * self.packed), _MOST)

    def take(self, count: int) -> None:
        """Use bytes up.

        Raises:
            SourceError: there are not so many left.
        """
        self.left -= count
        if self.left < 0:
            raise SourceError(
                f"unpacks to more than {MAX_RATIO} times its {self.packed:,} bytes, or {_MOST:,}: a bomb, perhaps",
                remedy="unpack it yourself, and add the folder",
            )


def unpack(path: Path, media_type: str, into: Path, budget: Budget) -> Iterator[SourceError]:
    """Unpack an archive into a folder; yields what was left out, and why.

    Args:
        path: the archive.
        media_type: one of `ARCHIVES`.
        into: an empty folder.
        budget: what may be unpacked.

    Raises:
        SourceError: it is damaged or a bomb; what came out before stays.
    """
    try:
        if media_type == ZIP:
            yield from _unzip(path, into, budget)
        elif media_type == TAR:
            with path.open("rb") as f:
                yield from _untar(f, into, budget)
        else:
            with COMPRESSED[media_type](path, "rb") as f:
                yield from _uncompress(f, path, into, budget)
    except _BROKEN as e:
        if isinstance(e, SourceError):
            raise
        raise SourceError(f"is a damaged archive: {e}", remedy="pack it anew, or add its folder") from e


def _unzip(path: Path, into: Path, budget: Budget) -> Iterator[SourceError]:
    with zipfile.ZipFile(path) as archive:
        for number, member in enumerate(archive.infolist(), 1):
            if not member.filename:
                yield SourceError("has no name", where=f"file {number}", remedy="pack it anew")
                continue
            if member.is_dir():
                continue
            kind = stat.S_IFMT(member.external_attr >> 16)
            if kind not in (0, stat.S_IFREG):
                yield SourceError("is no regular file", where=member.filename, remedy="put the file itself in")
            elif member.flag_bits & 1:
                yield SourceError("is protected by a password", where=member.filename, remedy="pack it without")
            else:
                yield from _save(member.filename, lambda m=member: archive.open(m), into, budget)  # type: ignore[misc]


def _untar(file: IO[bytes] | Any, into: Path, budget: Budget) -> Iterator[SourceError]:
    with tarfile.open(fileobj=cast(IO[bytes], _Counted(file, budget)), mode="r|") as archive:
        for member in archive:
            if member.isdir():
                continue
            if not member.isreg():
                yield SourceError("is no regular file", where=member.name, remedy="put the file itself in")
                continue
            yield from _save(member.name, lambda m=member: archive.extractfile(m), into, None)  # type: ignore[misc]
            budget.files -= 1
            if budget.files < 0:
                raise SourceError(f"holds more than {MAX_MEMBERS:,} files", remedy="unpack it yourself")


def _uncompress(file: IO[bytes] | Any, path: Path, into: Path, budget: Budget) -> Iterator[SourceError]:
    """A compressed tar, or one compressed file."""
    head = file.read(512)
    file.seek(0)
    if head[257:262] == b"ustar":
        yield from _untar(file, into, budget)
        return
    yield from _save(path.stem or "file", lambda: file, into, budget)


def _save(name: str, opened: Callable[[], Any], into: Path, budget: Budget | None) -> Iterator[SourceError]:
    """Write one member; ``budget`` is ``None`` where what is read is counted already."""
    target = _target(name, into)
    if target is None:
        yield SourceError("has a name that leads out of the archive", where=name, remedy="pack it anew")
        return
    if budget is not None:
        budget.files -= 1
        if budget.files < 0:
            raise SourceError(f"holds more than {MAX_MEMBERS:,} files", remedy="unpack it yourself")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            yield SourceError("is in the archive twice; the first counts", where=name, remedy="pack it anew")
            return
        with opened() as source, target.open("xb") as f:
            while piece := source.read(_PIECE):
                if budget is not None:
                    budget.take(len(piece))
                f.write(piece)
    except _BROKEN as e:
        if isinstance(e, SourceError):
            raise
        target.unlink(missing_ok=True)
        yield SourceError(f"cannot be unpacked: {e}", where=name, remedy="pack it anew")


def _target(name: str, into: Path) -> Path | None:
    """Where a member goes; ``None`` where its name is none that a file below a folder can have."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if not parts or parts[0] == "/" or ".." in parts or ":" in parts[0] or len(parts) > 64:
        return None
    if any(unicodedata.category(c) == "Cc" for c in name):
        return None
    return into.joinpath(*parts)


class _Counted:
    """A stream whose bytes count against a budget as they are read."""

    def __init__(self, file: IO[bytes], budget: Budget) -> None:
        self._file, self._budget = file, budget

    def read(self, size: int = -1) -> bytes:
        """Read, and count."""
        data = self._file.read(size if size >= 0 else _PIECE)
        self._budget.take(len(data))
        return data
