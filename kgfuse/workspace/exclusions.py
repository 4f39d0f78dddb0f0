"""What the ontology says of a question's classes, as pairs of numbers: which lie below others, which exclude others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from kgfuse.fuse.consistent import Rules
from kgfuse.fuse.data import BoolArray, ClassNodes, IntArray, Target
from kgfuse.workspace.hierarchy import RDF_TYPE, Hierarchy, TargetSpec


def ruled(targets: Sequence[Target], specs: Sequence[TargetSpec], hierarchy: Hierarchy) -> tuple[Target, ...]:
    """The targets with what their classes say of each other, where these are classes of the items themselves.

    An item labelled with a class of a multi-label target has the labels above it, too. Values of another property than
    ``rdf:type`` may well be of disjoint classes: what lives in two places is not both.
    """
    made = []
    for number, (target, spec) in enumerate(zip(targets, specs, strict=True)):
        if spec.property != RDF_TYPE:
            made.append(target)
            continue
        classes = target.classes
        if target.multi_label:
            classes = replace(classes, below=_below(spec, hierarchy), apart=_apart(spec, spec, hierarchy))
        others = [own for own in specs[number + 1 :] if own.property == RDF_TYPE]
        elsewhere = {own.name: pairs for own in others if len(pairs := _apart(spec, own, hierarchy))}
        labels = upward(target.labels, classes) if target.multi_label else target.labels
        made.append(replace(target, classes=replace(classes, elsewhere=elsewhere), labels=labels))
    return tuple(made)


def upward(labels: IntArray | BoolArray, classes: ClassNodes) -> BoolArray:
    """(n, C) labels of a multi-label target with those that follow from them."""
    rules = Rules(len(classes.iris), classes.below, classes.apart)
    return rules.upward(np.asarray(labels, np.bool_))


def _below(spec: TargetSpec, hierarchy: Hierarchy) -> IntArray:
    at = {iri: number for number, iri in enumerate(spec.classes)}
    found = [(at[c], at[a]) for c in spec.classes for a in sorted(hierarchy.ancestors(c)) if a in at and a != c]
    return np.array(found, np.int64).reshape(-1, 2)


def _apart(one: TargetSpec, other: TargetSpec, hierarchy: Hierarchy) -> IntArray:
    """Pairs of a class of the one and one of the other that exclude each other; each pair once within one target."""
    above = [hierarchy.ancestors(c) for c in other.classes]
    found = []
    for n, iri in enumerate(one.classes):
        if excluded := hierarchy.excluded(iri):
            start = n + 1 if one is other else 0
            found += [(n, m) for m in range(start, len(above)) if not excluded.isdisjoint(above[m])]
    return np.array(found, np.int64).reshape(-1, 2)
