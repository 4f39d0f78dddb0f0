"""AIFB and MUTAG: the class of a node by the graph alone, on the published splits."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyoxigraph

from kgfuse.fuse.data import FloatArray, FusionData, Split, Target, plain_classes
from tests.benchmarks.fusion_sets.case import Case, CaseSet, Features, MissingDataError, graph_of, nodes_of

_COLUMNS: Final = {"aifb": ("person", "label_affiliation"), "mutag": ("bond", "label_mutagenic")}
_VALIDATION: Final = 0.2


def case_sets(name: str, data: Path | None, features: Features, seeds: int) -> Iterator[CaseSet]:
    """The one set, with validation items drawn from its training items by the seed.

    Raises:
        MissingDataError: its files are not there.
    """
    folder = (data or Path()) / name
    files = [folder / f"{name}_stripped.nt.gz", folder / "trainingSet.tsv", folder / "testSet.tsv"]
    missing = [f.name for f in files if data is None or not f.is_file()]
    if missing:
        raise MissingDataError(f"--data has no {name}/{missing[0]}")
    item, label = _COLUMNS[name]
    train, test = (_rows(file, item, label) for file in files[1:])
    items = [i for i, _ in (*train, *test)]
    names = sorted({c for _, c in (*train, *test)})
    labels = np.array([names.index(c) for _, c in (*train, *test)], np.int64)

    def node_features(nodes: Sequence[str]) -> FloatArray:
        return np.zeros((len(nodes), 0), np.float32)

    graph = graph_of(_triples(files[0]), node_features)
    nothing, nowhere = np.zeros((len(items), 0), np.float32), np.zeros(len(items), np.bool_)
    fused = FusionData(
        tuple(items), nodes_of(graph, items), nothing, nowhere, nothing, nowhere, graph,
        (Target("class", plain_classes(names), labels),),
    )  # fmt: skip
    cases = []
    for seed in range(seeds):
        order = np.random.default_rng([seed, 20261129]).permutation(len(train))
        held = round(len(train) * _VALIDATION)
        split = Split(np.sort(order[held:]), np.sort(order[:held]), np.arange(len(train), len(items)))
        cases.append(Case(fused, split, seed))
    about = f"{len(train)} nodes to learn from (a fifth of them validation), {len(test)} test, {len(names)} classes"
    yield CaseSet(name, about, cases, tiny=True)


def _rows(file: Path, item: str, label: str) -> list[tuple[str, str]]:
    with file.open(encoding="utf-8", newline="") as f:
        return [(row[item], row[label]) for row in csv.DictReader(f, delimiter="\t")]


def _triples(file: Path) -> Iterator[tuple[str, str, str]]:
    with gzip.open(file, "rb") as f:
        for t in pyoxigraph.parse(f, format=pyoxigraph.RdfFormat.N_TRIPLES):
            yield _name(t.subject), t.predicate.value, _name(t.object)


def _name(term: Any) -> str:
    return term.value if isinstance(term, pyoxigraph.NamedNode) else str(term)
