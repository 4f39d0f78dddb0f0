"""Content-addressed bytes: every original and every decoded text, under its SHA-256."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from kgfuse.errors import WorkspaceError

_PIECE: Final = 1 << 20
_PARTIAL: Final = ".partial-"
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


class Blobs:
    """Files ``<folder>/ab/<sha256>``, written whole or not at all.

    Args:
        folder: where they lie; created on the first write.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, content: bytes | Path) -> str:
        """Keep bytes, or the bytes of a file; returns their SHA-256.

        Raises:
            WorkspaceError: they could not be written (a full disk, permissions); nothing is left behind.
            OSError: the given file could not be read.
        """
        if isinstance(content, bytes):
            sha256 = hashlib.sha256(content).hexdigest()
            if not self._path(sha256).exists():
                self._write(iter([content]))
            return sha256
        with content.open("rb") as f:
            sha256 = hashlib.file_digest(f, "sha256").hexdigest()
            if self._path(sha256).exists():
                return sha256
            f.seek(0)
            # the file may change between the two readings: what is returned names what was written
            return self._write(iter(lambda: f.read(_PIECE), b""))

    def put_text(self, text: str) -> str:
        """Keep a decoded text exactly as it is, in UTF-8: line ends and normal form are the text's own."""
        return self.put(text.encode("utf-8"))

    def path(self, sha256: str) -> Path:
        """Where the bytes lie.

        Raises:
            WorkspaceError: the workspace has no such bytes.
        """
        path = self._path(sha256)
        if not path.is_file():
            raise WorkspaceError(
                "the workspace lost this content", where=path, remedy="add the source that it came from again"
            )
        return path

    def read_bytes(self, sha256: str) -> bytes:
        """The bytes."""
        try:
            return self.path(sha256).read_bytes()
        except OSError as e:
            raise WorkspaceError(f"cannot be read: {e.strerror}", where=self._path(sha256)) from e

    def read_text(self, sha256: str) -> str:
        """A text that ``put_text`` kept: the same code points."""
        try:
            return self.read_bytes(sha256).decode("utf-8")
        except UnicodeDecodeError as e:
            raise WorkspaceError(
                f"is not the UTF-8 text that was stored: byte {e.start}",
                where=self._path(sha256),
                remedy="remove its source and add it again",
            ) from e

    def __contains__(self, sha256: str) -> bool:
        return self._path(sha256).is_file()

    def collect_garbage(self, keep: Iterable[str]) -> int:
        """Delete all blobs but those to keep, and what an interrupted write left; returns how many files went."""
        wanted, gone = set(keep), 0
        for path in self.folder.glob("*/*"):
            if path.name not in wanted:
                path.unlink(missing_ok=True)
                gone += 1
        return gone

    def _path(self, sha256: str) -> Path:
        if not _SHA256.fullmatch(sha256):
            raise WorkspaceError(f"{sha256!r} is not a SHA-256", where=self.folder)
        return self.folder / sha256[:2] / sha256

    def _write(self, pieces: Iterator[bytes]) -> str:
        digest, partial = hashlib.sha256(), None
        try:
            incoming = self.folder / "in"
            incoming.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=_PARTIAL, dir=incoming)
            partial = Path(name)
            with os.fdopen(handle, "wb") as f:
                for piece in pieces:
                    digest.update(piece)
                    f.write(piece)
                f.flush()
                os.fsync(f.fileno())
            target = self._path(digest.hexdigest())
            target.parent.mkdir(exist_ok=True)
            partial.replace(target)
        except OSError as e:
            raise WorkspaceError(
                f"could not be written: {e.strerror or e}",
                where=self.folder,
                remedy="free some space or check the permissions, then run the same command again",
            ) from e
        finally:
            if partial is not None:
                with contextlib.suppress(OSError):
                    partial.unlink(missing_ok=True)
        return digest.hexdigest()
