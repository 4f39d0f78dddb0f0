"""Whatever the order of adding, and whatever was added and removed in between: the same sources, the same graph."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kgfuse import Workspace
from tests.workspace.samples import graph_hash, shape, small_ontology, workspace

FILES = {
    "owl.txt": "The owl is an animal. It eats mice and lives in the forest.",
    "fox.txt": "The fox eats the owl. It has brown fur.",
    "naïve \U0001f989.txt": "The saw is made of steel\r\nand u\u0308ber \u05e9\u05dc\u05d5\u05dd."
    " It is used for cutting wood.",
    "barn.ttl": '@prefix ex: <https://example.org/> . ex:barn a ex:Place ; ex:near [ ex:size "007.50"^^'
    "<http://www.w3.org/2001/XMLSchema#decimal> ] .",
    "axioms.ttl": "@prefix ex: <https://example.org/> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> ."
    " ex:near rdfs:domain ex:Near . ex:Place rdfs:subClassOf ex:Spot .",
    "same.nt": "<https://example.org/barn> <http://www.w3.org/2002/07/owl#sameAs> <https://example.org/shed> .\n",
}
EATEN = "ASK { ?what <http://example.org/small#eatenBy> ?who }"
SETTINGS = {"extract": {"extractors": ["text"]}, "validate_shapes": False}
steps = st.lists(
    st.tuples(st.sampled_from(["add", "remove", "build"]), st.sampled_from(sorted(FILES))), min_size=3, max_size=9
)


def apply(place: Path, ontology: Path, docs: Path, plan: Sequence[tuple[str, str]]) -> tuple[str, set[str]]:
    """Follow a plan, build, and say what is there."""
    with workspace(place, settings=SETTINGS, ontology=ontology) as ws:
        there: set[str] = set()
        for act, name in plan:
            if act == "add":
                ws.add(docs / name)
                there.add(name)
            elif act == "remove" and name in there:
                ws.remove(name)
                there.discard(name)
            elif act == "build":
                ws.build()
        ws.build()
        assert bool(ws.query(EATEN)) == bool(there & {"owl.txt", "fox.txt"})
        return graph_hash(ws), there


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(plan=steps)
def test_the_way_to_a_set_of_sources_plays_no_part(plan: list[tuple[str, str]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        docs, ontology = Path(name) / "docs", small_ontology(Path(name))
        docs.mkdir()
        for file, text in FILES.items():
            (docs / file).write_text(text, encoding="utf-8", newline="")
        found, there = apply(Path(name) / "winding", ontology, docs, plan)
        straight, _ = apply(
            Path(name) / "straight", ontology, docs, [("add", file) for file in sorted(there, reverse=True)]
        )
        assert found == straight


def test_a_picture_comes_and_goes_without_a_trace(tmp_path: Path) -> None:
    for n, colour in enumerate(("red", "green", "blue")):
        shape(tmp_path / "docs" / f"disc{n}.png", colour, shift=n)
    (tmp_path / "docs" / "owl.txt").write_text(FILES["owl.txt"], encoding="utf-8")
    both = {"validate_shapes": False, "extract": {"image": {"ocr": "off"}}}
    with workspace(tmp_path / "ws", tmp_path / "docs", settings=both) as ws:
        before = graph_hash(ws)
        shape(tmp_path / "more" / "square.png", "red", corners=4)
        ws.add(tmp_path / "more" / "square.png")
        ws.build()
        assert graph_hash(ws) != before
        ws.remove("square.png")
        assert graph_hash(ws) == before


def test_readers_go_on_while_a_writer_builds(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "owl.txt").write_text(FILES["owl.txt"], encoding="utf-8")
    workspace(tmp_path / "ws", docs, settings=SETTINGS).close()
    question = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"
    with Workspace.open(tmp_path / "ws") as writer:
        reader = Workspace.open(tmp_path / "ws", read_only=True)
        before = reader.query(question).rows
        (docs / "fox.txt").write_text(FILES["fox.txt"], encoding="utf-8")
        writer.add(docs)
        writer.build()
        assert reader.query(question).rows == before  # a reader sees one state, to its end
        with Workspace.open(tmp_path / "ws", read_only=True) as later:
            assert later.query(question).rows == writer.query(question).rows != before
            assert later.graph.store.columns.edges.height == writer.graph.store.size()
        reader.close()
    assert not list((tmp_path / "ws").glob(".read-*"))
