"""Why a triple is in the graph, as RDF: statements (RDF 1.1 reification), their mentions (Web Annotation), runs (PROV).

All of it stands in ``kgf:provenance``, under IRIs derived from content: no blank nodes, no clock. There is one
statement node for a graph and triple, however many extractors found it. Lines are N-Quads.
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

from kgfuse.graph import provenance_terms as prov
from kgfuse.graph.nodes import named, node
from kgfuse.terms.mentions import DocumentPlace, Fact, Mention, Region, Source, TextSpan, Value
from kgfuse.terms.namespaces import GRAPH_PROVENANCE, REVIEW, RUN, STATEMENT, digest

_UNTOLD: Final = ("", "en")
_ESCAPES: Final = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r"})


@dataclass(frozen=True)
class RunRecord:
    """What produced statements: enough to do it again.

    Args:
        extractors: names of the extractors at work.
        version: of kgfuse.
        models: model name → SHA-256 of its weights.
        parameters: their whole configuration, as prov.JSON values; ``preprocessing``, where it is there, lists what was
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
    return ox.Literal(f"{rounded:f}" if rounded else "0", datatype=prov.DECIMAL)


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
    yield _line(place, prov.TYPE, prov.MENTION_TYPE)
    yield _line(place, prov.HAS_SOURCE, _ref(mention.source))
    for entity in refers_to:
        yield _line(place, prov.REFERS_TO, _ref(entity))
    if isinstance(selector, TextSpan):
        yield _line(place, prov.HAS_SELECTOR, f"<{place}/position>")
        yield _line(f"{place}/position", prov.TYPE, prov.POSITION_TYPE)
        yield _line(f"{place}/position", prov.START, f'"{selector.start}"^^{prov.INTEGER}')
        yield _line(f"{place}/position", prov.END, f'"{selector.end}"^^{prov.INTEGER}')
        yield _line(place, prov.HAS_SELECTOR, f"<{place}/quote>")
        yield _line(f"{place}/quote", prov.TYPE, prov.QUOTE_TYPE)
        yield _line(f"{place}/quote", prov.EXACT, _string(selector.exact))
        if where is not None:
            yield from _document_lines(place, where)
        return
    if isinstance(selector, Region):
        value = f"xywh={selector.x},{selector.y},{selector.w},{selector.h}"
    else:
        value = f"t={_seconds(selector.start)},{_seconds(selector.end)}"
    yield _line(place, prov.HAS_SELECTOR, f"<{place}/fragment>")
    yield _line(f"{place}/fragment", prov.TYPE, prov.FRAGMENT_TYPE)
    yield _line(f"{place}/fragment", prov.CONFORMS_TO, prov.MEDIA_FRAGMENTS)
    yield _line(f"{place}/fragment", prov.VALUE, _string(value))


def _document_lines(place: str, where: DocumentPlace) -> Iterator[str]:
    """Page and box as RFC 3778 (now 8118) writes them, a cell as RFC 7111, seconds as Media Fragments do; or a path."""
    if where.page:
        box = "" if where.box is None else f"&viewrect={','.join(f'{n:g}' for n in where.box)}"
        yield _line(place, prov.HAS_SELECTOR, f"<{place}/fragment>")
        yield _line(f"{place}/fragment", prov.TYPE, prov.FRAGMENT_TYPE)
        yield _line(f"{place}/fragment", prov.CONFORMS_TO, prov.PDF_FRAGMENTS)
        yield _line(f"{place}/fragment", prov.VALUE, _string(f"page={where.page}{box}"))
    if where.cell is not None:
        yield _line(place, prov.HAS_SELECTOR, f"<{place}/fragment>")
        yield _line(f"{place}/fragment", prov.TYPE, prov.FRAGMENT_TYPE)
        yield _line(f"{place}/fragment", prov.CONFORMS_TO, prov.CELL_FRAGMENTS)
        yield _line(f"{place}/fragment", prov.VALUE, _string(f"cell={where.cell[0]},{where.cell[1]}"))
    if where.time is not None:
        yield _line(place, prov.HAS_SELECTOR, f"<{place}/fragment>")
        yield _line(f"{place}/fragment", prov.TYPE, prov.FRAGMENT_TYPE)
        yield _line(f"{place}/fragment", prov.CONFORMS_TO, prov.MEDIA_FRAGMENTS)
        yield _line(f"{place}/fragment", prov.VALUE, _string(f"t={_seconds(where.time[0])},{_seconds(where.time[1])}"))
    if where.path:
        yield _line(place, prov.HAS_SELECTOR, f"<{place}/element>")
        yield _line(f"{place}/element", prov.TYPE, prov.XPATH_TYPE)
        yield _line(f"{place}/element", prov.VALUE, _string(where.path))


def source_lines(source: Source) -> Iterator[str]:
    """A source's node: file, hash, format, language where not English, how a transcript was made.

    When it was added is the catalog's to know.
    """
    yield _line(source.iri, prov.TYPE, prov.SOURCE_TYPE)
    yield _line(source.iri, prov.FILE_NAME, _string(source.name))
    yield _line(source.iri, prov.SHA256, _string(source.sha256))
    yield _line(source.iri, prov.FORMAT, _string(source.media_type))
    if source.language not in _UNTOLD:
        yield _line(source.iri, prov.LANGUAGE, _string(source.language))
    if source.transcription:
        yield _line(source.iri, prov.TRANSCRIPTION, f"{_string(source.transcription)}^^{prov.JSON}")


def run_lines(run: RunRecord) -> Iterator[str]:
    """A run's node."""
    yield _line(run.iri, prov.TYPE, prov.RUN_TYPE)
    yield _line(run.iri, prov.TYPE, prov.ACTIVITY_TYPE)
    for extractor in run.extractors:
        yield _line(run.iri, prov.EXTRACTOR, _string(extractor))
    yield _line(run.iri, prov.VERSION, _string(run.version))
    for name, sha256 in run.models.items():
        yield _line(run.iri, prov.MODEL_HASH, _string(f"{name} {sha256}"))
    yield _line(run.iri, prov.PARAMETERS, f"{_string(run.parameters_json)}^^{prov.JSON}")
    for number, record in enumerate(_steps(run.parameters.get("preprocessing")), 1):
        step = f"{run.iri}/step-{number}"
        rest = {name: value for name, value in record.items() if name not in ("step", "version")}
        yield _line(run.iri, prov.STEP, f"<{step}>")
        yield _line(step, prov.TYPE, prov.STEP_TYPE)
        yield _line(step, prov.STEP_NAME, _string(record["step"]))
        yield _line(step, prov.STEP_NUMBER, f'"{number}"^^{prov.INTEGER}')
        yield _line(step, prov.STEP_VERSION, f'"{record["version"]}"^^{prov.INTEGER}')
        yield _line(step, prov.STEP_PARAMETERS, f"{_string(_json(rest))}^^{prov.JSON}")


def _steps(said: Any) -> list[Mapping[str, Any]]:
    """Steps of preprocessing; what a plug-in calls so and is none has its place among the parameters alone."""
    found = said if isinstance(said, list | tuple) else []
    is_step = [
        isinstance(one, Mapping) and isinstance(one.get("step"), str) and isinstance(one.get("version"), int)
        for one in found
    ]
    return list(found) if all(is_step) else []


def review_lines(review: Review) -> Iterator[str]:
    """What a person decided on a statement. When is the catalog's to know.

    A rejected statement has no statement node, and this is no ``rdf:Statement``: nobody finds it among what is said.
    """
    value = _term(review.object)
    place = REVIEW + digest(review.source, review.subject, review.predicate, value, review.decision, review.reviewer)
    yield _line(place, prov.TYPE, prov.REVIEW_TYPE)
    yield _line(place, prov.OF_SOURCE, _ref(review.source))
    yield _line(place, prov.DECISION, _string(review.decision))
    yield _line(place, prov.REVIEWER, _string(review.reviewer))
    yield _line(place, prov.ON_SUBJECT, _ref(review.subject))
    yield _line(place, prov.ON_PREDICATE, _ref(review.predicate))
    yield _line(place, prov.ON_OBJECT, value)
    if review.words:
        yield _line(place, prov.ON_WORDS, _string(review.words))
    if review.replaced_by:
        yield _line(place, prov.REPLACED_BY, _ref(review.replaced_by))


def _triple(fact: Fact) -> ox.Triple:
    return ox.Triple(named(fact.subject), named(fact.predicate), node(fact.object))


def _statement(graph: str, subject: str, predicate: str, value: str, facts: list[Fact]) -> Iterator[str]:
    place = STATEMENT + digest(graph, subject, predicate, value)
    yield _line(place, prov.TYPE, prov.STATEMENT_TYPE)
    yield _line(place, prov.SUBJECT, _ref(subject))
    yield _line(place, prov.PREDICATE, _ref(predicate))
    yield _line(place, prov.OBJECT, value)
    yield _line(place, prov.IN_GRAPH, _ref(graph))
    yield _line(place, prov.CONFIDENCE, _confidence(max(fact.confidence for fact in facts)))
    yield _line(place, prov.REASON, _string("; ".join(sorted({fact.reason for fact in facts}))))
    manners = {fact.assertion for fact in facts}
    if "asserted" not in manners:
        yield _line(place, prov.ASSERTION, _string(min(manners)))
        for who in sorted({fact.said_by for fact in facts} - {""}):
            yield _line(place, prov.SAID_BY, _string(who))
    for unit in sorted({fact.object.unit for fact in facts if isinstance(fact.object, Value)} - {""}):
        yield _line(place, prov.UNIT, _ref(unit))
    for extractor in sorted({fact.extractor for fact in facts}):
        yield _line(place, prov.EXTRACTOR, _string(extractor))
    for run in sorted({fact.run for fact in facts}):
        yield _line(place, prov.GENERATED_BY, _ref(run))
    for mention in sorted({mention.iri for fact in facts for mention in fact.evidence}):
        yield _line(place, prov.DERIVED_FROM, _ref(mention))


def _line(subject: str, predicate: ox.NamedNode, value: ox.NamedNode | str) -> str:
    """One N-Quads line; the subject is an IRI of kgfuse's own, the value a term in N-Triples form."""
    return f"<{subject}> {prov.FORM[predicate]} {prov.FORM.get(value, value)} <{GRAPH_PROVENANCE}> .\n"


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
