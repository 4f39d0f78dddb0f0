"""What people decided, applied to what machines found: before resolution and the gate, and whatever they would say.

A decision belongs to a source as its words were. While they are the same it holds, through every build, extraction
and training; when they change it lapses, and when the source goes it goes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from kgfuse.catalog import DecisionRow, SourceRow
from kgfuse.extract.resolve import Resolution, resolved_ends
from kgfuse.extract.statement_json import mirror_key, statement_key, statement_of
from kgfuse.graph.provenance_lines import Review, statement_iri
from kgfuse.terms.mentions import REVIEW, Extraction, Mention, Rejected, Statement, TextSpan, Value
from kgfuse.terms.namespaces import RUN, digest, source_iri
from kgfuse.workspace.parts import Parts

ID_LENGTH: Final = 12


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision with the statement it is on.

    Args:
        row: of the catalog.
        statement: what was decided on.
        replacement: what a correction put in its place.
    """

    row: DecisionRow
    statement: Statement
    replacement: Statement | None

    @property
    def id(self) -> str:
        """Short name, the same as that of the card it was made on."""
        return card_id(self.row.source, self.row.content, self.row.key)

    @property
    def enters(self) -> Statement | None:
        """The statement that holds because of it."""
        return {"accepted": self.statement, "corrected": self.replacement}.get(self.row.decision)


@dataclass(frozen=True, slots=True)
class Judged:
    """Machine extractions without what people turned away, beside what people say.

    Args:
        machine: every extraction, less the statements that a person rejected or corrected.
        people: an extraction for each source and reviewer that something was accepted or corrected in.
        away: what a person turned away, with who.
        matched: machine statements that a decision is on. The gate's opinion of accepted ones plays no part.
        decisions: those that hold.
        lapsed: those whose source has other words by now.
    """

    machine: tuple[Extraction, ...]
    people: tuple[Extraction, ...] = ()
    away: tuple[Rejected, ...] = ()
    matched: Mapping[Statement, Decision] = field(default_factory=dict)
    decisions: tuple[Decision, ...] = ()
    lapsed: tuple[Decision, ...] = ()


@dataclass(slots=True)
class Held:
    """Decisions of one source that a statement is compared with, by what they are on."""

    by_key: dict[str, Decision] = field(default_factory=dict)
    by_place: dict[tuple[object, ...], Decision] = field(default_factory=dict)

    def on(self, statement: Statement) -> Decision | None:
        """The decision on the same statement: the same names, or the same words under another name."""
        found = self.by_key.get(statement_key(statement))
        return found or self.by_place.get(_place(statement) or ())


def content(row: SourceRow) -> str:
    """What a decision on a source depends on: the words of a text, the bytes of anything else."""
    return row.text_sha256 or row.sha256


def card_id(source: str, content_sha: str, key: str) -> str:
    """Short hex name of a candidate: the same candidate of the same file has it in every workspace."""
    return digest(source, content_sha, key)[:ID_LENGTH]


def reviewer_run(reviewer: str) -> str:
    """IRI under which the statements of a person are kept before the graph names their run."""
    return RUN + digest(REVIEW, reviewer)


def decisions(parts: Parts) -> tuple[list[Decision], list[Decision]]:
    """All decisions: those that hold, and those that lapsed because their source's words changed."""
    rows = (
        {row.name: content(row) for row in parts.catalog.sources()} if (all_ := parts.catalog.decisions.all()) else {}
    )
    held: list[Decision] = []
    lapsed: list[Decision] = []
    for row in all_:
        (held if rows.get(row.source) == row.content else lapsed).append(_decision(row))
    return held, lapsed


def judge(parts: Parts, found: Sequence[Extraction]) -> Judged:
    """Apply the decisions of people to what machines found."""
    held, lapsed = decisions(parts)
    if not held:
        return Judged(tuple(found), lapsed=tuple(lapsed))
    on = by_source(held, parts)
    machine: list[Extraction] = []
    away: dict[Rejected, None] = {}
    matched: dict[Statement, Decision] = {}
    for extraction in found:
        known = on.get(extraction.source)
        if known is None:
            machine.append(extraction)
            continue
        kept: list[Statement] = []
        for statement in extraction.statements:
            decision = known.on(statement)
            if decision is not None:
                matched[statement] = decision
            if decision is not None and decision.row.decision != "accepted":
                away.setdefault(Rejected(statement, REVIEW, told(decision)))
            else:
                kept.append(statement)
        machine.append(replace(extraction, statements=tuple(kept)))
    return Judged(tuple(machine), tuple(_people(held)), tuple(away), matched, tuple(held), tuple(lapsed))


def by_source(held: Iterable[Decision], parts: Parts) -> dict[str, Held]:
    """Decisions to compare with, by source; what says the same with its ends exchanged is decided with it."""
    found: dict[str, Held] = {}
    for d in held:
        known = found.setdefault(source_iri(d.row.source), Held())
        for mirror in parts.vocabulary.mirrors(d.statement.predicate):
            known.by_key.setdefault(mirror_key(d.statement, mirror), d)
        if place := _place(d.statement):
            known.by_place[place] = d
    for d in held:  # a decision of its own goes before that on its mirror image
        found[source_iri(d.row.source)].by_key[d.row.key] = d
    return found


def settled(resolution: Resolution, judged: Judged) -> Resolution:
    """The resolution with what people turned away, and without the gate's opinion of what they accepted."""
    rejected = [r for r in resolution.rejected if r.statement not in judged.matched]
    return replace(resolution, rejected=(*rejected, *judged.away))


def reviews(judged: Judged, resolution: Resolution, parts: Parts, known: Mapping[str, Any]) -> dict[str, list[Review]]:
    """What the graph keeps of the decisions that hold, by the IRI of their source."""
    ends = resolved_ends([d.statement for d in judged.decisions], parts.vocabulary, known, resolution.identity)
    found: dict[str, list[Review]] = {}
    for d in judged.decisions:
        source = source_iri(d.row.source)
        subject, value = ends[d.statement]
        said = (source, subject, d.statement.predicate, value, d.row.decision, d.row.reviewer, words(d.statement))
        replaced = ""
        if d.replacement is not None:
            other = resolution.ends[_entering(d, d.replacement)]
            replaced = statement_iri(source, other[0], d.replacement.predicate, other[1])
        found.setdefault(source, []).append(Review(*said, replaced))
    return found


def told(decision: Decision) -> str:
    """A decision for people."""
    change = f" to: {triple_text(decision.replacement)}" if decision.replacement else ""
    return f"{decision.row.decision} by {decision.row.reviewer}{change}"


def triple_text(statement: Statement) -> str:
    """A statement in the words of its source, for people."""
    return f"{end_text(statement.subject)} · {statement.predicate} · {end_text(statement.object)}"


def end_text(node: Mention | str | Value) -> str:
    """Subject or object for people: a name, a literal or an IRI."""
    if isinstance(node, Value):
        return node.lexical
    if isinstance(node, str):
        return node
    return node.label or (node.selector.exact if isinstance(node.selector, TextSpan) else "")


def words(statement: Statement) -> str:
    """The longest of the words that a statement rests on: as a rule its sentence."""
    spans = [m.selector.exact for m in statement.evidence if isinstance(m.selector, TextSpan)]
    return max(spans, key=len, default="")


def _decision(row: DecisionRow) -> Decision:
    source = source_iri(row.source)
    other = row.payload.get("replacement")
    return Decision(row, statement_of(row.payload["statement"], source), statement_of(other, source) if other else None)


def _people(held: Iterable[Decision]) -> Iterator[Extraction]:
    """What people accepted or put in the place of something, an extraction for each source and reviewer."""
    groups: dict[tuple[str, str], list[Statement]] = {}
    for d in held:
        if (statement := d.enters) is not None:
            groups.setdefault((source_iri(d.row.source), d.row.reviewer), []).append(_entering(d, statement))
    for (source, reviewer), statements in sorted(groups.items()):
        mentions = dict.fromkeys(m for s in statements for m in s.evidence)
        yield Extraction(source, reviewer_run(reviewer), tuple(mentions), tuple(statements), {"reviewer": reviewer})


def _entering(decision: Decision, statement: Statement) -> Statement:
    """A person's statement: certain, and in the person's name."""
    found_by = f"; found by {statement.extractor}: {statement.reason}" if decision.row.decision == "accepted" else ""
    reason = f"{decision.row.decision} by {decision.row.reviewer}{found_by}"
    if decision.row.decision == "corrected":
        reason += f" from: {triple_text(decision.statement)}"
    return replace(statement, extractor=REVIEW, confidence=1.0, reason=reason)


def same(a: Statement, b: Statement) -> bool:
    """Whether two statements of one source say the same: in names, or in words."""
    here = _place(a)
    return statement_key(a) == statement_key(b) or (here is not None and here == _place(b))


def _place(statement: Statement) -> tuple[object, ...] | None:
    """Property and the characters of both ends; ``None`` where an end has none."""
    subject = statement.subject.selector if isinstance(statement.subject, Mention) else None
    value = statement.object.selector if isinstance(statement.object, Mention) else None
    if not isinstance(subject, TextSpan) or not isinstance(value, TextSpan):
        return None
    return statement.predicate, subject.start, subject.end, value.start, value.end
