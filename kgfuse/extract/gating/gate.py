"""The ontology gate, looking at one statement: none enters that contradicts the ontology by itself.

What contradicts only what other statements say is decided jointly, by `kgfuse.extract.gating.joint`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from kgfuse.extract.values import is_valid
from kgfuse.ontology.vocabulary import Vocabulary
from kgfuse.terms.mentions import Mention, Statement, Value
from kgfuse.terms.namespaces import KGF, OWL, RDF, RDFS, SKOS, XSD, local_name

CLASS_LIKE: Final = frozenset((RDFS + "Class", OWL + "Class"))
TOP: Final = frozenset((OWL + "Thing", RDFS + "Resource"))
_FREE: Final = frozenset((RDFS + "label", SKOS + "prefLabel", SKOS + "altLabel", RDFS + "comment"))
_NUMBERS: Final = frozenset((XSD + "decimal", XSD + "double", XSD + "float"))
_INTEGERS: Final = frozenset((XSD + "integer", XSD + "int", XSD + "long", XSD + "nonNegativeInteger"))


class Gate:
    """Decides on a statement, given what is known of both ends.

    Args:
        vocabulary: the ontology.
        min_confidence: statements below it are turned away.
        thresholds: higher bars for single extractors, by the name that their statements carry.
        admit: ways of saying (``speculated``, ``attributed``) that may enter beside what is asserted.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        min_confidence: float = 0.0,
        thresholds: Mapping[str, float] | None = None,
        admit: Sequence[str] = (),
    ) -> None:
        self.vocabulary = vocabulary
        self.min_confidence = min_confidence
        self.thresholds = thresholds or {}
        self.admit = frozenset(admit) - {"negated"}

    def decide(
        self, statement: Statement, subject_types: Iterable[str], object_types: Iterable[str]
    ) -> tuple[str, str] | None:
        """Say why a statement may not enter.

        Args:
            statement: the candidate.
            subject_types: class IRIs of its subject; none where nothing is known, which fits everything.
            object_types: class IRIs of its object; ``owl:Class`` among them where the object is itself a class.

        Returns:
            ``None`` where it may enter, else the rule (``negated``, ``speculated``, ``attributed``, ``confidence``,
            ``unknown``, ``literal``, ``domain``, ``range``, ``disjoint``) and a sentence for people.
        """
        if statement.assertion != "asserted" and statement.assertion not in self.admit:
            return statement.assertion, f"{_manner(statement)}: {statement.reason}"
        least = max(self.min_confidence, self.thresholds.get(statement.extractor, 0.0))
        if statement.confidence < least:
            return "confidence", f"confidence {statement.confidence:.2f} is below {least:.2f}"
        subject, object_ = tuple(subject_types), tuple(object_types)
        if statement.predicate == RDF + "type":
            return self._type(statement, subject)
        prop = self.vocabulary.properties.get(statement.predicate)
        if prop is None:
            if statement.predicate in _FREE or statement.predicate.startswith(KGF):
                return None
            return "unknown", f"no ontology of this workspace has a property {local_name(statement.predicate)!r}"
        name = f"“{prop.label}”"
        if prop.domain and (clash := self._clash(subject, prop.domain)):
            return "domain", f"{who(statement.subject)} is {clash[0]}, but the subject of {name} is {clash[1]}"
        if isinstance(statement.object, Value):
            if prop.kind == "object":
                return "literal", f"{name} takes a thing, not the literal “{statement.object.lexical}”"
            return self._literal(statement.object, prop.range, name)
        if prop.kind == "data":
            return "literal", f"{name} takes a literal, not a thing"
        if prop.range and (clash := self._clash_object(object_, prop.range)):
            return "range", f"{who(statement.object)} is {clash[0]}, but the object of {name} is {clash[1]}"
        return None

    def _type(self, statement: Statement, subject: Sequence[str]) -> tuple[str, str] | None:
        value = statement.object
        cls = value.entity if isinstance(value, Mention) else value
        if not isinstance(cls, str):
            return "literal", "a type is a class, not a literal"
        clash = self._clash(subject, (cls,))
        if clash:
            return "disjoint", f"{who(statement.subject)} is {clash[0]}, which cannot also be {clash[1]}"
        return None

    def _clash_object(self, types: Sequence[str], range_: Sequence[str]) -> tuple[str, str] | None:
        if not CLASS_LIKE.isdisjoint(range_):
            if types and CLASS_LIKE.isdisjoint(types):
                return self._label(types[0]), "a class"
            return None
        return self._clash([t for t in types if t not in CLASS_LIKE], range_)

    def _clash(self, types: Sequence[str], wanted: Sequence[str]) -> tuple[str, str] | None:
        """The pair of labels that contradict each other: no wanted class is open to a thing of these types."""
        first: tuple[str, str] | None = None
        for cls in wanted:
            if cls in TOP:
                return None
            against = next((t for t in sorted(types) if self.vocabulary.are_disjoint(t, cls)), None)
            if against is None:
                return None
            first = first or (self._label(against), self._label(cls))
        return first

    def _literal(self, value: Value, range_: Sequence[str], name: str) -> tuple[str, str] | None:
        if not is_valid(value):
            return "literal", f"“{value.lexical}” is no {local_name(value.datatype)}"
        fits = not range_ or value.datatype in range_ or RDFS + "Literal" in range_
        fits = fits or (value.datatype in _INTEGERS and not (_NUMBERS | _INTEGERS).isdisjoint(range_))
        fits = fits or (value.datatype in _NUMBERS and not _NUMBERS.isdisjoint(range_))
        fits = fits or not any(r.startswith(XSD) for r in range_)
        if fits:
            return None
        wanted = " or ".join(local_name(r) for r in range_)
        return "literal", f"{name} takes {wanted}, not the {local_name(value.datatype)} “{value.lexical}”"

    def _label(self, cls: str) -> str:
        label = self.vocabulary.label(cls)
        return f"an {label}" if label[:1].lower() in "aeiou" else f"a {label}"


def _manner(statement: Statement) -> str:
    who = f"“{statement.said_by.label or _exact(statement.said_by)}”" if statement.said_by is not None else ""
    match statement.assertion:
        case "negated":
            return f"{who or 'the text'} denies it"
        case "speculated":
            return f"{who or 'the text'} speaks of a possibility"
        case _:
            return f"the text says that {who} says so" if who else "the text says that others say so"


def _exact(mention: Mention) -> str:
    return getattr(mention.selector, "exact", "")


def who(node: object) -> str:
    """An end of a statement, for people."""
    if isinstance(node, Mention):
        return f"“{node.label}”"
    return f"“{local_name(node)}”" if isinstance(node, str) else "it"
