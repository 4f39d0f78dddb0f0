"""Which things may stand at either end of a property, by what the ontology says of the classes they are in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

import numpy as np
import torch
from torch import Tensor

from kgfuse.extract.gating.gate import CLASS_LIKE, TOP
from kgfuse.graph import KnowledgeGraph
from kgfuse.graph.decoded import number_of, texts_of
from kgfuse.ontology import Vocabulary
from kgfuse.terms.namespaces import OWL, RDF
from kgfuse.workspace.encoderview import Key

_TYPE = RDF + "type"


class Ends:
    """Entities and relations of some triples, by number.

    Args:
        graph: what holds; its types decide.
        vocabulary: domains, ranges and disjoint classes.
        keys: triples between things.

    Attributes:
        entities: V IRIs, sorted.
        relations: R IRIs, sorted.
        triples: (N, 3) the keys as numbers.
        groups: (N,) the same number for triples that say the same by an inverse or a symmetric property.
        allowed: (2R, V) which entities may be the object of a relation; of the second half, its subject.
    """

    def __init__(self, graph: KnowledgeGraph, vocabulary: Vocabulary, keys: Sequence[Key]) -> None:
        self.vocabulary = vocabulary
        self.entities = tuple(sorted({n for s, _, o in keys for n in (s, o)}))
        self.relations = tuple(sorted({p for _, p, _ in keys}))
        self.entity_at = {iri: n for n, iri in enumerate(self.entities)}
        self.relation_at = {iri: n for n, iri in enumerate(self.relations)}
        self._rows = [(self.entity_at[s], self.relation_at[p], self.entity_at[o]) for s, p, o in keys]
        self.triples = np.array(self._rows, np.int64).reshape(-1, 3)
        mirrors = {p: vocabulary.mirrors(p) for p in self.relations}
        same = [min([(s, p, o), *((o, q, s) for q in mirrors[p])]) for s, p, o in keys]
        self.groups = np.unique(np.array(["\n".join(key) for key in same]), return_inverse=True)[1].ravel()
        self._reflexive = {p for s, p, o in self._rows if s == o}
        self._values = {(s, p) for s, p, _ in self._rows}
        self._types = _types_of(graph, self.entities)
        self.allowed = self._allowed()

    def types(self, iri: str) -> tuple[str, ...]:
        """IRIs of the classes that a thing is in, as far as the graph says."""
        return self._types.get(iri, ())

    def closed(self, place: int, relation: int, forward: bool, stated: Collection[str]) -> Tensor:
        """(V,) entities that are no answer to a question.

        Args:
            place: the end that is given.
            relation: of the question.
            forward: whether objects are asked for.
            stated: IRIs that hold already.
        """
        prop, given = self.relations[relation], self.entities[place]
        out = ~self.allowed[relation if forward else relation + len(self.relations)]
        known = [self.entity_at[iri] for iri in stated if iri in self.entity_at]
        out[known] = True
        if relation not in self._reflexive:
            out[place] = True
        declared = self.vocabulary.properties.get(prop)
        if declared is not None and declared.functional:
            if forward and stated:
                out[:] = True
            elif not forward:
                out[[s for s, p in self._values if p == relation]] = True
        if prop == _TYPE:
            out |= self._no_type(given, forward)
        return out

    def _no_type(self, given: str, forward: bool) -> Tensor:
        """Classes that a thing cannot be in, or things that cannot be in a class."""
        disjoint = self.vocabulary.are_disjoint
        if forward:
            mine = self.types(given)
            wrong = [any(disjoint(t, iri) for t in mine) for iri in self.entities]
        else:
            wrong = [any(disjoint(t, given) for t in self.types(iri)) for iri in self.entities]
        return torch.tensor(wrong)

    def _allowed(self) -> Tensor:
        """What is not against domain and range; classes only where statements of the property have some."""
        kinds: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
        for n, iri in enumerate(self.entities):
            kinds[self.types(iri)].append(n)
        is_class = torch.tensor([self._is_class(iri) for iri in self.entities])
        count = len(self.relations)
        out = torch.ones(2 * count, len(self.entities), dtype=torch.bool)
        of_class = is_class.numpy()
        with_classes = {(p, end) for end in (0, 2) for p in self.triples[of_class[self.triples[:, end]], 1].tolist()}
        for n, prop in enumerate(self.relations):
            known = self.vocabulary.properties.get(prop)
            for row, column, wanted in (
                (n, 2, known.range if known else ()),
                (n + count, 0, known.domain if known else ()),
            ):
                if (n, column) not in with_classes:
                    out[row] &= ~is_class
                elif (prop, column) == (_TYPE, 2):
                    out[row] &= is_class
                for types, members in kinds.items():
                    if not _fits(types, wanted, self.vocabulary):
                        out[row, members] = False
        s, p, o = torch.from_numpy(self.triples).unbind(1)
        out[p, o] = out[p + count, s] = True  # what is stated is no contradiction
        return out

    def _is_class(self, iri: str) -> bool:
        return iri in self.vocabulary.classes or not CLASS_LIKE.isdisjoint(self.types(iri))


def _fits(types: Collection[str], wanted: Collection[str], vocabulary: Vocabulary) -> bool:
    """Whether a thing of these classes may also be in one of those wanted."""
    if not wanted or not TOP.isdisjoint(wanted):
        return True
    if not CLASS_LIKE.isdisjoint(wanted):
        return not types or not CLASS_LIKE.isdisjoint(types)
    own = [t for t in types if t not in CLASS_LIKE]
    return any(not any(vocabulary.are_disjoint(t, w) for t in own) for w in wanted)


def _types_of(graph: KnowledgeGraph, entities: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """IRIs of the classes of each entity that has one, sorted, without ``owl:Thing`` and individuals' mark."""
    import polars as pl

    columns = graph.store.columns
    rows = columns.edges.filter(pl.col("p") == number_of(columns, f"<{_TYPE}>"))
    wanted, found = set(entities), defaultdict[str, set[str]](set)
    for s, o in zip(texts_of(columns, rows["s"]), texts_of(columns, rows["o"]), strict=True):
        if s in wanted and o not in TOP and o != OWL + "NamedIndividual":
            found[s].add(o)
    return {iri: tuple(sorted(types)) for iri, types in found.items()}
