"""Literals as features of nodes: numbers and dates as normalised columns, texts as they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from math import isfinite
from typing import TYPE_CHECKING, Final

from kgfuse.graph.decoded import python_values
from kgfuse.graph.finding import span

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_DAY: Final = 86_400.0  # seconds


@dataclass(frozen=True, slots=True)
class Feature:
    """A column of numbers: value = (what is stated − mean) / deviation, 0 where nothing is.

    Args:
        property: IRI.
        mean: of what is stated; of dates in days since 1970.
        deviation: of what is stated; 1 where all is the same.
    """

    property: str
    mean: float
    deviation: float


@dataclass(frozen=True)
class LiteralFeatures:
    """What literals state of some nodes.

    Args:
        x: float32 (N, F): normalised; several values of one node are averaged.
        mask: bool (N, F): something is stated.
        columns: what the columns are.
        texts: property IRI → the texts of every node, sorted.
    """

    x: npt.NDArray[np.float32]
    mask: npt.NDArray[np.bool_]
    columns: tuple[Feature, ...]
    texts: dict[str, list[tuple[str, ...]]]


def literal_features(count: int, stated: Sequence[tuple[int, str, str]]) -> LiteralFeatures:
    """Features of nodes.

    Args:
        count: of nodes.
        stated: node, property IRI, literal in N-Triples form.
    """
    import numpy as np
    import polars as pl

    distinct = sorted({form for _, _, form in stated})
    value = dict(zip(distinct, python_values(pl.Series("term", distinct, pl.String)), strict=True))
    numbers: dict[str, tuple[list[int], list[float]]] = defaultdict(lambda: ([], []))
    texts: dict[str, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    for node, property, form in stated:
        number = _number(value[form])
        if number is None:
            texts[property][node].append(str(value[form]))
        elif isfinite(number):
            numbers[property][0].append(node)
            numbers[property][1].append(number)
    x = np.zeros((count, len(numbers)), np.float32)
    mask = np.zeros((count, len(numbers)), np.bool_)
    columns = []
    for at, property in enumerate(sorted(numbers)):
        nodes, found = (np.array(part) for part in numbers[property])
        times = np.bincount(nodes, minlength=count)
        mask[:, at] = times > 0
        mean_of = np.bincount(nodes, found, minlength=count)[mask[:, at]] / times[mask[:, at]]
        mean, deviation = float(mean_of.mean()), float(mean_of.std())
        deviation = deviation if isfinite(deviation) and deviation > 0 else 1.0
        x[mask[:, at], at] = (mean_of - mean) / deviation
        columns.append(Feature(property, mean, deviation))
    raw = {p: [tuple(sorted(said.get(node, ()))) for node in range(count)] for p, said in sorted(texts.items())}
    return LiteralFeatures(x, mask, tuple(columns), raw)


def _number(value: object) -> float | None:
    if isinstance(value, bool | int | float):
        try:
            return float(value)
        except OverflowError:  # beyond what a double holds: as good as infinite
            return float("inf")
    if isinstance(value, datetime | date):
        return span(value)[0].timestamp() / _DAY
    return None
