"""Why a triple is in the graph, as RDF: statements (RDF 1.1 reification), their mentions (Web Annotation), runs (PROV).

All of it stands in ``kgf:provenance``, under IRIs derived from content: no blank nodes, no clock. There is one
statement node for a graph and triple, however many extractors found it. Mentions and runs are shared between
statements and go with the last statement that refers to them.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cached_property, lru_cache
from typing import Any, Final

import pyoxigraph as ox

from kgfuse.graph.nodes import named, node, text
from kgfuse.graph.store import GraphStore, holds
from kgfuse.terms.mentions import DocumentPlace, Fact, Mention, Region, Source, TextSpan, Value
from kgfuse.terms.namespaces import DCTERMS, GRAPH_PROVENANCE, KGF, OA, PROV, RDF, REVIEW, RUN, STATEMENT, XSD, digest

GRAPH: Final = ox.NamedNode(GRAPH_PROVENANCE)
TYPE: Final = ox.NamedNode(RDF + "type")
SUBJECT: Final = ox.NamedNode(RDF + "subject")
PREDICATE: Final = ox.NamedNode(RDF + "predicate")
OBJECT: Final = ox.NamedNode(RDF + "object")
IN_GRAPH: Final = ox.NamedNode(KGF + "inGraph")
OF_SOURCE: Final = ox.NamedNode(KGF + "ofSource")
CONFIDENCE: Final = ox.NamedNode(KGF + "confidence")
EXTRACTOR: Final = ox.NamedNode(KGF + "extractor")
REASON: Final = ox.NamedNode(KGF + "reason")
ASSERTION: Final = ox.NamedNode(KGF + "assertion")
SAID_BY: Final = ox.NamedNode(KGF + "saidBy")
UNIT: Final = ox.NamedNode(KGF + "unit")
REFERS_TO: Final = ox.NamedNode(KGF + "refersTo")
FILE_NAME: Final = ox.NamedNode(KGF + "fileName")
SHA256: Final = ox.NamedNode(KGF + "sha256")
FORMAT: Final = ox.NamedNode(DCTERMS + "format")
LANGUAGE: Final = ox.NamedNode(DCTERMS + "language")
TRANSCRIPTION: Final = ox.NamedNode(KGF + "transcription")
_UNTOLD: Final = ("", "en")
DERIVED_FROM: Final = ox.NamedNode(PROV + "wasDerivedFrom")
GENERATED_BY: Final = ox.NamedNode(PROV + "wasGeneratedBy")
HAS_SOURCE: Final = ox.NamedNode(OA + "hasSource")
HAS_SELECTOR: Final = ox.NamedNode(OA + "hasSelector")
START: Final = ox.NamedNode(OA + "start")
END: Final = ox.NamedNode(OA + "end")
EXACT: Final = ox.NamedNode(OA + "exact")
VALUE: Final = ox.NamedNode(RDF + "value")
CONFORMS_TO: Final = ox.NamedNode(DCTERMS + "conformsTo")
MEDIA_FRAGMENTS: Final = ox.NamedNode("http://www.w3.org/TR/media-frags/")
CELL_FRAGMENTS: Final = ox.NamedNode("http://tools.ietf.org/rfc/rfc7111")
PDF_FRAGMENTS: Final = ox.NamedNode("http://tools.ietf.org/rfc/rfc3778")

DECISION: Final = ox.NamedNode(KGF + "decision")
REVIEWER: Final = ox.NamedNode(KGF + "reviewer")
ON_SUBJECT: Final = ox.NamedNode(KGF + "onSubject")
ON_PREDICATE: Final = ox.NamedNode(KGF + "onPredicate")
ON_OBJECT: Final = ox.NamedNode(KGF + "onObject")
ON_WORDS: Final = ox.NamedNode(KGF + "onWords")
REPLACED_BY: Final = ox.NamedNode(KGF + "replacedBy")

_REVIEWED: Final = ox.NamedNode(KGF + "Review")
_STATEMENT: Final = ox.NamedNode(RDF + "Statement")
_MENTION: Final = ox.NamedNode(KGF + "Mention")
_SOURCE: Final = ox.NamedNode(KGF + "Source")
_RUN: Final = ox.NamedNode(KGF + "Run")
_ACTIVITY: Final = ox.NamedNode(PROV + "Activity")
VERSION: Final = ox.NamedNode(KGF + "version")
MODEL_HASH: Final = ox.NamedNode(KGF + "modelHash")
PARAMETERS: Final = ox.NamedNode(KGF + "parameters")
STEP: Final = ox.NamedNode(KGF + "preprocessing")
_STEP: Final = ox.NamedNode(KGF + "PreprocessingStep")
_STEP_NAME: Final = ox.NamedNode(KGF + "stepName")
_STEP_NUMBER: Final = ox.NamedNode(KGF + "stepNumber")
_STEP_VERSION: Final = ox.NamedNode(KGF + "stepVersion")
_STEP_PARAMETERS: Final = ox.NamedNode(KGF + "stepParameters")
_POSITION: Final = ox.NamedNode(OA + "TextPositionSelector")
_QUOTE: Final = ox.NamedNode(OA + "TextQuoteSelector")
_FRAGMENT: Final = ox.NamedNode(OA + "FragmentSelector")
_XPATH: Final = ox.NamedNode(OA + "XPathSelector")
_SELECTOR_PARTS: Final = ("/position", "/quote", "/fragment", "/element")  # after the mention's IRI
_JSON: Final = ox.NamedNode(RDF + "JSON")
_INTEGER: Final = ox.NamedNode(XSD + "integer")
_DECIMAL: Final = ox.NamedNode(XSD + "decimal")
_ESCAPES: Final = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r"})
_FORM: Final[dict[ox.NamedNode | str, str]] = {
    value: str(value) for value in tuple(globals().values()) if isinstance(value, ox.NamedNode)
}
"""N-Triples forms of the terms above."""


@dataclass(frozen=True)
class RunRecord:
    """What produced statements: enough to do it again.

    Args:
        extractors: names of the extractors at work.
        version: of kgfuse.
        models: model name → SHA-256 of its weights.
        parameters: their whole configuration, as JSON values; ``preprocessing``, where it is there, lists what was
            done to a source before it was read: steps, each with ``step`` (its name), ``version`` and parameters.
    """

    extractors: tuple[str, ...]
    version: str
    models: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def parameters_json(self) -> str:
        """The parameters in one canonical line."""
        return _json(self.parameters)

    @cached_property
    def iri(self) -> str:
        """Derived from all of it: the same set-up is the same run."""
        models = (f"{name} {sha}" for name, sha in sorted(self.models.items()))
        return RUN + digest(*sorted(self.extractors), "", self.version, *models, "", self.parameters_json)


@dataclass(frozen=True, slots=True)
class Review:
    """A person's decision, as the graph keeps it.

    Args:
        source: IRI of the source that makes the statement.
        subject, predicate, object: of the statement that was decided on.
        decision: ``accepted``, ``rejected`` or ``corrected``.
        reviewer: who decided.
        words: of the text that it was decided on.
        replaced_by: IRI of the statement node that took its place.
    """

    source: str
    subject: str
    predicate: str
    object: str | Value
    decision: str
    reviewer: str
    words: str = ""
    replaced_by: str = ""


def statement_iri(graph: str, subject: str, predicate: str, object: str | Value) -> str:
    """IRI of the statement node for this triple in this graph."""
    return STATEMENT + digest(graph, subject, predicate, str(node(object)))


def decimal(number: float) -> ox.Literal:
    """A confidence as ``xsd:decimal``, four digits at most, in canonical form.

    >>> decimal(0.90004).value, decimal(1.0).value
    ('0.9', '1')
    """
    rounded = Decimal(repr(float(number))).quantize(Decimal("0.0001"), ROUND_HALF_EVEN).normalize()
    return ox.Literal(f"{rounded:f}" if rounded else "0", datatype=_DECIMAL)


def fact_triples(facts: Iterable[Fact]) -> dict[str, list[ox.Triple]]:
    """What the facts say, by the IRI of the source whose graph says it; each triple once, sorted."""
    found: dict[str, set[ox.Triple]] = defaultdict(set)
    for fact in facts:
        found[fact.source].add(_triple(fact))
    return {source: sorted(triples, key=str) for source, triples in sorted(found.items())}


def fact_lines(facts: Iterable[Fact], places: Mapping[str, DocumentPlace] | None = None) -> Iterator[str]:
    """Statement nodes and mentions of facts: confidence is the highest, evidence, runs and reasons the union.

    Args:
        facts: of one source, or of many.
        places: of mentions in documents, by the mention's IRI.
    """
    groups: dict[tuple[str, str, str, str], list[Fact]] = defaultdict(list)
    mentions: dict[str, tuple[Mention, set[str]]] = {}
    for fact in facts:
        groups[fact.source, fact.subject, fact.predicate, _term(fact.object)].append(fact)
        for mention in fact.evidence:
            _, referred = mentions.setdefault(mention.iri, (mention, set()))
            if mention.entity is not None:
                referred.add(mention.entity)
    for (graph, subject, predicate, value), group in groups.items():
        yield from _statement(graph, subject, predicate, value, group)
    for mention, referred in mentions.values():
        yield from mention_lines(mention, referred, (places or {}).get(mention.iri))


def mention_lines(mention: Mention, refers_to: Iterable[str] = (), where: DocumentPlace | None = None) -> Iterator[str]:
    """A mention as a Web Annotation target with its selectors; ``where`` it stands in its document is one more."""
    place, selector = mention.iri, mention.selector
    yield _line(place, TYPE, _MENTION)
    yield _line(place, HAS_SOURCE, _ref(mention.source))
    for entity in refers_to:
        yield _line(place, REFERS_TO, _ref(entity))
    if isinstance(selector, TextSpan):
        yield _line(place, HAS_SELECTOR, f"<{place}/position>")
        yield _line(f"{place}/position", TYPE, _POSITION)
        yield _line(f"{place}/position", START, f'"{selector.start}"^^{_INTEGER}')
        yield _line(f"{place}/position", END, f'"{selector.end}"^^{_INTEGER}')
        yield _line(place, HAS_SELECTOR, f"<{place}/quote>")
        yield _line(f"{place}/quote", TYPE, _QUOTE)
        yield _line(f"{place}/quote", EXACT, _string(selector.exact))
        if where is not None:
            yield from _document_lines(place, where)
        return
    if isinstance(selector, Region):
        value = f"xywh={selector.x},{selector.y},{selector.w},{selector.h}"
    else:
        value = f"t={_seconds(selector.start)},{_seconds(selector.end)}"
    yield _line(place, HAS_SELECTOR, f"<{place}/fragment>")
    yield _line(f"{place}/fragment", TYPE, _FRAGMENT)
    yield _line(f"{place}/fragment", CONFORMS_TO, MEDIA_FRAGMENTS)
    yield _line(f"{place}/fragment", VALUE, _string(value))


def _document_lines(place: str, where: DocumentPlace) -> Iterator[str]:
    """Page and box as RFC 3778 (now 8118) writes them, a cell as RFC 7111, seconds as Media Fragments do; or a path."""
    if where.page:
        box = "" if where.box is None else f"&viewrect={','.join(f'{n:g}' for n in where.box)}"
        yield _line(place, HAS_SELECTOR, f"<{place}/fragment>")
        yield _line(f"{place}/fragment", TYPE, _FRAGMENT)
        yield _line(f"{place}/fragment", CONFORMS_TO, PDF_FRAGMENTS)
        yield _line(f"{place}/fragment", VALUE, _string(f"page={where.page}{box}"))
    if where.cell is not None:
        yield _line(place, HAS_SELECTOR, f"<{place}/fragment>")
        yield _line(f"{place}/fragment", TYPE, _FRAGMENT)
        yield _line(f"{place}/fragment", CONFORMS_TO, CELL_FRAGMENTS)
        yield _line(f"{place}/fragment", VALUE, _string(f"cell={where.cell[0]},{where.cell[1]}"))
    if where.time is not None:
        yield _line(place, HAS_SELECTOR, f"<{place}/fragment>")
        yield _line(f"{place}/fragment", TYPE, _FRAGMENT)
        yield _line(f"{place}/fragment", CONFORMS_TO, MEDIA_FRAGMENTS)
        yield _line(f"{place}/fragment", VALUE, _string(f"t={_seconds(where.time[0])},{_seconds(where.time[1])}"))
    if where.path:
        yield _line(place, HAS_SELECTOR, f"<{place}/element>")
        yield _line(f"{place}/element", TYPE, _XPATH)
        yield _line(f"{place}/element", VALUE, _string(where.path))


def source_lines(source: Source) -> Iterator[str]:
    """A source's node: file, hash, format, language where not English, how a transcript was made.

    When it was added is the catalog's to know.
    """
    yield _line(source.iri, TYPE, _SOURCE)
    yield _line(source.iri, FILE_NAME, _string(source.name))
    yield _line(source.iri, SHA256, _string(source.sha256))
    yield _line(source.iri, FORMAT, _string(source.media_type))
    if source.language not in _UNTOLD:
        yield _line(source.iri, LANGUAGE, _string(source.language))
    if source.transcription:
        yield _line(source.iri, TRANSCRIPTION, f"{_string(source.transcription)}^^{_JSON}")


def run_lines(run: RunRecord) -> Iterator[str]:
    """A run's node."""
    yield _line(run.iri, TYPE, _RUN)
    yield _line(run.iri, TYPE, _ACTIVITY)
    for extractor in run.extractors:
        yield _line(run.iri, EXTRACTOR, _string(extractor))
    yield _line(run.iri, VERSION, _string(run.version))
    for name, sha256 in run.models.items():
        yield _line(run.iri, MODEL_HASH, _string(f"{name} {sha256}"))
    yield _line(run.iri, PARAMETERS, f"{_string(run.parameters_json)}^^{_JSON}")
    for number, record in enumerate(run.parameters.get("preprocessing", ()), 1):
        step = f"{run.iri}/step-{number}"
        rest = {name: value for name, value in record.items() if name not in ("step", "version")}
        yield _line(run.iri, STEP, f"<{step}>")
        yield _line(step, TYPE, _STEP)
        yield _line(step, _STEP_NAME, _string(record["step"]))
        yield _line(step, _STEP_NUMBER, f'"{number}"^^{_INTEGER}')
        yield _line(step, _STEP_VERSION, f'"{record["version"]}"^^{_INTEGER}')
        yield _line(step, _STEP_PARAMETERS, f"{_string(_json(rest))}^^{_JSON}")


def review_lines(review: Review) -> Iterator[str]:
    """What a person decided on a statement. When is the catalog's to know.

    A rejected statement has no statement node, and this is no ``rdf:Statement``: nobody finds it among what is said.
    """
    value = _term(review.object)
    place = REVIEW + digest(review.source, review.subject, review.predicate, value, review.decision, review.reviewer)
    yield _line(place, TYPE, _REVIEWED)
    yield _line(place, OF_SOURCE, _ref(review.source))
    yield _line(place, DECISION, _string(review.decision))
    yield _line(place, REVIEWER, _string(review.reviewer))
    yield _line(place, ON_SUBJECT, _ref(review.subject))
    yield _line(place, ON_PREDICATE, _ref(review.predicate))
    yield _line(place, ON_OBJECT, value)
    if review.words:
        yield _line(place, ON_WORDS, _string(review.words))
    if review.replaced_by:
        yield _line(place, REPLACED_BY, _ref(review.replaced_by))


def replace_provenance(store: GraphStore, graph: str, lines: Iterable[str]) -> None:
    """Make these lines all the provenance that the graph (a source's, or ``kgf:predicted``) has.

    Its former statement nodes, reviews and its source node go; mentions and runs go where no other statement refers to
    them. What other graphs have is not read. Killed at any moment, doing it again ends in the same dataset.

    Args:
        store: where.
        graph: IRI of the graph, which is that of its source.
        lines: from ``source_lines``, ``run_lines``, ``fact_lines`` and ``review_lines``; none removes all.
    """
    if holds(graph):
        store.journal.touch(graph)  # confidences stand in the columns too
    new = set(ox.parse("".join(lines).encode(), ox.RdfFormat.N_QUADS, lenient=True))
    said = (store.quads(None, p, ox.NamedNode(graph), GRAPH_PROVENANCE) for p in (IN_GRAPH, OF_SOURCE))
    mine = [q.subject for quads in said for q in quads]
    owned = set(mine)
    own = [q for s in (*mine, ox.NamedNode(graph)) for q in store.quads(s, None, None, GRAPH_PROVENANCE)]
    shared = {text(q.object) for q in own if q.predicate in (DERIVED_FROM, GENERATED_BY)}
    stale: list[ox.Quad] = []
    for place in map(ox.NamedNode, sorted(shared)):
        if not any(q.subject not in owned for q in _referring(store, place)):
            stale.extend(_described(store, place))
    # shared nodes first, then what statements say, last that they are this graph's: killed in between, a second
    # attempt still finds all that is left
    own.sort(key=lambda q: q.predicate in (IN_GRAPH, OF_SOURCE))
    store.remove_quads(q for q in (*stale, *own) if q not in new)
    store.add_quads(new.difference(own, stale))


def remove_provenance(store: GraphStore, graph: str) -> None:
    """Take away the provenance of a graph, with the mentions and runs that only it refers to."""
    replace_provenance(store, graph, ())


def _referring(store: GraphStore, place: ox.NamedNode) -> Iterator[ox.Quad]:
    for predicate in (DERIVED_FROM, GENERATED_BY):
        yield from store.quads(None, predicate, place, GRAPH_PROVENANCE)


def _described(store: GraphStore, place: ox.NamedNode) -> Iterator[ox.Quad]:
    for to_step in store.quads(place, STEP, None, GRAPH_PROVENANCE):  # while the run still leads to them
        yield from store.quads(named(text(to_step.object)), None, None, GRAPH_PROVENANCE)
    for part in ("", *_SELECTOR_PARTS):
        yield from store.quads(ox.NamedNode(place.value + part), None, None, GRAPH_PROVENANCE)


def _triple(fact: Fact) -> ox.Triple:
    return ox.Triple(named(fact.subject), named(fact.predicate), node(fact.object))


def _statement(graph: str, subject: str, predicate: str, value: str, facts: list[Fact]) -> Iterator[str]:
    place = STATEMENT + digest(graph, subject, predicate, value)
    yield _line(place, TYPE, _STATEMENT)
    yield _line(place, SUBJECT, _ref(subject))
    yield _line(place, PREDICATE, _ref(predicate))
    yield _line(place, OBJECT, value)
    yield _line(place, IN_GRAPH, _ref(graph))
    yield _line(place, CONFIDENCE, _confidence(max(fact.confidence for fact in facts)))
    yield _line(place, REASON, _string("; ".join(sorted({fact.reason for fact in facts}))))
    manners = {fact.assertion for fact in facts}
    if "asserted" not in manners:
        yield _line(place, ASSERTION, _string(min(manners)))
        for who in sorted({fact.said_by for fact in facts} - {""}):
            yield _line(place, SAID_BY, _string(who))
    for unit in sorted({fact.object.unit for fact in facts if isinstance(fact.object, Value)} - {""}):
        yield _line(place, UNIT, _ref(unit))
    for extractor in sorted({fact.extractor for fact in facts}):
        yield _line(place, EXTRACTOR, _string(extractor))
    for run in sorted({fact.run for fact in facts}):
        yield _line(place, GENERATED_BY, _ref(run))
    for mention in sorted({mention.iri for fact in facts for mention in fact.evidence}):
        yield _line(place, DERIVED_FROM, _ref(mention))


def _line(subject: str, predicate: ox.NamedNode, value: ox.NamedNode | str) -> str:
    """One N-Quads line; the subject is an IRI of kgfuse's own, the value a term in N-Triples form."""
    return f"<{subject}> {_FORM[predicate]} {_FORM.get(value, value)} <{GRAPH_PROVENANCE}> .\n"


@lru_cache(maxsize=65536)
def _ref(iri: str) -> str:
    return f"<{named(iri).value}>"


def _json(values: Mapping[str, Any]) -> str:
    """JSON in one canonical line."""
    return json.dumps(dict(values), sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _string(text: str) -> str:
    return f'"{text.translate(_ESCAPES)}"'


def _term(value: str | Value) -> str:
    return _ref(value) if isinstance(value, str) else str(node(value))


@lru_cache(maxsize=16384)
def _confidence(number: float) -> str:
    return str(decimal(number))


def _seconds(seconds: float) -> str:
    return f"{Decimal(repr(float(seconds))).quantize(Decimal('0.001')).normalize():f}"
