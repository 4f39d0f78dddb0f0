"""Near duplicates: pictures of different sources that are alike but for encoding, size and slight noise.

Two hashes that differ in at most ``BITS`` bits agree in at least one of ``BITS + 1`` bands of bits, so only pictures
that share a band are compared (multi-index hashing; Norouzi, Punjani and Fleet 2012, arXiv:1307.2982). Of pictures
with one and the same hash, the first by name stands for all: each of the others is linked to it, and it alone to
pictures with other hashes. So a thousand copies of one picture make a thousand pairs, not half a million.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

import kgfuse
from kgfuse.extract.image.likeness import PERCEPTUAL_HASH, Likeness, colour_gap
from kgfuse.graph.provenance import RunRecord
from kgfuse.terms.mentions import Extraction, Fact, Mention, Value
from kgfuse.terms.namespaces import KGF, source_iri
from kgfuse.workspace.parts import Parts

EXTRACTOR: Final = "image.duplicates"
NEAR_DUPLICATE: Final = KGF + "nearDuplicateOf"
DUPLICATE_RUN: Final = "duplicates"
"""Stands for the run in facts until the graph names it by its content."""
BITS: Final = 4
COLOURS: Final = 6.0
_ROWS: Final = 1024
_SAME: Final = 0.99


@dataclass(frozen=True, slots=True)
class Hashed:
    """A picture with its hash.

    Args:
        source: IRI.
        name: of the source.
        sha256: of its bytes.
        likeness: its perceptual hash.
        whole: the mention of the whole picture.
    """

    source: str
    name: str
    sha256: str
    likeness: Likeness
    whole: Mention


def duplicate_run() -> RunRecord:
    """The run that finds near duplicates."""
    return RunRecord((EXTRACTOR,), kgfuse.__version__, {}, {"bits": BITS, "colours": COLOURS})


def duplicate_facts(parts: Parts, extractions: Sequence[Extraction]) -> list[Fact]:
    """Near duplicates among all pictures of the workspace, said by either of the other; no order plays a part."""
    rows = {source_iri(row.name): row for row in parts.catalog.sources(kind="image")}
    found = []
    for extraction in extractions:
        for s in extraction.statements:
            if s.predicate == PERCEPTUAL_HASH and isinstance(s.object, Value) and s.source in rows:
                row = rows[s.source]
                likeness = Likeness.of_text(s.object.lexical)
                found.append(Hashed(s.source, row.name, row.sha256, likeness, s.evidence[0]))
    return [fact for a, b in pairs(found) for fact in (_fact(a, b), _fact(b, a))]


def pairs(pictures: Sequence[Hashed]) -> Iterator[tuple[Hashed, Hashed]]:
    """Pairs of near duplicates, each once, in an order that depends on the set alone."""
    alike: defaultdict[str, list[Hashed]] = defaultdict(list)
    for picture in sorted(pictures, key=lambda p: p.name):
        alike[picture.likeness.text].append(picture)
    groups = [alike[text] for text in sorted(alike)]
    for first, *others in groups:
        yield from ((first, other) for other in others)
    firsts = [group[0] for group in groups]
    bits = np.array([p.likeness.bits for p in firsts], np.uint64)
    for i, j in close(bits, BITS).tolist():
        if colour_gap(firsts[i].likeness, firsts[j].likeness) <= COLOURS:
            yield firsts[i], firsts[j]


def close(bits: npt.NDArray[np.uint64], most: int) -> npt.NDArray[np.int64]:
    """Pairs of rows whose 64 bits differ in at most ``most``.

    Args:
        bits: (n,).
        most: 0 to 63.

    Returns:
        (pairs, 2), the smaller row first, sorted.
    """
    edges = np.linspace(0, 64, most + 2).astype(int)
    codes = [np.zeros(0, np.int64)]
    for low, high in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        band = (bits >> np.uint64(low)) & np.uint64((1 << (high - low)) - 1)
        order = np.argsort(band, kind="stable")
        cuts = np.flatnonzero(np.diff(band[order])) + 1
        for group in np.split(order, cuts):
            for start in range(0, len(group) - 1, _ROWS):
                block = group[start : start + _ROWS]
                apart = np.bitwise_count(bits[block][:, None] ^ bits[group][None, :])
                near = np.argwhere(apart <= most)
                i, j = block[near[:, 0]], group[near[:, 1]]
                codes.append((i * len(bits) + j)[i < j])
    return np.stack(np.divmod(np.unique(np.concatenate(codes)), max(len(bits), 1)), axis=1)


def _fact(one: Hashed, other: Hashed) -> Fact:
    apart = (one.likeness.bits ^ other.likeness.bits).bit_count()
    same = one.sha256 == other.sha256
    gap = colour_gap(one.likeness, other.likeness)
    reason = f"{apart} of 64 bits of its hash differ from those of {other.name}, colours by at most ΔE {gap:.1f}"
    return Fact(
        subject=one.source,
        predicate=NEAR_DUPLICATE,
        object=other.source,
        source=one.source,
        evidence=(one.whole,),
        extractor=EXTRACTOR,
        confidence=1.0 if same else round(_SAME - 0.02 * apart, 2),
        reason=f"the same bytes as {other.name}" if same else reason,
        run=DUPLICATE_RUN,
    )
