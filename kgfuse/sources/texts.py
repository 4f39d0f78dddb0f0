"""Plain and Markdown texts as they are stored, and the words of any file for those who need no more."""

from __future__ import annotations

from pathlib import Path

from kgfuse.errors import SourceError
from kgfuse.sources.decoding import decoded
from kgfuse.sources.identify import Identified
from kgfuse.sources.normal import Changed, joined, normalise
from kgfuse.sources.readers import DOCUMENTS
from kgfuse.sources.sandbox import Sandbox

MARKDOWN = "text/markdown"


def stored(data: bytes, media_type: str, where: Path | str, encoding: str | None = None) -> tuple[Changed, str]:
    """A text as it is stored, and the encoding that it was in.

    Raises:
        SourceError: its encoding cannot be told, or it holds nothing.
    """
    found = decoded(data, where, encoding)
    text = normalise(found.text)
    if media_type == MARKDOWN:
        from kgfuse.sources.markdown import plain

        words = plain(text.text)
        if words.text.strip():  # a file of nothing but marks is kept as it is
            text = joined(text, words)
    return text, found.encoding


def words(identified: Identified, where: str, encoding: str | None = None) -> str:
    """The text of a file that is read without being added.

    Raises:
        SourceError: it is none that holds a text, or it cannot be read.
    """
    if identified.kind != "text":
        remedy = "name a text or document; pictures, recordings and tables are read by `kgfuse add` and `kgfuse build`"
        raise SourceError(f"is no text but {identified.media_type}", where=where, remedy=remedy)
    if identified.media_type in DOCUMENTS:
        with Sandbox() as sandbox:
            document, _ = sandbox.read(identified.path, identified.media_type, where, encoding)
        if not document.text.strip():
            raise SourceError("has no text", where=where, remedy="add its pictures")
        return document.text
    try:
        data = identified.path.read_bytes()
    except OSError as e:
        raise SourceError(f"cannot be read: {e.strerror}", where=where, remedy="check its permissions") from e
    return stored(data, identified.media_type, where, encoding)[0].text
