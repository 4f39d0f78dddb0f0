"""RDF terms: between plain strings and pyoxigraph, and between IRIs and short names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, TypeAlias

import pyoxigraph as ox

from kgfuse.errors import UsageError
from kgfuse.terms.mentions import Value
from kgfuse.terms.namespaces import XSD

Subject: TypeAlias = ox.NamedNode | ox.BlankNode | ox.Triple
Term: TypeAlias = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple

_STRING: Final = ox.NamedNode(XSD + "string")
_LOCAL: Final = re.compile(r"[\w](?:[\w.\-]*[\w\-])?")


def named(iri: str) -> ox.NamedNode:
    """An IRI as a node.

    Raises:
        UsageError: it is not an absolute IRI.
    """
    try:
        return ox.NamedNode(iri)
    except ValueError as e:
        raise UsageError(f"{iri!r} is not an IRI: {e}", remedy="write it in full, such as https://…") from e


def literal(value: Value) -> ox.Literal:
    """A literal in the lexical form that the store gives back."""
    if value.language:
        return ox.Literal(value.lexical, language=value.language)
    if value.datatype == XSD + "string":
        return ox.Literal(value.lexical)
    return stored(ox.Literal(value.lexical, datatype=named(value.datatype)))


def node(term: str | Value) -> ox.NamedNode | ox.Literal:
    """An IRI or a literal as a term."""
    return named(term) if isinstance(term, str) else literal(term)


def plain(term: Term) -> str | Value:
    """An IRI (or ``_:label`` of a blank node, or a quoted triple) as text, a literal as a ``Value``."""
    if isinstance(term, ox.Literal):
        return Value(term.value, term.datatype.value, term.language or "")
    return term.value if isinstance(term, ox.NamedNode) else str(term)


def parsed(form: str) -> str | Value:
    """A term in N-Triples form as `plain` gives it.

    >>> parsed('"vogel"@de')
    Value(lexical='vogel', datatype='http://www.w3.org/1999/02/22-rdf-syntax-ns#langString', language='de')
    """
    if form.startswith("<") and not form.startswith("<<"):
        return form[1:-1]
    if not form.startswith('"'):
        return form
    (quad,) = ox.parse(f"<urn:s> <urn:p> {form} .".encode(), ox.RdfFormat.N_TRIPLES, lenient=True)
    return plain(quad.object)


def text(term: Term) -> str:
    """What a person reads: the IRI, or the literal's lexical form."""
    return term.value if isinstance(term, ox.NamedNode | ox.Literal) else str(term)


@lru_cache(maxsize=65536)
def stored(value: ox.Literal) -> ox.Literal:
    """The literal as Oxigraph keeps it: numbers, booleans, dates and durations in canonical form.

    Comparing a triple with what is stored would otherwise see ``1.50`` leave and ``1.5`` arrive.

    >>> stored(ox.Literal("1.50", datatype=ox.NamedNode(XSD + "decimal"))).value
    '1.5'
    """
    if value.language or value.datatype == _STRING or not value.datatype.value.startswith(XSD):
        return value
    store = ox.Store()
    store.add(ox.Quad(_STRING, _STRING, value))
    back = next(iter(store)).object
    return back if isinstance(back, ox.Literal) else value


def stored_triple(triple: ox.Triple | ox.Quad) -> ox.Triple:
    """The triple (of a quad) as the store gives it back."""
    o = triple.object
    if isinstance(o, ox.Literal):
        canonical = stored(o)
        if canonical != o:
            return ox.Triple(triple.subject, triple.predicate, canonical)
    return triple.triple if isinstance(triple, ox.Quad) else triple


def shrink(iri: str, prefixes: Mapping[str, str]) -> str:
    """Short name of an IRI under the longest namespace that fits, else the IRI.

    >>> shrink("https://w3id.org/kgfuse#predicted", {"kgf": "https://w3id.org/kgfuse#"})
    'kgf:predicted'
    """
    best = ""
    prefix = ""
    for name, namespace in prefixes.items():
        if iri.startswith(namespace) and len(namespace) > len(best) and _LOCAL.fullmatch(iri[len(namespace) :]):
            best, prefix = namespace, name
    return f"{prefix}:{iri[len(best) :]}" if best else iri
