"""One hash for one content: RDF Dataset Canonicalization (RDFC-1.0, https://www.w3.org/TR/rdf-canon/)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

import pyoxigraph as ox


def canonical_lines(quads: Iterable[ox.Quad]) -> list[bytes]:
    """Canonical N-Quads lines, sorted by code point.

    Only quads with blank nodes go through the canonicalisation: the labels it issues depend on nothing else.
    """
    ground: list[ox.Quad] = []
    blank = ox.Dataset()
    for quad in quads:
        if any(_has_blank(term) for term in (quad.subject, quad.object, quad.graph_name)):
            blank.add(quad)
        else:
            ground.append(quad)
    blank.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    lines = [line for part in (ground, blank) for line in _lines(part)]
    return sorted(lines)


def sha256(quads: Iterable[ox.Quad]) -> str:
    """SHA-256 in hex of the canonical N-Quads; the same whatever the order and the names of blank nodes."""
    digest = hashlib.sha256()
    for line in canonical_lines(quads):
        digest.update(line)
        digest.update(b"\n")
    return digest.hexdigest()


def _has_blank(term: object) -> bool:
    if isinstance(term, ox.Triple):
        return _has_blank(term.subject) or _has_blank(term.object)
    return isinstance(term, ox.BlankNode)


def _lines(quads: Iterable[ox.Quad]) -> Iterator[bytes]:
    data = ox.serialize(quads, format=ox.RdfFormat.N_QUADS)
    return (line for line in (data or b"").split(b"\n") if line)
