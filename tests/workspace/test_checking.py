"""``check`` finds nothing in a healthy workspace, and exactly the damage in a damaged one."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pyoxigraph as ox
import pytest

from kgfuse import Workspace
from kgfuse.errors import PackError
from kgfuse.graph import provenance_terms as prov
from kgfuse.graph.provenance_lines import RunRecord, run_lines
from kgfuse.graph.store import GraphStore
from kgfuse.terms.namespaces import GRAPH_PREDICTED, GRAPH_PROVENANCE, OA, XSD, ontology_graph, source_iri
from kgfuse.workspace.predicted import Answer, write_answers
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


def quads_of(store: GraphStore, node: ox.NamedNode, property_: ox.NamedNode | None = None) -> list[ox.Quad]:
    return list(store.quads(node, property_, None, GRAPH_PROVENANCE))


def first_mention(store: GraphStore) -> ox.NamedNode:
    return min((q.object for q in quads_of(store, first_statement(store), prov.DERIVED_FROM)), key=str)


def replaced(store: GraphStore, node: ox.NamedNode, property_: ox.NamedNode, value: ox.NamedNode | ox.Literal) -> None:
    store.remove_quads(quads_of(store, node, property_))
    store.add_quads([ox.Quad(node, property_, value, PROVENANCE)])


def number(value: int | str, kind: str = "integer") -> ox.Literal:
    return ox.Literal(str(value), datatype=ox.NamedNode(XSD + kind))


def without_run(store: GraphStore) -> None:
    store.remove_quads(quads_of(store, first_statement(store), prov.GENERATED_BY))


def without_type(store: GraphStore) -> None:
    store.remove_quads(quads_of(store, first_statement(store), prov.TYPE))


def too_sure(store: GraphStore) -> None:
    replaced(store, first_statement(store), prov.CONFIDENCE, number("1.5", "decimal"))


def without_statement(store: GraphStore) -> None:
    """Takes the mentions along that no other statement has."""
    node = first_statement(store)
    gone = quads_of(store, node)
    for mention in [q.object for q in gone if q.predicate == prov.DERIVED_FROM]:
        if [q.subject for q in store.quads(None, prov.DERIVED_FROM, mention, GRAPH_PROVENANCE)] == [node]:
            for part in ("", "/position", "/quote", "/fragment"):
                gone += quads_of(store, ox.NamedNode(mention.value + part))
    store.remove_quads(gone)


def without_triple(store: GraphStore) -> None:
    node = first_statement(store)
    parts = [quads_of(store, node, p)[0].object for p in (prov.SUBJECT, prov.PREDICATE, prov.OBJECT)]
    for graph in (OWL, None):
        store.raw.remove(ox.Quad(*parts, ox.DefaultGraph() if graph is None else ox.NamedNode(graph)))


def about_something_else(store: GraphStore) -> None:
    replaced(store, first_statement(store), prov.OBJECT, X)


def shifted(store: GraphStore) -> None:
    position = ox.NamedNode(f"{first_mention(store).value}/position")
    start = int(quads_of(store, position, prov.START)[0].object.value)
    replaced(store, position, prov.START, number(start + 1))


def moved_with_its_words(store: GraphStore) -> None:
    mention = first_mention(store)
    text = TEXTS["owl"]
    for part, property_, value in (
        ("position", prov.START, number(0)),
        ("position", prov.END, number(len(text))),
        ("quote", prov.EXACT, ox.Literal(text)),
    ):
        replaced(store, ox.NamedNode(f"{mention.value}/{part}"), property_, value)


def outside_the_picture(store: GraphStore) -> None:
    boxes = store.quads(None, prov.VALUE, None, GRAPH_PROVENANCE)
    replaced(store, min((q.subject for q in boxes), key=str), prov.VALUE, ox.Literal("xywh=0,0,9999,9999"))


def in_two_sources(store: GraphStore) -> None:
    store.add_quads(
        [ox.Quad(first_mention(store), prov.HAS_SOURCE, ox.NamedNode(source_iri("docs/saw.txt")), PROVENANCE)]
    )


def unread_place(store: GraphStore) -> None:
    store.add_quads(
        [
            ox.Quad(X, prov.TYPE, ox.NamedNode(OA + "TextQuoteSelector"), PROVENANCE),
            ox.Quad(X, prov.EXACT, ox.Literal("x"), PROVENANCE),
        ]
    )


def orphaned(store: GraphStore) -> None:
    store.raw.add(ox.Quad(X, X, X))


def missing(store: GraphStore) -> None:
    quad = min(store.quads(graph=OWL), key=str)
    store.raw.remove(ox.Quad(quad.subject, quad.predicate, quad.object))


def predicted_that_holds(store: GraphStore) -> None:
    store.raw.add(ox.Quad(X, X, X))
    store.raw.add(ox.Quad(X, X, X, ox.NamedNode(GRAPH_PREDICTED)))


def about_nothing(store: GraphStore) -> None:
    write_answers(store, [Answer(X.value, X.value, ((X.value, 0.5),), "m")])


def not_in_its_file(store: GraphStore) -> None:
    for graph in (ox.DefaultGraph(), ox.NamedNode(source_iri("docs/map.ttl"))):
        store.raw.add(ox.Quad(X, X, X, graph))


def not_in_its_ontology(store: GraphStore) -> None:
    for graph in (ox.DefaultGraph(), ox.NamedNode(ontology_graph("general"))):
        store.raw.add(ox.Quad(X, X, X, graph))


def graph_of_nobody(store: GraphStore) -> None:
    for graph in (ox.DefaultGraph(), X):
        store.raw.add(ox.Quad(X, X, X, graph))


def idle_run(store: GraphStore) -> None:
    store.load_lines("".join(run_lines(RunRecord(("x",), "1"))).encode(), ox.RdfFormat.N_QUADS)


def other_bytes(store: GraphStore) -> None:
    replaced(store, ox.NamedNode(OWL), prov.SHA256, ox.Literal("ab" * 32))


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (without_run, [("provenance shape", "names the run")]),
        (without_type, [("provenance shape", "no rdf:Statement")]),
        (too_sure, [("provenance shape", "confidence from 0 to 1")]),
        (without_statement, [("statement", "no statement node")]),
        (without_triple, [("statement", "docs/owl.txt does not have"), ("default graph", "in the columns")]),
        (about_something_else, [("statement", "does not state")]),
        (shifted, [("characters", "not ")]),
        (moved_with_its_words, [("mention", "not that of its place")]),
        (outside_the_picture, [("box", "not inside the picture")]),
        (in_two_sources, [("provenance shape", "exactly one source"), ("characters", "not ")]),
        (unread_place, [("provenance shape", "a quote that no mention has")]),
        (orphaned, [("default graph", "no source, ontology or rule says so")]),
        (missing, [("default graph", "not in the default graph")]),
        (predicted_that_holds, [("default graph", "only predicted")]),
        (about_nothing, [("prediction", "an item that is gone")]),
        (not_in_its_file, [("import", "its file does not say so"), ("default graph", "not in the columns")]),
        (not_in_its_ontology, [("import", "its file does not say so"), ("default graph", "not in the columns")]),
        (graph_of_nobody, [("graph", "no source and no ontology")]),
        (idle_run, [("provenance shape", "a run that no statement refers to")]),
        (other_bytes, [("not built", "changed since the last build")]),
    ],
    ids=lambda v: getattr(v, "__name__", ""),
)
def test_damage_is_found_and_nothing_else(
    healthy: Path, tmp_path: Path, damage: Callable[[GraphStore], None], expected: list[tuple[str, str]]
) -> None:
    found = findings(damaged(healthy, tmp_path / "ws", damage))
    for rule, what in expected:
        assert any(r == rule and what in w for r, w in found), found
    assert [f for f in found if not any(f[0] == r and w in f[1] for r, w in expected)] == []


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


@pytest.mark.parametrize(
    ("broken", "line", "what"),
    [
        ("@prefix sh: <http://www.w3.org/ns/shacl#> .\n<urn:x> sh:path [\n", ":[23]", "not valid"),
        ("<urn:x:a>\n <urn:x:b> <urn:x:c> .", "", "no SHACL shape"),
        (
            "@prefix sh: <http://www.w3.org/ns/shacl#> .\n<urn:x:Fine> a sh:NodeShape ; sh:targetNode <urn:x:a> .\n"
            "<urn:x:Broken> a sh:NodeShape ; sh:targetNode <urn:x:a> ;\n  sh:property [ sh:minCount 1 ] .",
            ":3",
            "a shape without a name .* not a well-formed",
        ),
    ],
)
def test_broken_shapes_name_file_line_and_remedy(
    healthy: Path, tmp_path: Path, broken: str, line: str, what: str
) -> None:
    rules = tmp_path / "rules.ttl"
    rules.write_text(broken, encoding="utf-8")
    with Workspace.open(healthy, read_only=True) as ws, pytest.raises(PackError, match=what) as caught:
        ws.check([rules])
    assert re.search(rf"rules\.ttl{line}$", caught.value.where)
    assert caught.value.remedy


def test_what_was_added_since_the_last_build_is_told_as_that(healthy: Path, tmp_path: Path) -> None:
    place = damaged(healthy, tmp_path / "ws")
    (tmp_path / "new.txt").write_text("The heron eats fish.", encoding="utf-8")
    with Workspace.open(place) as ws:
        ws.add(tmp_path / "new.txt")
        assert [(f.rule, f.where) for f in ws.check().findings] == [("not built", "new.txt")]
