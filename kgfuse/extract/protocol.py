"""What an extractor is, and how one is run: the whole contract between kgfuse and a plug-in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

from kgfuse.terms.mentions import Extraction, Mention, Source, SourceKind, Statement, TextSpan
from kgfuse.terms.namespaces import RUN, digest

if TYPE_CHECKING:
    from kgfuse.extract.settings import ExtractSettings
    from kgfuse.ontology.vocabulary import Vocabulary

Found: TypeAlias = Mention | Statement
"""What an extractor yields."""


@runtime_checkable
class Extractor(Protocol):
    """Finds mentions and statements in one source at a time.

    An extractor is pure: what it yields depends on the source, its own settings and its vocabulary, never on other
    sources or on their order. It may also have

    * ``extract_batch(sources) -> Iterable[list[Found] | Exception]``: the same results for many sources at once, and in
      place of those of a source what came up over it; where it raises instead, each source is tried alone;
    * ``parameters``: a JSON-able mapping that goes into the record of the run;
    * ``languages``: ISO 639 codes of the texts that it reads, where it does not read all. A text whose language is not
      known is read by all.
    """

    @property
    def name(self) -> str:
        """Short name, such as ``text``."""
        ...

    @property
    def kinds(self) -> frozenset[SourceKind]:
        """The kinds of source it reads."""
        ...

    @property
    def fingerprint(self) -> str:
        """Version, settings, vocabulary and model hashes in one string: what else its results depend on."""
        ...

    def extract(self, source: Source) -> Iterable[Found]:
        """Yield what the source says."""
        ...


@runtime_checkable
class BatchExtractor(Extractor, Protocol):
    """An extractor that is faster on many sources at once."""

    def extract_batch(self, sources: Sequence[Source]) -> Iterable[list[Found] | Exception]:
        """Yield one list per source, in the order given, equal to what `extract` yields for it, or what it raises."""
        ...


class Factory(Protocol):
    """What an entry point of the group ``kgfuse.extractors`` resolves to."""

    def __call__(self, vocabulary: Vocabulary, settings: ExtractSettings, **resources: Any) -> Extractor | None:
        """Return an extractor for this vocabulary, or ``None`` where it has nothing to work with.

        Parameters beyond these two are optional resources, by name.
        """
        ...


def kinds_read(extractor: Extractor) -> frozenset[SourceKind]:
    """The kinds of source that an extractor reads: what reads texts reads the transcripts of recordings too."""
    return extractor.kinds | {"audio"} if "text" in extractor.kinds else extractor.kinds


def reads(extractor: Extractor, kind: SourceKind, language: str) -> bool:
    """Whether an extractor reads sources of this kind and language (empty where it is not known)."""
    languages = getattr(extractor, "languages", None)
    return kind in kinds_read(extractor) and (not language or languages is None or language in languages)


def run_iri(extractor: Extractor) -> str:
    """IRI of the run: the same extractor with the same settings and models is the same run."""
    return RUN + digest(extractor.name, extractor.fingerprint)


def extraction_key(extractor: Extractor, source: Source) -> str:
    """Key under which an extraction may be reused: everything the result depends on."""
    return digest(
        extractor.name,
        extractor.fingerprint,
        source.iri,
        source.sha256,
        digest(source.text or ""),  # the same bytes may have been decoded otherwise
        source.item or "",
        source.item_label or "",
        *sorted(source.item_types),
        *((f"mapping {source.mapping}",) if source.mapping else ()),
        *((f"heard {source.heard}",) if source.heard else ()),
    )


def run(extractor: Extractor, sources: Sequence[Source]) -> Iterator[Extraction]:
    """Run an extractor over sources of its kinds, in batches where it can, and yield one extraction per source."""
    iri = run_iri(extractor)
    parameters: Mapping[str, Any] = getattr(extractor, "parameters", {})
    found: Iterable[Iterable[Found] | Exception]
    if isinstance(extractor, BatchExtractor):
        found = extractor.extract_batch(sources)
    else:
        found = (extractor.extract(source) for source in sources)
    for source, results in zip(sources, found, strict=True):
        if isinstance(results, Exception):
            raise results
        yield collect(source.iri, iri, results, parameters)


def collect(source: str, run: str, found: Iterable[Found], parameters: Mapping[str, Any]) -> Extraction:
    """Sort what was found into mentions and statements; repeated finds are kept once, in first-seen order."""
    mentions: dict[Mention, None] = {}
    statements: dict[Statement, None] = {}
    for one in found:
        if isinstance(one, Mention):
            mentions.setdefault(one)
        else:
            statements.setdefault(one)
    return Extraction(source, run, tuple(mentions), tuple(statements), parameters)


def check_places(found: Iterable[Found], source: Source) -> None:
    """Nothing enters whose characters are not those of the stored text.

    Raises:
        TypeError: something is neither mention nor statement.
        ValueError: a mention is in another source, or its characters are not there.
    """
    for one in found:
        if not isinstance(one, Mention | Statement):
            raise TypeError(f"gave a {type(one).__name__}, neither mention nor statement")
        for mention in (one,) if isinstance(one, Mention) else one.evidence:
            _check_place(mention, source)


def _check_place(mention: Mention, source: Source) -> None:
    place = mention.selector
    if mention.source != source.iri:
        raise ValueError(f"gave a mention in {mention.source} while reading {source.iri}")
    if not isinstance(place, TextSpan) or source.text is None:
        return
    if not 0 <= place.start < place.end or source.text[place.start : place.end] != place.exact:
        raise ValueError(f"characters {place.start} to {place.end} are not {place.exact!r}")
