"""Files that are classified without being added: sources and items that the workspace forgets again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kgfuse.catalog import ItemRow
from kgfuse.errors import SourceError, UsageError
from kgfuse.extract.identity.same import Identity
from kgfuse.extract.resolve import resolve
from kgfuse.sources.identify import identify
from kgfuse.sources.texts import words
from kgfuse.terms.mentions import Extraction, Fact, Source
from kgfuse.terms.namespaces import item_iri, source_iri
from kgfuse.workspace import identity
from kgfuse.workspace.dataset import Sample
from kgfuse.workspace.parts import Parts

if TYPE_CHECKING:
    from kgfuse.extract.speech.transcript import Transcript


def visiting_source(path: Path, hear: Callable[[Path, str], Transcript], folder: Path | None = None) -> Source:
    """A text, picture or recording as a source of an item named after its stem.

    Args:
        path: of the file.
        folder: that was given for it: the item is named by the way from there, so that files of one name in two folders
            below it are two items.
        hear: path and media type of a recording to its transcript.

    Raises:
        SourceError: it cannot be read.
        ModelError: it is a recording, and what reads those is not installed.
        UsageError: it is neither text, picture nor recording.
    """
    identified = identify(path)
    if identified.kind not in ("text", "image", "audio"):
        said = "is neither text, picture nor recording"
        raise UsageError(f"{path} {said}", remedy="classify texts, pictures and recordings")
    try:
        data = path.read_bytes()
    except OSError as e:
        raise SourceError(f"cannot be read: {e.strerror}", where=path, remedy="check its permissions") from e
    text: str | None = None
    heard: tuple[tuple[int, float], ...] = ()
    if identified.kind == "text":
        text = words(identified, str(path))
    elif identified.kind == "audio":
        transcript = hear(path, identified.media_type)
        text, heard = transcript.text, transcript.places.heard
    place = Path(path.name) if folder is None else path.relative_to(folder)
    name = f"input/{place.as_posix()}"
    return Source(
        iri=source_iri(name),
        name=name,
        kind=identified.kind,
        media_type=identified.media_type,
        sha256=hashlib.sha256(data).hexdigest(),
        item=item_iri(f"input/{place.with_name(path.stem).as_posix()}"),
        item_label=path.stem,
        text=text,
        path=path,
        heard=heard,
    )


def visiting_facts(parts: Parts, found: Iterable[Extraction], known: Identity) -> tuple[Fact, ...]:
    """What such sources say, of the things that the workspace knows under other names too.

    Args:
        parts: the workspace.
        found: extractions of the sources.
        known: which names the workspace's own sources use for one thing.
    """
    told = identity.wishes(parts.catalog)
    decided = {iri for wish in told for iri in (wish.a, wish.b)}
    lasting = [wish for wish in known.lasting if wish.a not in decided]
    items = parts.known_items(parts.catalog.items())
    wishes = [*told, *lasting]
    extract, vocabulary = parts.settings.extract, parts.vocabulary
    return resolve(found, vocabulary, items, extract, wishes=wishes, gazetteer=parts.gazetteer).facts


def visiting_samples(sources: Sequence[Source]) -> list[Sample]:
    """Items of such sources: a text and pictures of one name are one item."""
    groups: dict[str, list[Source]] = {}
    for source in sources:
        groups.setdefault(source.item or "", []).append(source)
    return [
        Sample(
            ItemRow(iri=item, identifier=own[0].name.rsplit(".", 1)[0], label=""),
            tuple(s.text for s in own if s.text),
            tuple(own),
        )
        for item, own in groups.items()
    ]
