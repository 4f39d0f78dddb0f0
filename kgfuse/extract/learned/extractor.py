"""The trained relation extractor as one of kgfuse's extractors: texts in, statements with their words out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, Final

from kgfuse.encode.weights import file_sha256
from kgfuse.errors import ModelError
from kgfuse.extract.learned.artefact import RECORD, Found, RelationReader
from kgfuse.extract.learned.locate import is_anaphor
from kgfuse.extract.learned.schema import schema_of
from kgfuse.extract.learned.tokens import is_whole, rounded, tokenise
from kgfuse.extract.protocol import Found as Yielded
from kgfuse.extract.text.nlp import EMBEDDED, model_hash, model_view, pieces
from kgfuse.extract.values import value_of
from kgfuse.ontology.vocabulary import Vocabulary
from kgfuse.terms.mentions import Mention, Source, SourceKind, Statement, TextSpan, Value
from kgfuse.terms.namespaces import digest

VERSION: Final = "4"
FOLDER: Final = "extractor"
NAME: Final = "ontology"


class LearnedExtractor:
    """Reads texts with a trained relation reader, sentence by sentence, many at once.

    Args:
        vocabulary: what may be said.
        folder: of the trained extractor.
        threshold: least probability; ``None`` takes the learned one.
        device: where the reader runs.
    """

    name = "relations"
    kinds: frozenset[SourceKind] = frozenset(("text",))
    languages = frozenset(("en",))

    def __init__(
        self, vocabulary: Vocabulary, folder: Path, threshold: float | None = None, device: str = "auto"
    ) -> None:
        self.vocabulary = vocabulary
        self.schema = schema_of(vocabulary, NAME)
        self.reader = _reader(folder, file_sha256(folder / RECORD), device)
        self.threshold = threshold
        self.parameters: Mapping[str, Any] = {
            "extractor": file_sha256(folder / RECORD),
            "places": model_hash(EMBEDDED),
            "threshold": threshold,
            "vocabulary": vocabulary.sha256,
            "version": VERSION,
        }
        self.fingerprint = digest(repr(sorted(self.parameters.items(), key=lambda p: p[0])))

    def extract(self, source: Source) -> Iterable[Yielded]:
        """Yield what one text says."""
        return next(self.extract_batch([source]))

    def extract_batch(self, sources: Sequence[Source]) -> Iterator[list[Yielded]]:
        """Yield one list per text, in order; what it holds does not depend on the others."""
        cut = [list(windows_of(source.text or "", self.reader.tokenizer)) for source in sources]
        rows = iter(self._read([window for windows in cut for _, window in windows]))
        for source, windows in zip(sources, cut, strict=True):
            yield list(self._found(source, windows, list(islice(rows, len(windows)))))

    def _read(self, windows: Sequence[str]) -> list[list[Found]]:
        """Triples of each sentence; they are the same whatever is read beside it, since only one size is."""
        sized: dict[tuple[int, int], list[int]] = {}
        for n, tokens in enumerate(tokenise(self.reader.tokenizer, windows)):
            sized.setdefault((rounded(len(tokens.ids)), rounded(len(tokens.first))), []).append(n)
        found: list[list[Found]] = [[] for _ in windows]
        for _, numbers in sorted(sized.items()):
            rows = self.reader.read([windows[n] for n in numbers], self.schema, least=self.threshold)
            for n, row in zip(numbers, rows, strict=True):
                found[n] = row
        return found

    def _found(
        self, source: Source, windows: Sequence[tuple[int, str]], rows: Sequence[Sequence[Found]]
    ) -> Iterator[Yielded]:
        topic: Mention | None = None
        for (offset, window), found in zip(windows, rows, strict=True):
            for one in found:
                statement = self._statement(source, offset, window, one, topic)
                if statement is not None:
                    yield from statement.evidence
                    yield statement
            topic = topic or self._topic(source, offset, window, found)

    def _topic(self, source: Source, offset: int, window: str, found: Sequence[Found]) -> Mention | None:
        """What the text is about, for its pronouns: the first subject of its first sentence with triples."""
        named = [f for f in found if not is_anaphor(window[slice(*f.subject)])]
        return self._mention(source, offset, window, min(named, key=lambda f: f.subject).subject) if named else None

    def _statement(
        self, source: Source, offset: int, window: str, one: Found, topic: Mention | None
    ) -> Statement | None:
        place = self._mention(source, offset, window, one.subject)
        evidence = [place]
        subject, note = place, ""
        if is_anaphor(window[slice(*one.subject)]):
            if source.item is not None:
                subject = Mention(
                    source.iri, place.selector, source.item_label or "", "relations.subject", entity=source.item
                )
                evidence = [subject]
            elif topic is not None:
                subject = topic
                evidence.append(topic)
            else:
                return None
            note = f"; “{place.label}” is “{subject.label}”"
        said = window[slice(*one.object)]
        words = self._mention(source, offset, window, one.object)
        object_: Mention | Value = words
        prop = self.vocabulary.properties.get(one.relation.key)
        if prop is not None and prop.kind == "data":
            value = value_of(said, prop.range)
            if value is None:
                return None
            object_ = value
        return Statement(
            subject,
            one.relation.key,
            object_,
            (*evidence, words, self._mention(source, offset, window, (0, len(window)))),
            "relations",
            round(one.probability, 6),
            f"the trained extractor reads “{one.relation.label}” between “{place.label}” and “{said}”{note}",
            source.iri,
        )

    def _mention(self, source: Source, offset: int, window: str, span: tuple[int, int]) -> Mention:
        start, end = span
        exact = (source.text or "")[offset + start : offset + end]
        return Mention(
            source.iri, TextSpan(offset + start, offset + end, exact), " ".join(exact.split()), "relations.words"
        )


def windows_of(text: str, tokenizer: Any) -> Iterator[tuple[int, str]]:
    """The sentences, one at a time as in training: (offset, sentence as read); what the reader would cut, in parts."""
    view = model_view(text)
    for start, end in _sentences(view):
        yield from _readable(start, view[start:end], tokenizer)


def _readable(offset: int, text: str, tokenizer: Any) -> Iterator[tuple[int, str]]:
    if is_whole(tokenizer, text) or len(text) < 2:
        yield offset, text
        return
    for start, part in pieces(text, (len(text) + 1) // 2):
        if part.strip():
            yield from _readable(offset + start, part, tokenizer)


def _sentences(view: str) -> Iterator[tuple[int, int]]:
    doc = _sentencizer()(view)
    for sentence in doc.sents:
        words = [t for t in sentence if not t.is_space]
        if words:
            yield words[0].idx, words[-1].idx + len(words[-1])


@lru_cache(maxsize=1)
def _sentencizer() -> Any:
    import spacy

    nlp = spacy.blank("en")
    nlp.max_length = 100_000_000
    nlp.add_pipe("sentencizer")
    return nlp


@lru_cache(maxsize=2)
def _reader(folder: Path, version: str, device: str) -> RelationReader:
    return RelationReader.load(folder, device)


def find(vocabulary: Vocabulary, model: str) -> Path | None:
    """Folder of the trained extractor: the one that is set, else that of the last pack that brings one.

    Raises:
        ModelError: the folder that is set holds none.
    """
    if model:
        folder = Path(model)
        if not (folder / RECORD).is_file():
            raise ModelError("no trained extractor is there", where=folder, remedy="kgfuse ontologies train")
        return folder
    brought = [p.folder / FOLDER for p in vocabulary.packs if p.folder and (p.folder / FOLDER / RECORD).is_file()]
    return brought[-1] if brought else None
