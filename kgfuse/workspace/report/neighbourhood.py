"""The part of the graph that an answer rests on, as a picture."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup

from kgfuse.explain.chain import Evidence, Explanation
from kgfuse.terms.mentions import Value
from kgfuse.terms.namespaces import KGF, RDF
from kgfuse.workspace.report.figure import ACCENT, FAINT, GRID, INK, PAPER, drawable, drawing, inline_svg
from kgfuse.workspace.report.numbers import percent

if TYPE_CHECKING:
    from kgfuse.workspace.workspace import Workspace

MOST_NODES: Final = 25
_STATED: Final = 16
_OTHERS: Final = 3
_PLAIN: Final = "#9aa0a6"
_WIDTH: Final = 7.6
_HEIGHT: Final = 4.7


@dataclass(frozen=True, slots=True)
class Edge:
    """One arrow: ``kind`` is ``cited``, ``stated``, ``beside`` (of another item) or ``predicted``."""

    subject: str
    object: str
    label: str
    kind: str


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """The picture, and what its colours mean: (colour, class)."""

    svg: Markup
    legend: tuple[tuple[str, str], ...]


def neighbourhood(ws: Workspace, explanation: Explanation, cited: Collection[Evidence], name: str) -> Neighbourhood:
    """Draw the item, its most effective statements, and other items that share what is cited.

    Args:
        ws: the workspace.
        explanation: of the answer.
        cited: statements to draw thick.
        name: of the figure, unique on the page.
    """
    colours = _Colours(ws)
    edges = _edges(ws, explanation, cited)
    nodes = list(dict.fromkeys(chain([explanation.item], *((e.subject, e.object) for e in edges))))
    labels = {n: _label(ws, n) for n in nodes} | {
        explanation.item: explanation.name,
        explanation.label_iri: explanation.label,
    }
    tints = {n: colours.of(n) for n in nodes}
    tints[explanation.item] = tints[explanation.label_iri] = colours.of_class(explanation.label_iri)
    svg = _draw(explanation, nodes, edges, labels, {n: tint for n, (tint, _) in tints.items()}, name)
    legend = dict.fromkeys((tint, cls) for n, (tint, cls) in tints.items() if cls)
    return Neighbourhood(svg, tuple(sorted(legend, key=lambda pair: pair[1])))


def _edges(ws: Workspace, explanation: Explanation, cited: Collection[Evidence]) -> list[Edge]:
    """The prediction, the statements, then what else the cited ones' far ends are tied to, for as many nodes as fit."""
    worth = [e for e in explanation.statements if e in cited or e.predicate != RDF + "type"]
    ranked = sorted(worth, key=lambda e: (e not in cited, -abs(e.effect)))[:_STATED]
    edges = [Edge(explanation.item, explanation.label_iri, percent(explanation.probability), "predicted")]
    edges += _stated(ws, ranked, cited)
    nodes = {explanation.item, *chain.from_iterable((e.subject, e.object) for e in edges)}
    beside = [_others(ws, e, explanation.item) for e in ranked if e in cited or e.effect > 0]
    for edge in chain.from_iterable(zip_longest(*beside)):
        if edge is not None and len(nodes | {edge.subject, edge.object}) <= MOST_NODES:
            nodes |= {edge.subject, edge.object}
            edges.append(edge)
    return edges


def _stated(ws: Workspace, ranked: Sequence[Evidence], cited: Collection[Evidence]) -> list[Edge]:
    """One arrow for each pair; that something is mentioned goes without saying where more is said of it."""
    between: dict[frozenset[str], list[Evidence]] = {}
    for e in ranked:
        between.setdefault(frozenset((e.subject, e.object)), []).append(e)
    edges = []
    for said in between.values():
        more = [e for e in said if e in cited or e.predicate != KGF + "mentions"] or said
        first = more[0]
        labels = dict.fromkeys(_property(ws, e.predicate) for e in more if e.subject == first.subject)
        kind = "cited" if any(e in cited for e in said) else "stated"
        edges.append(Edge(first.subject, first.object, ", ".join(labels), kind))
    return edges


def _others(ws: Workspace, evidence: Evidence, item: str) -> list[Edge]:
    """Other items of which the same is stated, a few."""
    label = _property(ws, evidence.predicate)
    if evidence.object == item or evidence.object.startswith(('"', "_:")):
        return []
    found = sorted(s for s, _, _ in ws.graph.triples(p=evidence.predicate, o=evidence.object) if s != item)
    return [Edge(s, evidence.object, label, "beside") for s in found[:_OTHERS]]


def _property(ws: Workspace, iri: str) -> str:
    known = ws.vocabulary.properties.get(iri)
    return known.label if known is not None and known.label else ws.graph.label(iri)


def _label(ws: Workspace, node: str) -> str:
    if node.startswith('"'):
        return node[1 : node.rindex('"')]
    return ws.graph.label(node)


class _Colours:
    """A node's colour is its class's ``kgf:displayColour``; a colour's is the colour itself."""

    def __init__(self, ws: Workspace) -> None:
        self._vocabulary = ws.vocabulary
        self._graph = ws.graph

    def of(self, node: str) -> tuple[str, str]:
        """Colour, and the class that it stands for (empty where it stands for none)."""
        if node.startswith(('"', "_:")):
            return _PLAIN, ""
        term = self._vocabulary.terms.get(node)
        if term is not None and term.srgb:
            return _checked(term.srgb), ""
        types = [str(o) for _, _, o in self._graph.triples(node, RDF + "type") if not isinstance(o, Value)]
        known = [t for t in types if t in self._vocabulary.classes and self._vocabulary.classes[t].display_colour]
        best = max(known, key=lambda t: (len(self._vocabulary.ancestors(t)), t), default="")
        return self.of_class(best)

    def of_class(self, iri: str) -> tuple[str, str]:
        """The class's own colour, or that of the nearest class above it."""
        above = sorted(self._vocabulary.ancestors(iri), key=lambda c: (-len(self._vocabulary.ancestors(c)), c))
        for cls in above:
            known = self._vocabulary.classes.get(cls)
            if known is not None and known.display_colour:
                return _checked(known.display_colour), known.label
        return _PLAIN, ""


def _checked(colour: str) -> str:
    from matplotlib.colors import is_color_like

    return colour if is_color_like(colour) else _PLAIN


def _draw(
    explanation: Explanation,
    nodes: Sequence[str],
    edges: Sequence[Edge],
    labels: dict[str, str],
    tints: dict[str, str],
    name: str,
) -> Markup:
    places = _layout(nodes, edges, explanation.item)
    with drawing(_WIDTH, _HEIGHT) as (figure, axes):
        axes.set_xlim(-0.06, 1.06)
        axes.set_ylim(-0.09, 1.06)
        axes.axis("off")
        for edge in edges:
            _arrow(axes, edge, places)
        for node in nodes:
            x, y = places[node]
            centre = node == explanation.item
            axes.scatter(
                [x],
                [y],
                s=230 if centre else 90,
                marker="s" if node == explanation.label_iri else "o",
                color=PAPER if centre else tints[node],
                edgecolor=tints[node] if centre else INK,
                linewidth=3.5 if centre else 0.7,
                zorder=5,
            )
            size, weight = (10.0, "bold") if centre or node == explanation.label_iri else (8.2, "normal")
            label = drawable(labels[node])
            axes.annotate(
                label, (x, y), (0, -12 if centre else -8), textcoords="offset points", ha="center", va="top",
                fontsize=size, fontweight=weight, zorder=6,
            )  # fmt: skip
        cited = [f"{labels[e.subject]} {e.label} {labels[e.object]}" for e in edges if e.kind == "cited"]
        said = f" Cited: {'; '.join(cited)}." if cited else ""
        alt = f"Graph around {explanation.name}: {len(nodes)} nodes, {len(edges)} edges.{said}"
        return inline_svg(figure, name, alt)


def _arrow(axes: Any, edge: Edge, places: dict[str, tuple[float, float]]) -> None:
    colour, width, style = {
        "cited": (ACCENT, 3.0, "-"),
        "stated": (FAINT, 1.1, "-"),
        "beside": (GRID, 1.0, "-"),
        "predicted": (INK, 1.2, (0, (4, 3))),
    }[edge.kind]
    (x0, y0), (x1, y1) = places[edge.subject], places[edge.object]
    axes.annotate(
        "", (x1, y1), (x0, y0),
        arrowprops={
            "arrowstyle": "-|>,head_width=0.22,head_length=0.42", "color": colour, "linewidth": width,
            "linestyle": style, "shrinkA": 6, "shrinkB": 7,
        },
        zorder=2,
    )  # fmt: skip
    if edge.kind != "beside":
        strong = edge.kind == "cited"
        axes.text(
            x0 + 0.52 * (x1 - x0), y0 + 0.52 * (y1 - y0), drawable(edge.label, 26), fontsize=7.2, ha="center",
            va="center", color=ACCENT if strong else FAINT, fontweight="bold" if strong else "normal", zorder=4,
        )  # fmt: skip


def _layout(nodes: Sequence[str], edges: Sequence[Edge], centre: str) -> dict[str, tuple[float, float]]:
    """Positions between 0 and 1: the item in the middle, each ring of the breadth-first tree an ellipse around it.

    Every node gets a sector as wide as what hangs on it, so that no two lie upon each other.
    """
    import networkx as nx

    graph = nx.Graph()
    graph.add_nodes_from(nodes)
    graph.add_edges_from((e.subject, e.object) for e in edges)
    below = {n: list(children) for n, children in nx.bfs_successors(graph, centre)}

    def weight(node: str) -> float:
        return 1.0 + 0.7 * sum(map(weight, below.get(node, ())))

    places = {centre: (0.5, 0.5)}

    def spread(node: str, start: float, end: float, ring: int) -> None:
        share = (end - start) / max(1.0, sum(map(weight, below.get(node, ()))))
        for n, child in enumerate(below.get(node, ())):
            stop = start + share * weight(child)
            angle, radius = (start + stop) / 2, (0.0, 0.27, 0.5)[min(ring, 2)] - (0.05 if ring > 1 and n % 2 else 0.0)
            places[child] = (round(0.5 + radius * math.cos(angle), 4), round(0.5 + radius * math.sin(angle), 4))
            spread(child, start, stop, ring + 1)
            start = stop

    spread(centre, -math.pi / 12, 2 * math.pi - math.pi / 12, 1)
    return places
