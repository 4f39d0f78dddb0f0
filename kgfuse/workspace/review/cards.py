"""Cards: one candidate statement each, for a person to accept, reject or correct."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from kgfuse.catalog import Decided, DecisionRow
from kgfuse.errors import UsageError
from kgfuse.extract.statement_json import statement_values
from kgfuse.terms.mentions import Statement
from kgfuse.terms.namespaces import local_name
from kgfuse.workspace.review.candidates import Candidate, candidates, decided, questions
from kgfuse.workspace.review.correction import corrected
from kgfuse.workspace.review.decisions import Decision, content, decisions, end_text, same, told
from kgfuse.workspace.review.examples import write_examples
from kgfuse.workspace.review.order import order, tally
from kgfuse.workspace.whereabouts import place_of

if TYPE_CHECKING:
    from kgfuse.workspace.state import State

REVIEWER_VARIABLE: Final = "KGFUSE_REVIEWER"


def who(reviewer: str | None = None) -> str:
    """Name of the reviewer: as given, else of the variable ``KGFUSE_REVIEWER``, else of the login."""
    named = (reviewer or os.environ.get(REVIEWER_VARIABLE) or "").strip()
    if named:
        return named
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container may run as a user without a name
        return "anonymous"


@dataclass(frozen=True)
class Card:
    """A candidate statement with what a person needs to judge it.

    A decision is kept at once; the graph follows at the next :meth:`kgfuse.Workspace.build`.
    """

    candidate: Candidate
    reviewer: str
    _ws: State

    @property
    def id(self) -> str:
        """Short name; the same for the same statement of the same file everywhere."""
        return self.candidate.id

    @property
    def source(self) -> str:
        """Name of the source."""
        return self.candidate.source.name

    @property
    def subject(self) -> str:
        """Name of the subject."""
        return self._end(self.candidate.statement.subject)

    @property
    def relation(self) -> str:
        """Label of the property."""
        return self._ws.vocabulary.label(self.candidate.statement.predicate)

    @property
    def object(self) -> str:
        """Name of the object, or the literal."""
        return self._end(self.candidate.statement.object)

    @property
    def confidence(self) -> float:
        """0 to 1."""
        return self.candidate.statement.confidence

    @property
    def reason(self) -> str:
        """Why the machine proposes it."""
        return self.candidate.statement.reason

    @property
    def turned_away(self) -> str:
        """Why it is not in the graph; empty where it is."""
        return f"{self.candidate.rule}: {self.candidate.why}" if self.candidate.rule else ""

    @property
    def words(self) -> str:
        """The sentence that it rests on."""
        passage = self.candidate.passage
        return passage.exact if passage else ""

    @property
    def where(self) -> str:
        """Page, element, cell or seconds of these words; empty for plain texts."""
        passage, blobs = self.candidate.passage, self._ws._parts.blobs
        return place_of(blobs, self.candidate.source, passage.start, passage.end).words if passage else ""

    @property
    def decision(self) -> Decision | None:
        """What was decided, where something was."""
        return next((d for d in decisions(self._ws._parts)[0] if d.id == self.id), None)

    def accept(self) -> None:
        """It is right: it enters the graph, whatever confidence or gate say."""
        self._decide("accepted")

    def reject(self) -> None:
        """It is wrong: it leaves the graph, and never comes back from these words."""
        self._decide("rejected")

    def correct(self, *, subject: str | None = None, property: str | None = None, object: str | None = None) -> None:
        """It is wrong, and this is what the words say.

        Args:
            subject: words that stand in the text, a label of the ontologies, a CURIE or an IRI.
            property: label, CURIE or IRI.
            object: as the subject, or the value of a data property.

        Raises:
            UsageError: something is neither in the text nor known, or nothing changes.
        """
        row = self.candidate.source
        text = self._ws._parts.blobs.read_text(row.text_sha256) if row.text_sha256 else None
        other = corrected(
            self.candidate.statement, text, self._ws.vocabulary, subject=subject, property=property, object=object
        )
        self._decide("corrected", other)

    def undo(self) -> bool:
        """Take the decision back; false where there is none."""
        found = self.decision
        if found is None:
            return False
        undo(self._ws, found)
        return True

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        c, passage = self.candidate, self.candidate.passage
        return {
            "id": c.id,
            "source": c.source.name,
            "subject": self.subject,
            "property": self.relation,
            "object": self.object,
            "property_iri": c.statement.predicate,
            "confidence": c.statement.confidence,
            "extractors": list(c.extractors),
            "reason": c.statement.reason,
            "in_graph": not c.rule,
            "turned_away": self.turned_away,
            "words": self.words,
            "start": passage.start if passage else None,
            "end": passage.end if passage else None,
            "where": self.where,
            "decision": told(c.decision) if c.decision else "",
            "before": told(c.before) if c.before else "",
        }

    def _end(self, node: Any) -> str:
        named = end_text(node)
        if isinstance(node, str):
            vocabulary = self._ws.vocabulary
            known = node in vocabulary.terms or node in vocabulary.classes or node in vocabulary.properties
            item = self._ws._parts.catalog.item(node)
            named = item.label if item and item.label else vocabulary.label(node) if known else local_name(node)
        return named

    def _decide(self, decision: Decided, replacement: Statement | None = None) -> None:
        ws, c = self._ws, self.candidate
        ws._deciding()
        payload = {
            "statement": statement_values(c.statement),
            "replacement": statement_values(replacement) if replacement else None,
        }
        row = DecisionRow(c.source.name, content(c.source), c.key, decision, self.reviewer, payload)
        with ws._parts.catalog.transaction():
            if decision == "rejected":
                _reject_replacements(ws, c.statement, self.reviewer)
            ws._parts.catalog.decisions.put(row)
        write_examples(ws._parts, decisions(ws._parts)[0])


def _reject_replacements(ws: State, rejected: Statement, reviewer: str) -> None:
    """A correction that led to what is now rejected is a rejection too."""
    for d in decisions(ws._parts)[0]:
        if d.replacement is not None and d.replacement.source == rejected.source and same(d.replacement, rejected):
            row = replace(d.row, decision="rejected", reviewer=reviewer, payload={**d.row.payload, "replacement": None})
            ws._parts.catalog.decisions.put(replace(row, decided_at=""))


def undo(ws: State, decision: Decision) -> None:
    """Take a decision back, whether or not it holds and machines still find what it is on."""
    ws._deciding()
    ws._parts.catalog.decisions.remove(decision.row)
    write_examples(ws._parts, decisions(ws._parts)[0])


def cards(
    ws: State,
    limit: int | None = 20,
    *,
    source: str | None = None,
    property: str | None = None,
    reviewer: str | None = None,
    settled: bool = False,
) -> list[Card]:
    """What to look at, the most informative first; with ``settled`` what was decided on, by source and place.

    Raises:
        UsageError: the workspace was never built, or nothing has this name.
    """
    from kgfuse.workspace.review.correction import property_iri

    parts = ws._parts
    every = _every(ws)
    predicate = property_iri(property, ws.vocabulary) if property else None
    wanted = [
        c
        for c in every
        if (source is None or c.source.name == source)
        and (predicate is None or c.statement.predicate == predicate)
        and (c.decision is not None and c.decision.id == c.id if settled else c.decision is None)
    ]
    if source is not None and parts.catalog.source(source) is None:
        raise UsageError(f"no source is called {source!r}", remedy="see `kgfuse info`")
    if settled:
        chosen = wanted[:limit]
    else:
        answered = tally((c.pattern, c.decision.row.decision == "accepted") for c in every if c.decision)
        chosen = [wanted[n] for n in order(questions(wanted, parts), limit, answered)]
    by = who(reviewer)
    return [Card(c, by, ws) for c in chosen]


def _every(ws: State) -> list[Candidate]:
    """All candidates with the decisions of now; what machines found is looked up once."""
    if ws._candidates is None:
        ws._candidates = candidates(ws._parts, ws._facts())
    return decided(ws._candidates, ws._parts)


def card(ws: State, name: str, reviewer: str | None = None) -> Card:
    """The card of this id, or of the only one that begins so.

    Raises:
        UsageError: none, or several.
    """
    found = [c for c in _every(ws) if c.id.startswith(name)] if name else []
    if len(found) != 1:
        what = f"{len(found)} candidates have ids that begin with {name!r}" if found else f"no candidate is {name!r}"
        raise UsageError(what, remedy="`kgfuse review WORKSPACE --next 20` lists ids")
    return Card(found[0], who(reviewer), ws)


def made(ws: State, name: str) -> Decision:
    """The decision of this id, or the only one whose id begins so; also one that lapsed.

    Raises:
        UsageError: none, or several.
    """
    held, lapsed = decisions(ws._parts)
    found = [d for d in (*held, *lapsed) if d.id.startswith(name)] if name else []
    if len(found) != 1:
        what = f"{len(found)} decisions have ids that begin with {name!r}" if found else f"no decision is {name!r}"
        raise UsageError(what, remedy="`kgfuse review WORKSPACE --list` lists ids")
    return found[0]


@contextmanager
def all_or_nothing(ws: State) -> Iterator[None]:
    """Decisions inside the block are kept together, or, where one of them fails, none is."""
    try:
        with ws._parts.catalog.transaction():
            yield
    finally:
        write_examples(ws._parts, decisions(ws._parts)[0])
