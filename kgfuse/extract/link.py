"""Which IRI a mention stands for: its own, an item's, a lexicon entry's, or one minted from its label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kgfuse.extract.text.english import is_attributive, singular
from kgfuse.ontology.pack import Term
from kgfuse.ontology.vocabulary import Vocabulary
from kgfuse.terms.mentions import Mention
from kgfuse.terms.namespaces import OWL, RDFS, entity_iri, label_key

_CLASSES = frozenset((RDFS + "Class", OWL + "Class"))


@dataclass(frozen=True, slots=True)
class Known:
    """An item of the workspace: its IRI and its class IRIs (never its target label)."""

    iri: str
    types: tuple[str, ...] = ()


class Linker:
    """Looks labels up among the items, then in the lexicon.

    Args:
        vocabulary: the lexicon.
        items: items by `label_key` of their labels.
    """

    def __init__(self, vocabulary: Vocabulary, items: Mapping[str, Known]) -> None:
        self.vocabulary = vocabulary
        self._items: dict[str, Known] = {}
        self._types: dict[str, tuple[str, ...]] = {}
        for key in sorted(items):
            known = items[key]
            self._items.setdefault(label_key(key), known)
            self._types[known.iri] = known.types
        for key in sorted(items):
            self._items.setdefault(_singular(label_key(key)), items[key])

    def link(self, node: Mention | str, wanted: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
        """IRI and known types of a node.

        Args:
            node: a mention or an IRI.
            wanted: the classes that the statement expects at this place; a lexicon entry must be one of them.
        """
        if isinstance(node, str):
            return node, self._types.get(node, self._term_types(node))
        if node.entity is not None:
            types = self._types.get(node.entity, ()) or node.types or self._term_types(node.entity)
            return node.entity, types
        key = label_key(node.label)
        if not key:
            return entity_iri(node.label or "unnamed"), node.types
        if (found := self._exact(key, wanted)) is not None:
            return found
        if not _is_name(node):
            words = key.split(" ")
            for n in range(1, len(words)):
                found = self._exact(" ".join(words[n:]), wanted, items=all(is_attributive(w) for w in words[:n]))
                if found is not None:
                    return found
        return entity_iri(_singular(key) if not _is_name(node) else key), node.types

    def _exact(self, key: str, wanted: tuple[str, ...], *, items: bool = True) -> tuple[str, tuple[str, ...]] | None:
        for form in dict.fromkeys((key, _singular(key))):
            if items and (known := self._items.get(form)) is not None:
                return known.iri, known.types
            for term in self.vocabulary.lexicon.get(form, ()):
                if self._fits(term, wanted):
                    return term.iri, term.types if term.kind == "individual" else (OWL + "Class",)
        return None

    def _fits(self, term: Term, wanted: tuple[str, ...]) -> bool:
        if term.kind == "class":
            return not _CLASSES.isdisjoint(wanted)
        above = {a for t in term.types for a in self.vocabulary.ancestors(t)}
        return not wanted or not above.isdisjoint(wanted)

    def _term_types(self, iri: str) -> tuple[str, ...]:
        term = self.vocabulary.terms.get(iri)
        if term is None or term.kind == "class":
            return (OWL + "Class",) if iri in self.vocabulary.classes else ()
        return term.types


def _singular(key: str) -> str:
    head, space, last = key.rpartition(" ")
    return head + space + singular(last)


def _is_name(node: Mention) -> bool:
    """True for proper names, of which no part stands for the whole ("New York Times")."""
    return node.extractor == "text.ner" or node.label[:1].isupper()
