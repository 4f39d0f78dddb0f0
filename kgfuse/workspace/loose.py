"""Files that are read without being added: what `add` and `build` make of them, kept for as long as they are read."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final

from kgfuse.catalog import Blobs, SourceRow
from kgfuse.errors import SourceError
from kgfuse.extract.document import Document
from kgfuse.extract.documents import text_source
from kgfuse.extract.speech.settings import SpeechSettings
from kgfuse.sources.identify import identify
from kgfuse.sources.readers import DOCUMENTS
from kgfuse.sources.sandbox import Sandbox
from kgfuse.sources.texts import stored
from kgfuse.terms.mentions import Source, TextSpan
from kgfuse.workspace.arrival import Arrivals
from kgfuse.workspace.parts import source_of
from kgfuse.workspace.transcribing import SILENT, transcribed
from kgfuse.workspace.whereabouts import whereabouts

if TYPE_CHECKING:
    from kgfuse.extract.speech.transcriber import Transcriber

_READ: Final = ("text", "image", "audio")


class LooseFiles:
    """Opens files as sources, and finds where in them something stands.

    Args:
        speech: how recordings are transcribed.
        encoding: of texts that do not tell theirs.
        language: of all texts, as an ISO 639 code; ``None`` lets each text tell.
    """

    def __init__(self, speech: SpeechSettings, encoding: str | None = None, language: str | None = None) -> None:
        self._speech, self._encoding, self._language = speech, encoding, language
        self._folder = tempfile.TemporaryDirectory(prefix="kgfuse-")
        self._blobs = Blobs(Path(self._folder.name))
        self._sandbox = Sandbox()
        self._rows: dict[str, SourceRow] = {}

    def __enter__(self) -> LooseFiles:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._sandbox.close()
        self._folder.cleanup()

    def open(self, path: Path) -> tuple[list[Source], tuple[str, ...]]:
        """The text, transcript or picture of a file, then the pictures in it; and what was left out, in sentences.

        Raises:
            SourceError: it is neither text, picture nor recording, or cannot be read.
            ModelError: it is a recording, and the model that transcribes it cannot be loaded.
        """
        name, identified = path.as_posix(), identify(path)
        if identified.kind not in _READ:
            said = f"is no text, picture or recording but {identified.media_type}"
            raise SourceError(said, where=name, remedy="read it by `kgfuse add` and `kgfuse build`")
        if identified.kind == "text" and identified.media_type not in DOCUMENTS:
            return [self.text(_bytes(path), name, name, identified.media_type)], ()
        arrivals = Arrivals(self._blobs, self._sandbox, self._encoding, self._language)
        arrived = arrivals.rows(name, path, name, identified, None, None)
        first, *pictures = arrived.rows
        if first.kind == "audio":
            first = self._transcribed(first)
        self._rows[name] = first
        sources = [source_of(row, self._blobs) for row in (first, *pictures)]
        if first.kind == "text" and not (sources[0].text or "").strip():
            del sources[0]
        if not sources:
            raise SourceError("has neither text nor pictures", where=name, remedy="leave it out")
        return sources, arrived.notes

    def text(self, data: bytes, name: str, where: str, media_type: str = "text/plain") -> Source:
        """A text of these bytes.

        Args:
            data: as they came.
            name: what to call it.
            where: what problems call it.
            media_type: plain or Markdown.

        Raises:
            SourceError: its encoding cannot be told, or it holds nothing.
        """
        return text_source(name, stored(data, media_type, where, self._encoding)[0].text)

    def located(self, document: Document) -> Document:
        """The document with the places of its characters in the file."""
        row = self._rows.get(document.name)
        spans = [spot for spot in document.spots if isinstance(spot, TextSpan)]
        found = None if row is None else whereabouts(self._blobs, row, self._sandbox)
        if found is None or not spans:
            return document
        at = found.at((span.start, span.end) for span in sorted(spans, key=lambda s: (s.start, s.end)))
        return replace(document, where={s: at[s.start, s.end] for s in spans if (s.start, s.end) in at})

    @cached_property
    def _transcriber(self) -> Transcriber:
        from kgfuse.extract.speech.transcriber import Transcriber

        return Transcriber(self._speech)

    def _transcribed(self, row: SourceRow) -> SourceRow:
        made = transcribed(self._blobs, self._transcriber, row)
        if self._blobs.read_text(made.text_sha256 or "").strip():
            return made
        raise SourceError(SILENT, where=row.name)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as e:
        raise SourceError(f"cannot be read: {e.strerror}", where=path, remedy="check its permissions") from e
