"""What a file becomes in the catalog: its bytes and its text as blobs, and a row that says what is known of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from kgfuse.catalog import Blobs, SourceRow
from kgfuse.errors import SourceError
from kgfuse.sources.document import Document, Picture
from kgfuse.sources.exif import read_exif
from kgfuse.sources.identify import Identified, identify
from kgfuse.sources.language import language
from kgfuse.sources.normal import Changed
from kgfuse.sources.places import dumps, of_characters
from kgfuse.sources.readers import DOCUMENTS
from kgfuse.sources.sandbox import Sandbox
from kgfuse.sources.sound_kinds import REMEDY, missing
from kgfuse.sources.texts import stored

READER: Final = "1"
"""Version of the document readers: a document that an older one read is read again when it is added again."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """What a file became.

    Args:
        rows: its own, then those of the pictures in it.
        notes: what of it was left out, and why, in sentences.
        beside: pictures that are files beside it.
    """

    rows: tuple[SourceRow, ...]
    notes: tuple[str, ...] = ()
    beside: tuple[Picture, ...] = ()


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Makes catalog rows of files.

    Args:
        blobs: where bytes and texts go.
        sandbox: reads documents.
        encoding: of texts that do not tell theirs.
        language: of all texts, as an ISO 639 code; ``None`` lets each text tell.
    """

    blobs: Blobs
    sandbox: Sandbox
    encoding: str | None = None
    language: str | None = None

    def rows(
        self, name: str, path: Path, location: str, identified: Identified, item: str | None, parent: str | None
    ) -> Arrived:
        """The row of a file, and those of the pictures in it, their content kept.

        Args:
            name: of the source.
            path: where the bytes are now.
            location: where they were found.
            identified: what the file is.
            item: IRI of the item it belongs to.
            parent: name of the source that brought it.

        Raises:
            SourceError: it cannot be read as what it is.
        """
        if identified.kind == "audio":
            return self._recording(name, path, location, identified, item, parent)
        try:
            data = path.read_bytes()
        except OSError as e:
            raise SourceError(f"cannot be read: {e.strerror}", where=location, remedy="check its permissions") from e
        text_sha, meta = None, dict[str, Any]()
        document, folder = Document(""), path
        if identified.media_type in DOCUMENTS:
            document, folder = self.sandbox.read(path, identified.media_type, location, self.encoding)
            text_sha = self.keep_document(document, meta) if identified.kind == "text" else None
        elif identified.kind == "text":
            text, encoding = stored(data, identified.media_type, location, self.encoding)
            if encoding not in ("utf-8", "utf-8-sig"):
                meta["encoding"] = encoding
            text_sha = self.keep_text(text, meta)
        if identified.kind == "archive":
            raise SourceError("is an archive", where=location, remedy="add it by itself")
        row = SourceRow(
            name=name,
            location=location,
            kind=identified.kind,
            media_type=identified.media_type,
            sha256=self.blobs.put(data),
            text_sha256=text_sha,
            item=item,
            size=len(data),
            parent=parent,
            meta=meta,
        )
        pictures = tuple(self._picture(p, folder, row) for p in document.pictures if p.file)
        notes = document.notes
        if identified.kind == "image":
            notes = (*notes, *read_exif(data).notes)
        return Arrived((row, *pictures), notes, tuple(p for p in document.pictures if p.beside))

    def _recording(
        self, name: str, path: Path, location: str, identified: Identified, item: str | None, parent: str | None
    ) -> Arrived:
        """The row of a recording; its transcript is a build's work."""
        if missing():
            raise SourceError("is a recording, and what reads these is not installed", where=location, remedy=REMEDY)
        sound = self.sandbox.sound(path, identified.media_type, location)
        meta = {"seconds": sound.seconds, "rate": sound.rate, "reader": READER, "notes": list(sound.notes)}
        if self.language is not None:
            meta["spoken"] = self.language
        try:
            sha256, size = self.blobs.put(path), path.stat().st_size
        except OSError as e:
            raise SourceError(f"cannot be read: {e.strerror}", where=location, remedy="check its permissions") from e
        told = {key: value for key, value in meta.items() if value}
        row = SourceRow(
            name, location, "audio", identified.media_type, sha256, item=item, size=size, parent=parent, meta=told
        )
        return Arrived((row,), sound.notes)

    def beside(self, picture: Picture, name: str, path: Path, location: str, page: SourceRow) -> SourceRow:
        """The row of a picture that is a file beside the page that names it.

        Raises:
            SourceError: it is no picture.
        """
        identified = identify(path)
        if identified.kind != "image":
            raise SourceError("is no picture", where=location)
        row = self.rows(name, path, location, identified, page.item, page.name).rows[0]
        return replace(row, meta=dict(row.meta) | _told(picture))

    def keep_document(self, document: Document, meta: dict[str, Any]) -> str:
        """Keep a document's text; ``meta`` gets what else is known of it."""
        said = self.language if self.language is not None else language(document.text)
        told = {"language": said, "title": document.title, "reader": READER, "notes": list(document.notes)}
        meta |= {key: value for key, value in told.items() if value}
        if document.places is not None:
            meta["places"] = self.blobs.put(dumps(document.places))
        return self.blobs.put(document.text.encode("utf-8"))

    def _picture(self, picture: Picture, folder: Path, of: SourceRow) -> SourceRow:
        path = folder / picture.file
        return SourceRow(
            name=f"{of.name}#{picture.name}",
            location=f"{of.location}#{picture.name}",
            kind="image",
            media_type=picture.media_type,
            sha256=self.blobs.put(path),
            item=of.item,
            size=path.stat().st_size,
            parent=of.name,
            meta={"embedded": True} | _told(picture),
        )

    def keep_text(self, text: Changed, meta: dict[str, Any]) -> str:
        """Keep a text as it is stored; ``meta`` gets its language and where its characters come from."""
        said = self.language if self.language is not None else language(text.text)
        if said:
            meta["language"] = said
        places = of_characters(text)
        if places is not None:
            meta["places"] = self.blobs.put(dumps(places))
        return self.blobs.put(text.text.encode("utf-8"))


def _told(picture: Picture) -> dict[str, Any]:
    """What a document says of a picture."""
    told = {"page": picture.page, "path": picture.path, "caption": picture.caption, "alternative": picture.alternative}
    return {key: value for key, value in told.items() if value}
