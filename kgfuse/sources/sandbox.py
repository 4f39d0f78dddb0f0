"""Documents are read in a process of their own, with limits on memory and time; one that ends it ends nothing else."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from kgfuse.errors import SourceError
from kgfuse.sources.child import PLACES, SAMPLES, TEXT
from kgfuse.sources.document import Document, Picture
from kgfuse.sources.mapping import TableForm
from kgfuse.sources.places import Places, TablePlaces, loads
from kgfuse.sources.sound import Sound

MEMORY: Final = 4 << 30
SECONDS: Final = 120.0
_MAX_ANSWER: Final = 64 << 20
_START: Final = "from kgfuse.sources.child import main; main({memory})"


@dataclass(frozen=True, slots=True)
class Spot:
    """A box on a page as it is shown: points from its upper left corner."""

    page: int
    x: float
    y: float
    w: float
    h: float


class Sandbox:
    """Reads documents in another process, which is started when it is first needed.

    Args:
        seconds: that one request may take.
        memory: bytes of address space that the process may use.
    """

    def __init__(self, seconds: float = SECONDS, memory: int = MEMORY) -> None:
        self._seconds, self._memory = seconds, memory
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process, and forget the pictures of what was read last."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            _close(self._process)
            self._process = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def read(self, path: Path, media_type: str, where: str, encoding: str | None = None) -> tuple[Document, Path]:
        """Read a document; its pictures lie in the folder that is returned until the next call.

        Raises:
            SourceError: it cannot be read, or reading it took too much.
        """
        into = self._fresh()
        answer = self._ask("read", where, path=str(path), media_type=media_type, into=str(into), encoding=encoding)
        try:
            text = (into / TEXT).read_text(encoding="utf-8")
            places: Places | None = loads((into / PLACES).read_bytes()) if (into / PLACES).exists() else None
            pictures = tuple(Picture(**p) for p in answer["pictures"] if Path(p["file"]).name == p["file"])
            return Document(text, places, pictures, tuple(answer["notes"]), answer["title"]), into
        except (OSError, KeyError, TypeError, ValueError) as e:
            raise SourceError(f"was read to something unusable: {e}", where=where) from e

    def table(
        self, path: Path, media_type: str, form: TableForm, where: str, encoding: str | None = None
    ) -> tuple[str, TablePlaces]:
        """A table as text, a line a row, with the rows' places.

        Raises:
            SourceError: it cannot be read, or reading it took too much.
        """
        into = self._fresh()
        told = form.model_dump()
        self._ask("table", where, path=str(path), media_type=media_type, into=str(into), form=told, encoding=encoding)
        places = loads((into / PLACES).read_bytes())
        if not isinstance(places, TablePlaces):
            raise SourceError("was read to something unusable", where=where)
        return (into / TEXT).read_text(encoding="utf-8"), places

    def boxes(self, path: Path, where: str, spans: list[tuple[int, int, int]]) -> list[list[Spot]]:
        """Where spans (page, start, end) stand in a PDF: a box for each line that they touch.

        Raises:
            SourceError: it cannot be read.
        """
        answer = self._ask("boxes", where, path=str(path), spans=spans)
        return [[Spot(int(b[0]), *map(float, b[1:5])) for b in lines] for lines in answer["boxes"]]

    def render(self, path: Path, where: str, page: int, side: int) -> tuple[bytes, float, float]:
        """A page of a PDF as PNG, with its width and height in points.

        Raises:
            SourceError: it cannot be drawn.
        """
        into = self._fresh()
        answer = self._ask("render", where, path=str(path), page=page, side=side, into=str(into))
        return (into / Path(answer["file"]).name).read_bytes(), float(answer["width"]), float(answer["height"])

    def sound(self, path: Path, media_type: str, where: str) -> Sound:
        """Read a recording through.

        Raises:
            SourceError: it cannot be decoded.
        """
        return _as_sound(self._ask("sound", where, path=str(path), media_type=media_type))

    def samples(self, path: Path, media_type: str, where: str) -> tuple[Sound, Path]:
        """The same, with a file of its samples, which lies there until the next call.

        Raises:
            SourceError: it cannot be decoded.
        """
        into = self._fresh()
        answer = self._ask("sound", where, path=str(path), media_type=media_type, into=str(into))
        return _as_sound(answer), into / SAMPLES

    def clips(self, path: Path, media_type: str, where: str, spans: Sequence[tuple[float, float]]) -> list[bytes]:
        """Cuts of a recording (seconds), as MP3.

        Raises:
            SourceError: it cannot be decoded.
        """
        into = self._fresh()
        answer = self._ask("clips", where, path=str(path), media_type=media_type, spans=list(spans), into=str(into))
        return [(into / Path(name).name).read_bytes() for name in answer["files"]]

    def _fresh(self) -> Path:
        if self._folder is not None:
            self._folder.cleanup()
        self._folder = tempfile.TemporaryDirectory(prefix="kgfuse-")
        return Path(self._folder.name)

    def _ask(self, do: str, where: str, **request: Any) -> dict[str, Any]:
        process = self._process or self._start()
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps({"do": do, "where": where, **request}).encode("ascii") + b"\n")
            process.stdin.flush()
            answer = json.loads(self._line(process, where))
        except OSError as e:
            raise self._ended(where) from e
        if "error" in answer:
            raise SourceError(str(answer["error"]), where=where, remedy=str(answer.get("remedy", "")))
        return dict(answer)

    def _line(self, process: subprocess.Popen[bytes], where: str) -> bytes:
        assert process.stdout is not None
        end, pieces, size = time.monotonic() + self._seconds, list[bytes](), 0
        while True:
            left = end - time.monotonic()
            if left <= 0 or not select.select([process.stdout], [], [], left)[0]:
                self._stop()
                raise SourceError(
                    f"took longer to read than {self._seconds:.0f} seconds", where=where, remedy="split or simplify it"
                )
            piece = os.read(process.stdout.fileno(), 1 << 16)
            size += len(piece)
            if not piece or size > _MAX_ANSWER:
                raise self._ended(where)
            pieces.append(piece)
            if piece.endswith(b"\n"):
                return b"".join(pieces)

    def _ended(self, where: str) -> SourceError:
        """The error of a file that ended the process."""
        code = self._stop()
        how = f"was ended by {signal.Signals(-code).name}" if code is not None and code < 0 else "ended"
        return SourceError(
            f"the process that was reading it {how}: damaged, or too large", where=where, remedy="save it anew"
        )

    def _stop(self) -> int | None:
        process, self._process = self._process, None
        if process is None:
            return None
        try:
            code = process.wait(0.5)
        except subprocess.TimeoutExpired:
            process.kill()
            code = None
            process.wait()
        _close(process)
        return code

    def _start(self) -> subprocess.Popen[bytes]:
        paths = os.pathsep.join(p for p in sys.path if p)
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START.format(memory=self._memory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": paths, "PYTHONSAFEPATH": "1"},
            start_new_session=True,  # Ctrl-C is its parent's
        )
        return self._process


def _as_sound(answer: dict[str, Any]) -> Sound:
    return Sound(float(answer["seconds"]), int(answer["rate"]), tuple(map(str, answer["notes"])))


def _close(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        with suppress(OSError):  # what was not sent yet has nowhere to go
            if pipe is not None:
                pipe.close()
