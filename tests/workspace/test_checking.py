"""``check`` finds nothing in a healthy workspace, and exactly the damage in a damaged one."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pyoxigraph as ox
import pytest

from kgfuse import Workspace
from kgfuse.errors import PackError
from kgfuse.graph import provenance as prov
from kgfuse.graph.store import GraphStore
from kgfuse.terms.namespaces import GRAPH_PROVENANCE, KGF, source_iri
from tests.workspace.samples import TEXTS, shape, workspace

X = ox.NamedNode("https://example.org/x")
PROVENANCE = ox.NamedNode(GRAPH_PROVENANCE)
OWL = source_iri("docs/owl.txt")
SETTINGS = {"extract": {"image": {"ocr": "off"}}, "validate_shapes": False}


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("healthy")
    for name, text in TEXTS.items():
        (folder / "docs").mkdir(exist_ok=True)
        (folder / "docs" / f"{name}.txt").write_text(text, encoding="utf-8")
    odd = (
        "\ufeffEule \U0001f989 e\u0301toile \u05e9\u05dc\u05d5\u05dd.\r\nThe owl eats mice.\r\nThe o\u0308wl has claws"
    )
    (folder / "docs" / "bird.txt").write_text(odd, encoding="utf-8", newline="")
    (folder / "docs" / "map.ttl").write_text("<urn:x:a> <urn:x:b> [ <urn:x:c> 007 ] .", encoding="utf-8")
    for n, colour in enumerate(("red", "green", "blue")):
        shape(folder / "docs" / f"disc{n}.png", colour, shift=n)
    workspace(folder / "ws", folder / "docs", settings=SETTINGS).close()
    return folder / "ws"


def damaged(healthy: Path, place: Path, damage: Callable[[GraphStore], None] | None = None) -> Path:
    shutil.copytree(healthy, place)
    if damage is not None:
        store = GraphStore(place / "graph")
        damage(store)
        store.close()
        shutil.rmtree(place / "published")  # readers see the store as it is now
    return place


def findings(place: Path) -> list[tuple[str, str]]:
    with Workspace.open(place, read_only=True) as ws:
        return [(f.rule, f.what) for f in ws.check().findings]


def first_statement(store: GraphStore) -> ox.NamedNode:
    return min((q.subject for q in store.quads(None, prov.IN_GRAPH, ox.NamedNode(OWL), GRAPH_PROVENANCE)), key=str)


def test_a_healthy_workspace_has_complete_provenance(healthy: Path) -> None:
    with Workspace.open(healthy, read_only=True) as ws:
        report = ws.check()
        assert report.findings == ()
        counts = ws.graph.store.counts()
        checked = report.checked
        said = checked["extracted triples"] + checked["structural triples"] + checked["imported triples"]
        assert said == counts.sources
        assert checked["triples that hold"] == counts.holding
        assert checked["mentions"] > 10
        assert checked["statements"] == checked["extracted triples"]


def without_run(store: GraphStore) -> None:
    store.remove_quads(list(store.quads(first_statement(store), prov.GENERATED_BY, None, GRAPH_PROVENANCE)))


def without_statement(store: GraphStore) -> None:
    store.remove_quads(list(store.quads(first_statement(store), None, None, GRAPH_PROVENANCE)))


def without_triple(store: GraphStore) -> None:
    node = first_statement(store)
    parts = [
        next(store.quads(node, p, None, GRAPH_PROVENANCE)).object for p in (prov.SUBJECT, prov.PREDICATE, prov.OBJECT)
    ]
    store.remove_quads([ox.Quad(*parts, ox.NamedNode(OWL))])


def shifted(store: GraphStore) -> None:
    mention = next(store.quads(first_statement(store), prov.DERIVED_FROM, None, GRAPH_PROVENANCE)).object
    position = ox.NamedNode(f"{mention.value}/position")
    old = next(store.quads(position, prov.START, None, GRAPH_PROVENANCE))
    store.remove_quads([old])
    moved = ox.Literal(str(int(old.object.value) + 1), datatype=old.object.datatype)
    store.add_quads([ox.Quad(position, prov.START, moved, PROVENANCE)])


def orphaned(store: GraphStore) -> None:
    store.raw.add(ox.Quad(X, X, X))


def missing(store: GraphStore) -> None:
    quad = next(store.quads(graph=OWL))
    store.raw.remove(ox.Quad(quad.subject, quad.predicate, quad.object))


def idle_run(store: GraphStore) -> None:
    for p, o in (
        (prov.TYPE, ox.NamedNode(KGF + "Run")),
        (prov.EXTRACTOR, ox.Literal("x")),
        (prov.VERSION, ox.Literal("1")),
    ):
        store.add_quads([ox.Quad(X, p, o, PROVENANCE)])
    json = ox.Literal("{}", datatype=ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#JSON"))
    store.add_quads([ox.Quad(X, prov.PARAMETERS, json, PROVENANCE)])


@pytest.mark.parametrize(
    ("damage", "rule", "what"),
    [
        (without_run, "provenance shape", "names the run"),
        (without_statement, "statement", "no statement node"),
        (without_triple, "statement", "does not have"),
        (shifted, "characters", "not "),
        (orphaned, "default graph", "no source, ontology or rule says so"),
        (missing, "default graph", "not in the default graph"),
        (idle_run, "orphan", "no statement refers to"),
    ],
    ids=lambda v: getattr(v, "__name__", None),
)
def test_damage_is_found(
    healthy: Path, tmp_path: Path, damage: Callable[[GraphStore], None], rule: str, what: str
) -> None:
    found = findings(damaged(healthy, tmp_path / "ws", damage))
    assert any(r == rule and what in w for r, w in found), found
    assert len(found) <= 4


def test_lost_and_changed_content_is_found(healthy: Path, tmp_path: Path) -> None:
    place = damaged(healthy, tmp_path / "ws")
    with Workspace.open(place, read_only=True) as ws:
        lost, changed = ws._parts.blobs.path(ws.sources()[0].sha256), ws._parts.blobs.path(ws.sources()[2].sha256)
    lost.unlink()
    changed.write_bytes(b"something else")
    found = [what for rule, what in findings(place) if rule == "content"]
    assert any("lost" in w for w in found)
    assert any("changed" in w for w in found)


def test_shapes_of_ones_own_are_checked_beside_the_packs(healthy: Path, tmp_path: Path) -> None:
    rules = tmp_path / "rules.ttl"
    rules.write_text(
        """@prefix sh: <http://www.w3.org/ns/shacl#> .
        <urn:x:Shape> a sh:NodeShape ; sh:targetSubjectsOf <urn:x:b> ;
          sh:property [ sh:path <urn:x:d> ; sh:minCount 1 ] .
        """,
        encoding="utf-8",
    )
    with Workspace.open(healthy, read_only=True) as ws:
        assert {v.focus for v in ws.check([rules]).violations} >= {"urn:x:a"}
        rules.write_text("@prefix sh: <http://www.w3.org/ns/shacl#> .\n<urn:x> sh:path [\n", encoding="utf-8")
        with pytest.raises(PackError, match=r"rules\.ttl:\d"):
            ws.check([rules])
