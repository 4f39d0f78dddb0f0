"""Two scores of predicted triples, beside the paper's conformance and hallucination.

*Official* is the scorer of Text2KGBench (Mihindukulasooriya et al. 2023, arXiv:2308.02357): predicted triples whose
relation is not among a sentence's gold relations are dropped before precision, recall and F1 are taken, so wrong
relations cost nothing. *Strict* counts every prediction. Both compare triples without case, spaces and underscores,
give 0 to a sentence without gold or without predictions, and are means over sentences.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any, TypeAlias

Triple: TypeAlias = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Score:
    """Means over the sentences of one ontology, or over ontologies."""

    official_precision: float
    official_recall: float
    official_f1: float
    strict_precision: float
    strict_recall: float
    strict_f1: float
    conformance: float
    subject_hallucination: float
    object_hallucination: float
    coverage: float

    def to_dict(self) -> dict[str, float]:
        """JSON-able, four digits."""
        return {k: round(v, 4) for k, v in asdict(self).items()}


def score(
    gold: Sequence[tuple[str, Sequence[Triple]]], predicted: Sequence[Sequence[Triple]], relations: Set[str]
) -> Score:
    """Score one ontology.

    Args:
        gold: (sentence, triples) in order.
        predicted: triples for each sentence.
        relations: the labels that the ontology has.
    """
    rows = [_sentence(text, triples, found, relations) for (text, triples), found in zip(gold, predicted, strict=True)]
    return mean_of_rows(rows)


def mean_of_rows(rows: Sequence[Mapping[str, float | None]]) -> Score:
    """Means, each over the sentences where it is defined."""
    found: dict[str, Any] = {}
    for name in Score.__dataclass_fields__:
        values = [v for row in rows if (v := row[name]) is not None]
        found[name] = fmean(values) if values else 0.0
    return Score(**found)


def mean_over(scores: Sequence[Score]) -> Score:
    """Mean over ontologies."""
    return Score(**{n: fmean(getattr(s, n) for s in scores) for n in Score.__dataclass_fields__})


def normalised(triple: Triple) -> str:
    """The form in which two triples are compared."""
    return re.sub(r"(_|\s+)", "", "".join(triple)).lower()


def _sentence(
    text: str, gold: Sequence[Triple], found: Sequence[Triple], relations: Set[str]
) -> dict[str, float | None]:
    wanted = {normalised(t) for t in gold}
    asked = {t[1].replace(" ", "_") for t in gold}
    kept = {normalised(t) for t in found if t[1].replace(" ", "_") in asked}
    every = {normalised(t) for t in found}
    known = {r.replace(" ", "_") for r in relations}
    official, strict = _prf(wanted, kept), _prf(wanted, every)
    n = len(found)
    return {
        "official_precision": official[0],
        "official_recall": official[1],
        "official_f1": official[2],
        "strict_precision": strict[0],
        "strict_recall": strict[1],
        "strict_f1": strict[2],
        "conformance": sum(t[1].replace(" ", "_") in known for t in found) / n if n else None,
        "subject_hallucination": sum(not _said(t[0], text) for t in found) / n if n else None,
        "object_hallucination": sum(not _said(t[2], text) for t in found) / n if n else None,
        "coverage": float(n > 0),
    }


def _prf(gold: Set[str], found: Set[str]) -> tuple[float, float, float]:
    if not gold or not found:
        return 0.0, 0.0, 0.0
    hits = len(gold & found)
    if not hits:
        return 0.0, 0.0, 0.0
    p, r = hits / len(found), hits / len(gold)
    return p, r, 2 * p * r / (p + r)


def _said(label: str, text: str) -> bool:
    """The label's letters and digits stand in the sentence (the paper compares stems; this is stricter)."""
    plain = re.sub(r"[\W_]+", "", label).lower()
    return plain in re.sub(r"[\W_]+", "", text).lower()
