"""What there is to review: extracted statements, those in the graph and those that were turned away.

Imported and inferred triples are not reviewed: an import is mended in its file, and what follows is mended in what it
follows from. That a text names something (``kgf:mentions``) is no question worth a person's time either.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from kgfuse.catalog import SourceRow
from kgfuse.extract.protocol import kinds_read
from kgfuse.extract.statement_json import statement_key
from kgfuse.terms.mentions import REVIEW, Extraction, Rejected, Statement, TextSpan
from kgfuse.terms.namespaces import KGF, source_iri
from kgfuse.workspace.parts import Parts
from kgfuse.workspace.resolving import Resolved
from kgfuse.workspace.review.decisions import Decision, by_source, card_id, content, decisions
from kgfuse.workspace.review.order import Question

_MENTIONS: Final = KGF + "mentions"
_ONTOLOGY: Final = frozenset(("domain", "range", "disjoint", "functional", "cardinality", "literal"))


@dataclass(frozen=True, slots=True)
class Candidate:
    """One thing that a source says, with every place where machines found it.

    Args:
        id: short name; the same for the same statement of the same file everywhere.
        source: row of the catalog.
        key: of the statement.
        statement: the surest, with the evidence of all.
        extractors: who found it.
        rule: of the gate that turned it away; empty where it is in the graph.
        why: the gate's sentence for people.
        decision: what a person decided, if that holds.
        before: what a person decided while the source had other words.
    """

    id: str
    source: SourceRow
    key: str
    statement: Statement
    extractors: tuple[str, ...]
    rule: str = ""
    why: str = ""
    decision: Decision | None = None
    before: Decision | None = None

    @property
    def pattern(self) -> str:
        """What it has in common with statements that are right or wrong together."""
        s = self.statement
        return pattern(s)

    @property
    def passage(self) -> TextSpan | None:
        """The longest of its evidence: as a rule the sentence."""
        spans = [m.selector for m in self.statement.evidence if isinstance(m.selector, TextSpan)]
        return max(spans, key=lambda s: (s.end - s.start, -s.start), default=None)


def pattern(statement: Statement) -> str:
    """Property, extractor and wording, without numbers, which differ from case to case."""
    return f"{statement.predicate} {statement.extractor} {re.sub(r'[0-9.]+', '#', statement.reason)}"


def candidates(parts: Parts, found: Resolved) -> list[Candidate]:
    """Every candidate of the workspace, by source, place and key, before any decision."""
    rows = {source_iri(r.name): r for r in parts.catalog.sources()}
    away = {r.statement: r for r in found.resolution.rejected}
    made = [
        _candidate(rows[source], key, group, away)
        for (source, key), group in _groups(found.extractions).items()
        if source in rows
    ]
    return sorted(made, key=_order)


def decided(undecided: Iterable[Candidate], parts: Parts) -> list[Candidate]:
    """The candidates with what people decided on them by now."""
    held, lapsed = decisions(parts)
    on = by_source(held, parts)
    before = {(d.row.source, d.row.key): d for d in sorted(lapsed, key=lambda d: d.row.decided_at)}
    found = []
    for one in undecided:
        known = on.get(one.statement.source)
        decision = known.on(one.statement) if known else None
        was = before.get((one.source.name, one.key)) if decision is None else None
        if decision or was or one.rule == REVIEW:
            turned = one.rule != REVIEW or decision is not None  # else taken back since
            rule, why = (one.rule, one.why) if turned else ("", "")
            one = replace(one, decision=decision, before=was, rule=rule, why=why)
        found.append(one)
    return found


def _groups(extractions: Iterable[Extraction]) -> Mapping[tuple[str, str], list[Statement]]:
    groups: defaultdict[tuple[str, str], list[Statement]] = defaultdict(list)
    for extraction in extractions:
        for statement in extraction.statements:
            if statement.predicate != _MENTIONS and statement.extractor != REVIEW:
                groups[extraction.source, statement_key(statement)].append(statement)
    return groups


def _candidate(row: SourceRow, key: str, group: Sequence[Statement], away: Mapping[Statement, Rejected]) -> Candidate:
    holding = [s for s in group if s not in away]
    best = min(holding or group, key=lambda s: (-s.confidence, s.extractor, repr(s)))
    evidence = dict.fromkeys((*best.evidence, *sorted((m for s in group for m in s.evidence), key=repr)))
    turned = None if holding else away[best]
    return Candidate(
        card_id(row.name, content(row), key),
        row,
        key,
        replace(best, evidence=tuple(evidence)),
        tuple(sorted({s.extractor for s in group})),
        turned.rule if turned else "",
        turned.reason if turned else "",
    )


def _order(one: Candidate) -> tuple[str, int, str]:
    passage = one.passage
    return one.source.name, passage.start if passage else 0, one.id


def questions(undecided: Sequence[Candidate], parts: Parts) -> list[Question]:
    """What the order needs to know of candidates."""
    settings = parts.settings.extract
    readers = {kind: sum(kind in kinds_read(e) for e in parts.extractors) for kind in ("text", "image", "audio")}
    thresholds = {"image.tag": settings.image.tag_threshold}
    pairs: defaultdict[tuple[object, ...], float] = defaultdict(float)
    for one in undecided:
        pairs[_pair(one)] += one.statement.confidence
    return [
        Question(
            one.statement.confidence,
            max(settings.min_confidence, thresholds.get(one.statement.extractor, 0.0)),
            one.pattern,
            f"{one.source.name} {one.passage.start if one.passage else ''}",
            _disagreement(one, pairs[_pair(one)], readers.get(one.source.kind, 1)),
            one.id,
        )
        for one in undecided
    ]


def _pair(one: Candidate) -> tuple[object, ...]:
    s = one.statement
    return one.source.name, repr(s.subject), repr(s.object)


def _disagreement(one: Candidate, total: float, readers: int) -> float:
    """The strongest of: another property for the same two things; another reader that is silent; the ontology."""
    confidence = one.statement.confidence
    rivals = 1 - confidence / total if total > 0 else 0.0
    by = len({e.split(".")[0] for e in one.extractors})
    silent = 1 - by / readers if readers > 1 else 0.0
    against = confidence if one.rule in _ONTOLOGY else 0.0
    return max(0.0, rivals, silent * confidence, against)
