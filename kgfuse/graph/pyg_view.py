"""The graph as PyTorch Geometric data: homogeneous, or with a node type for each class; literals as features."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from kgfuse.graph.arcs import TYPE
from kgfuse.graph.arrays import Exclude, GraphView, arrays
from kgfuse.graph.literal_features import Feature, literal_features
from kgfuse.graph.store import GraphStore
from kgfuse.terms.namespaces import OWL, RDFS

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import torch_geometric.data

_SUBCLASS: Final = RDFS + "subClassOf"
THING: Final = OWL + "Thing"
"""Class of nodes that have none."""


@dataclass(frozen=True)
class PygGraph:
    """A homogeneous PyTorch Geometric graph with the way back to IRIs.

    Args:
        data: ``edge_index`` (2, E), ``edge_type`` (E,), ``edge_confidence`` (E,), ``num_nodes``; with literals as
            features ``x`` (N, F) and ``x_mask`` (N, F) too.
        view: nodes, relations and literals by number: ``view.nodes[i]``, ``view.node_index[iri]``.
        features: what the columns of ``x`` are.
        texts: property IRI → the texts of every node, for an encoder of the caller's.
    """

    data: torch_geometric.data.Data
    view: GraphView
    features: tuple[Feature, ...] = ()
    texts: Mapping[str, list[tuple[str, ...]]] = field(default_factory=dict)


@dataclass(frozen=True)
class HeteroGraph:
    """A heterogeneous PyTorch Geometric graph with the way back to IRIs.

    Args:
        data: for each node type ``num_nodes``, ``x`` (N, F) and ``x_mask`` (N, F); for each (type, property, type)
            ``edge_index`` (2, E) and ``edge_confidence`` (E,).
        nodes: node type → IRIs by index.
        types: node type → IRI of the class.
        relations: name of a relation → IRI of the property.
        features: node type → what the columns of ``x`` are.
        texts: node type → property IRI → the texts of every node, for an encoder of the caller's.
    """

    data: torch_geometric.data.HeteroData
    nodes: Mapping[str, tuple[str, ...]]
    types: Mapping[str, str]
    relations: Mapping[str, str]
    features: Mapping[str, tuple[Feature, ...]]
    texts: Mapping[str, Mapping[str, list[tuple[str, ...]]]]
    _at: Mapping[str, tuple[str, int]] = field(repr=False)

    def iri(self, node_type: str, index: int) -> str:
        """The node with that number."""
        return self.nodes[node_type][index]

    def place(self, iri: str) -> tuple[str, int]:
        """Node type and number of a node.

        Raises:
            KeyError: it is not in the graph.
        """
        return self._at[iri]


def homogeneous(
    store: GraphStore,
    exclude: Exclude = None,
    *,
    graphs: Iterable[str] | None = None,
    literals: Literal["nodes", "features"] = "nodes",
) -> PygGraph:
    """One kind of node; see ``KnowledgeGraph.to_pyg``."""
    import torch
    from torch_geometric.data import Data

    view = full = arrays(store, exclude, graphs=graphs)
    if literals == "features":
        view, stated = _parted(full)
    edges = torch.from_numpy(view.edges.copy())
    data = Data(
        edge_index=edges[:, [0, 2]].t().contiguous(),
        edge_type=edges[:, 1].contiguous(),
        edge_confidence=torch.from_numpy(view.confidence.copy()),
        num_nodes=len(view.nodes),
    )
    if literals == "nodes":
        return PygGraph(data, view)
    found = literal_features(len(view.nodes), stated)
    data.x, data.x_mask = torch.from_numpy(found.x), torch.from_numpy(found.mask)
    return PygGraph(data, view, found.columns, found.texts)


def heterogeneous(
    store: GraphStore, short: Callable[[str], str], exclude: Exclude = None, *, graphs: Iterable[str] | None = None
) -> HeteroGraph:
    """A kind of node for each class, a kind of edge for each property between two; see ``KnowledgeGraph.to_pyg``."""
    import numpy as np
    import torch
    from torch_geometric.data import HeteroData

    view, stated = _parted(arrays(store, exclude, graphs=graphs))
    classes = node_classes(store, view)
    names = {iri: short(iri) for iri in sorted(set(classes))}
    type_of = [names[iri] for iri in classes]
    members: dict[str, list[int]] = defaultdict(list)
    for i, name in enumerate(type_of):
        members[name].append(i)
    local = np.zeros(len(view.nodes), np.int64)
    for numbers in members.values():
        local[numbers] = np.arange(len(numbers))
    said: dict[str, list[tuple[int, str, str]]] = defaultdict(list)
    for s, p, value in stated:
        said[type_of[s]].append((int(local[s]), p, value))
    data, features, texts = HeteroData(), {}, {}
    for name in sorted(members):
        numbers = members[name]
        found = literal_features(len(numbers), said[name])
        features[name], texts[name] = found.columns, found.texts
        data[name].num_nodes = len(numbers)
        data[name].x, data[name].x_mask = torch.from_numpy(found.x), torch.from_numpy(found.mask)
    relations = {short(iri): iri for iri in view.relations}
    for (source, property, target), rows in _by_relation(view, type_of, list(relations)).items():
        ends = view.edges[rows][:, [0, 2]]
        data[source, property, target].edge_index = torch.from_numpy(local[ends].T.copy())
        data[source, property, target].edge_confidence = torch.from_numpy(view.confidence[rows])
    return HeteroGraph(
        data=data,
        nodes={name: tuple(view.nodes[i] for i in members[name]) for name in sorted(members)},
        types={name: iri for iri, name in names.items()},
        relations=relations,
        features=features,
        texts=texts,
        _at={iri: (type_of[i], int(local[i])) for i, iri in enumerate(view.nodes)},
    )


def node_classes(store: GraphStore, view: GraphView) -> list[str]:
    """The class of every node: of those asserted, else inferred, the most special; of several the deepest, then first.

    A class is more special than all it is a subclass of; depth is the number of its superclasses.
    """
    import polars as pl

    from kgfuse.graph.columns import ASSERTED, IN_ONTOLOGY
    from kgfuse.graph.decoded import number_of, texts_of

    columns = store.columns
    lower = columns.edges.filter(pl.col("p") == number_of(columns, f"<{_SUBCLASS}>"))
    above = _superclasses(zip(texts_of(columns, lower["s"]), texts_of(columns, lower["o"]), strict=True))
    number = view.relation_index.get(TYPE)
    shown: dict[str, set[str]] = defaultdict(set)
    for s, p, o in view.edges.tolist() if number is not None else ():
        if p == number:
            shown[view.nodes[s]].add(view.nodes[o])
    typed = columns.edges.filter(pl.col("p") == number_of(columns, f"<{TYPE}>"))
    typed = typed.filter((pl.col("status") & (ASSERTED | IN_ONTOLOGY)) > 0)
    asserted: dict[str, set[str]] = defaultdict(set)
    for s, o in zip(texts_of(columns, typed["s"]), texts_of(columns, typed["o"]), strict=True):
        if o in shown.get(s, ()):
            asserted[s].add(o)
    chosen: dict[frozenset[str], str] = {}
    found = []
    for node in view.nodes:
        types = frozenset(asserted.get(node) or shown.get(node) or (THING,))
        if types not in chosen:
            chosen[types] = _most_special(types, above)
        found.append(chosen[types])
    return found


def _most_special(types: frozenset[str], above: Mapping[str, set[str]]) -> str:
    def has_more_special(iri: str) -> bool:
        return any(iri in above.get(t, ()) and t not in above.get(iri, ()) for t in types)

    lowest = [t for t in types if not has_more_special(t)] or list(types)
    return min(lowest, key=lambda t: (-len(above.get(t, ())), t))


def _superclasses(pairs: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    direct: dict[str, set[str]] = defaultdict(set)
    for lower, upper in pairs:
        if lower != upper:
            direct[lower].add(upper)
    found = {}
    for iri in direct:
        above, todo = set[str](), [iri]
        while todo:
            fresh = direct.get(todo.pop(), set()) - above
            above |= fresh
            todo.extend(fresh)
        found[iri] = above - {iri}
    return found


def _parted(view: GraphView) -> tuple[GraphView, list[tuple[int, str, str]]]:
    """The view without its literals, and what they state: node, property, literal in N-Triples form."""
    import numpy as np

    # literals come first in the order of N-Triples forms
    first = next((i for i, node in enumerate(view.nodes) if not node.startswith('"')), len(view.nodes))
    literal = view.edges[:, 2] < first
    stated = [(s - first, view.relations[p], view.nodes[o]) for s, p, o in view.edges[literal].tolist()]
    edges = view.edges[~literal] - np.array([first, 0, first])
    return GraphView(view.nodes[first:], view.relations, edges, view.confidence[~literal]), stated


def _by_relation(
    view: GraphView, type_of: Sequence[str], relations: Sequence[str]
) -> dict[tuple[str, str, str], npt.NDArray[np.int64]]:
    import numpy as np

    if not len(view.edges):
        return {}
    names = sorted(set(type_of))
    at = {name: i for i, name in enumerate(names)}
    kind = np.array([at[name] for name in type_of], np.int64)
    keys = np.stack([kind[view.edges[:, 0]], view.edges[:, 1], kind[view.edges[:, 2]]], axis=1)
    distinct, of = np.unique(keys, axis=0, return_inverse=True)
    order = np.argsort(of.ravel(), kind="stable")
    parts = np.split(order, np.cumsum(np.bincount(of.ravel()))[:-1])
    return {(names[s], relations[p], names[o]): rows for (s, p, o), rows in zip(distinct.tolist(), parts, strict=True)}
