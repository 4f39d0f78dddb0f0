"""Terms as integers: what the engine must know about them, and a small table of one's own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Protocol, TypeAlias

import numpy as np
import pyoxigraph as ox
from numpy.typing import NDArray

from kgfuse.terms.namespaces import OWL, RDF, RDFS, XSD

Term: TypeAlias = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple

IRI: Final = 0
BUILT_IN: Final = 1
BLANK: Final = 2
LITERAL: Final = 3
QUOTED: Final = 4
"""Kinds of terms; built in are the IRIs of RDF, RDFS, OWL and XSD."""

_NAMESPACES: Final = (RDF, RDFS, OWL, XSD)


class Symbols(Protocol):
    """A numbering of terms, from 0 and below 2**31."""

    def number(self, term: Term) -> int:
        """Number of a term, minted where it has none."""
        ...

    def kinds(self, ids: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Kind of each number: ``IRI``, ``BUILT_IN``, ``BLANK``, ``LITERAL`` or ``QUOTED`` (a triple term)."""
        ...

    def term(self, number: int) -> Term:
        """The term of a number."""
        ...


def kind_of(term: Term) -> int:
    """Kind of a term.

    >>> kind_of(ox.NamedNode(OWL + "Thing")) == BUILT_IN
    True
    """
    if isinstance(term, ox.NamedNode):
        return BUILT_IN if term.value.startswith(_NAMESPACES) else IRI
    if isinstance(term, ox.Literal):
        return LITERAL
    return BLANK if isinstance(term, ox.BlankNode) else QUOTED


class Numbering:
    """Terms numbered as they come."""

    def __init__(self) -> None:
        self._numbers: dict[Term, int] = {}
        self._terms: list[Term] = []
        self._kinds: list[int] = []

    def number(self, term: Term) -> int:
        """Number of a term, minted where it has none."""
        known = self._numbers.get(term)
        if known is None:
            known = self._numbers[term] = len(self._terms)
            self._terms.append(term)
            self._kinds.append(kind_of(term))
        return known

    def kinds(self, ids: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Kind of each number."""
        return np.array(self._kinds, np.uint8)[ids]

    def term(self, number: int) -> Term:
        """The term of a number."""
        return self._terms[number]

    def rows(self, triples: Iterable[ox.Triple]) -> NDArray[np.int64]:
        """Triples as an array (n, 3)."""
        number = self.number
        flat = [number(term) for triple in triples for term in (triple.subject, triple.predicate, triple.object)]
        return np.array(flat, np.int64).reshape(-1, 3)

    def triples(self, rows: NDArray[np.int64]) -> list[ox.Triple]:
        """The triples of an array (n, 3)."""
        terms = self._terms
        return [ox.Triple(terms[s], terms[p], terms[o]) for s, p, o in rows.tolist()]
