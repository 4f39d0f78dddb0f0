"""What the extractions of a workspace and the decisions of people come to, before anything is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from kgfuse.extract.resolve import Resolution, resolve
from kgfuse.graph.provenance_lines import Review
from kgfuse.terms.mentions import Extraction
from kgfuse.workspace import identity
from kgfuse.workspace.duplicates import duplicate_facts
from kgfuse.workspace.extraction import extractions
from kgfuse.workspace.givens import givens
from kgfuse.workspace.neighbours import neighbour_facts
from kgfuse.workspace.parts import Parts
from kgfuse.workspace.review.decisions import Judged, judge, reviews, settled


@dataclass(frozen=True, slots=True)
class Resolved:
    """All that the extractions and the decisions of people come to."""

    extractions: tuple[Extraction, ...]
    resolution: Resolution
    judged: Judged
    reviews: Mapping[str, Sequence[Review]]


def resolved(parts: Parts) -> Resolved:
    """Resolve all extractions: decisions applied, entities named, statements gated, alike pictures linked."""
    found = tuple(extractions(parts))
    known = parts.known_items(parts.catalog.items())
    judged = judge(parts, found)
    said = (*judged.machine, *judged.people)
    resolution = resolve(
        said,
        parts.vocabulary,
        known,
        parts.settings.extract,
        givens(parts),
        identity.wishes(parts.catalog),
        parts.gazetteer,
    )
    near = [*neighbour_facts(parts, found), *duplicate_facts(parts, found)]
    resolution = settled(replace(resolution, facts=(*resolution.facts, *near)), judged)
    # what a person turned away still tells the leak mask which words reveal an answer
    return Resolved((*found, *judged.people), resolution, judged, reviews(judged, resolution, parts, known))
