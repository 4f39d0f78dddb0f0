"""What a statement contradicts that the joint decision turned away, in a sentence for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from kgfuse.extract.gating.choose import Bound, Tight, possible
from kgfuse.extract.gating.gate import who
from kgfuse.ontology.limits import Limit
from kgfuse.ontology.vocabulary import Vocabulary
from kgfuse.terms.mentions import Statement, Value
from kgfuse.terms.namespaces import RDF, SOURCE

TYPE: Final = RDF + "type"


@dataclass(frozen=True, slots=True)
class Choice:
    """What can be chosen, with all that speaks for it.

    Args:
        subject, predicate, object: what it says.
        of: places of the candidates that say so.
        sources: IRIs of those that say so, the surest first.
        confidence: the highest.
        weight: of all sources together.
        fixed: it holds whatever it contradicts.
        is_type: a type that is known or that an extractor is sure of, rather than a statement.
        words: what it says, for people; empty makes that of the IRIs.
    """

    subject: str
    predicate: str
    object: str | Value
    of: tuple[int, ...] = ()
    sources: tuple[str, ...] = ()
    confidence: float = 1.0
    weight: int = 1
    fixed: bool = False
    is_type: bool = False
    words: str = ""


class Explaining:
    """Says for people what a rejected choice contradicts."""

    def __init__(self, choices: Sequence[Choice], vocabulary: Vocabulary, tight: Tight, chosen: frozenset[int]) -> None:
        self._choices = choices
        self._vocabulary = vocabulary
        self._tight = tight
        self._chosen = set(chosen)

    def why(self, n: int, statement: Statement) -> tuple[str, str]:
        """Rule and reason."""
        taken = self._chosen | {n}
        node = self._tight.open_node(taken, n)
        if node is not None:
            return self._clash(n, node, statement)
        bound = self._tight.full_bound(taken, n)
        if bound is not None:
            return self._overstep(n, bound, statement)
        return "contradiction", "with what it is connected to, it would contradict what is more certain"

    def _clash(self, n: int, node: str, statement: Statement) -> tuple[str, str]:
        choice = self._choices[n]
        mine = next(c for i, c in self._tight.claims[node] if i == n)
        others = [(i, c) for i, c in self._tight.claims[node] if i in self._chosen]
        others.sort(key=lambda o: (not self._choices[o[0]].is_type, -self._choices[o[0]].weight, o[0]))
        disjoint = self._vocabulary.are_disjoint
        against = next(((i, c) for i, c in others if not possible((mine, c), disjoint)), None)
        if against is None:  # only several together leave no way
            against = next((i, c) for i, c in others if any(disjoint(a, b) for a in c for b in mine))
        subject = choice.subject == node
        name = f"“{self._vocabulary.label(choice.predicate)}”"
        thing = who(statement.subject if subject else statement.object)
        is_, wanted = self._a(against[1]), self._a(mine)
        told = self._told(against[0], node)
        if choice.predicate == TYPE:
            return "disjoint", f"{thing} is {is_}{told}, which cannot also be {wanted}"
        side = "subject" if subject else "object"
        rule = "domain" if subject else "range"
        return rule, f"{thing} is {is_}{told}, but the {side} of {name} is {wanted}"

    def _told(self, n: int, node: str) -> str:
        """How one comes to take the node to be that, where it is no matter of course."""
        choice = self._choices[n]
        if not choice.sources:
            return ""
        where = f" in {_names(choice.sources)}"
        if choice.is_type or choice.predicate == TYPE:
            return where
        side = "subject" if choice.subject == node else "object"
        return f" as the {side} of “{self._vocabulary.label(choice.predicate)}”{where}"

    def _overstep(self, n: int, bound: Bound, statement: Statement) -> tuple[str, str]:
        assert isinstance(bound.name, tuple)
        limit: Limit = bound.name[0]
        winners = [i for o in bound.options if n not in o.choices for i in o.choices if i in self._chosen]
        winners.sort(key=lambda i: (-self._choices[i].weight, i))
        if not winners or n in bound.when:
            cls = self._vocabulary.label(limit.cls)
            name = self._vocabulary.label(limit.property)
            return limit.rule, f"as {_article(cls)} it could not have the values of “{name}” that are more certain"
        said = "; ".join(self._said(i) for i in winners[:2])
        name = f"“{self._vocabulary.label(limit.property)}”"
        if limit.rule == "asymmetric":
            return "asymmetric", f"{name} holds one way only, and {said}"
        of = f" of {_article(self._vocabulary.label(limit.cls))}" if limit.cls else ""
        least = "one" if limit.most == 1 else f"at most {limit.most}"
        if limit.inverse:
            return limit.rule, f"{name} leads to {who(statement.object)} from {least} thing{of} only, and {said}"
        return limit.rule, f"{name}{of} has {least} value{'s' if limit.most > 1 else ''} only, and {said}"

    def _said(self, n: int) -> str:
        choice = self._choices[n]
        ends = (choice.subject, choice.object)
        labels = (e.lexical if isinstance(e, Value) else self._vocabulary.label(e) for e in ends)
        words = choice.words or " · ".join(labels)
        sure = "" if choice.fixed else f", with confidence {choice.confidence:.2f}"
        verb = "say" if len(choice.sources) > 1 else "says"
        return f"{_names(choice.sources)} {verb} “{words}”{sure}"

    def _a(self, classes: Sequence[str]) -> str:
        return " or ".join(_article(self._vocabulary.label(c)) for c in classes)


def _article(label: str) -> str:
    return f"an {label}" if label[:1].lower() in "aeiou" else f"a {label}"


def _names(sources: Sequence[str]) -> str:
    first = unquote(sources[0].removeprefix(SOURCE)) if sources else "the workspace"
    return first if len(sources) < 2 else f"{first} and {len(sources) - 1} more"
