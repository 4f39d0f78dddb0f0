"""Near duplicates: pictures of different sources that are alike but for encoding, size and slight noise.

The first by name of those that are alike stands for the others: each of them is linked to it alone. So the frames of a
still scene, or a thousand blank pages, make as many pairs as pictures, not the square of it. Two hashes that differ in
at most ``BITS`` bits agree in at least one of ``BITS + 1`` bands of bits, so a picture is compared only with the firsts
that share a band (multi-index hashing; Norouzi, Punjani and Fleet 2012, arXiv:1307.2982).
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

import kgfuse
from kgfuse.extract.image.likeness import PERCEPTUAL_HASH, Likeness, colour_gap
from kgfuse.graph.provenance_lines import RunRecord
from kgfuse.terms.mentions import Extraction, Fact, Mention, Value
from kgfuse.terms.namespaces import KGF, source_iri
from kgfuse.workspace.parts import Parts

EXTRACTOR: Final = "image.duplicates"
NEAR_DUPLICATE: Final = KGF + "nearDuplicateOf"
DUPLICATE_RUN: Final = "duplicates"
"""Stands for the run in facts until the graph names it by its content."""
BITS: Final = 4
COLOURS: Final = 6.0
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
    """The first of those that are alike with each of the others, in an order that depends on the set alone."""
    ordered = sorted(pictures, key=lambda p: p.name)
    firsts = _Firsts([p.likeness for p in ordered])
    for n, picture in enumerate(ordered):
        first = firsts.like(n)
        if first is None:
            firsts.add(n)
        else:
            yield ordered[first], picture


class _Firsts:
    """Pictures that stand for those like them.

    Args:
        all: hashes of all pictures, which are then spoken of by their numbers.
    """

    def __init__(self, all: Sequence[Likeness]) -> None:
        self._all = all
        self._bits = np.array([one.bits for one in all], np.uint64)
        self._mean = np.array([one.lab.mean(axis=0) for one in all]).reshape(-1, 3)
        self._bands: defaultdict[tuple[int, int], array[int]] = defaultdict(lambda: array("q"))

    def add(self, number: int) -> None:
        """Take a picture in."""
        for band in _bands(self._all[number].bits):
            self._bands[band].append(number)

    def like(self, number: int) -> int | None:
        """The first, by number, that a picture is like."""
        best: int | None = None
        for band in _bands(self._all[number].bits):
            if band not in self._bands:
                continue
            there = np.frombuffer(self._bands[band], np.int64)
            near = there[np.bitwise_count(self._bits[there] ^ self._bits[number]) <= BITS]
            # cells cannot be nearer in colour than their means are
            near = near[np.linalg.norm(self._mean[near] - self._mean[number], axis=1) <= COLOURS + 1e-9]
            for other in near[: np.searchsorted(near, len(self._all) if best is None else best)].tolist():
                if colour_gap(self._all[other], self._all[number]) <= COLOURS:
                    best = other
                    break
        return best


def _bands(bits: int) -> list[tuple[int, int]]:
    """The bits in ``BITS + 1`` pieces, each with its number."""
    edges = [64 * n // (BITS + 1) for n in range(BITS + 2)]
    return [(n, bits >> low & ((1 << (high - low)) - 1)) for n, (low, high) in enumerate(pairwise(edges))]


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
