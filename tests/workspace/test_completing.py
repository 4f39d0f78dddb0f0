"""What the graph does not state is proposed, with a probability and reasons, and never becomes a fact."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kgfuse import Workspace
from kgfuse.errors import TrainingError, UsageError
from kgfuse.fuse import links_file
from kgfuse.workspace.completing import FOLDER, _keys
from kgfuse.workspace.resolving import resolved
from tests.workspace.samples import FG, ITEM, TEXT_ONLY, graph_hash, manifest, workspace

X = "http://example.org/towns#"
ONTOLOGY = f"""
@prefix x: <{X}> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
x:Person a owl:Class ; rdfs:label "person" ; owl:disjointWith x:Place, x:Language .
x:Place a owl:Class ; rdfs:label "place" ; owl:disjointWith x:Language .
x:Language a owl:Class ; rdfs:label "language" .
x:livesIn a owl:ObjectProperty ; rdfs:label "lives in" ; rdfs:domain x:Person ; rdfs:range x:Place .
x:home a owl:ObjectProperty ; rdfs:label "home of" ; owl:inverseOf x:livesIn .
x:speaks a owl:ObjectProperty ; rdfs:label "speaks" ; rdfs:domain x:Person ; rdfs:range x:Language .
x:bornIn a owl:ObjectProperty, owl:FunctionalProperty ; rdfs:label "born in" ;
  rdfs:domain x:Person ; rdfs:range x:Place .
x:knows a owl:ObjectProperty ; rdfs:label "knows" ; rdfs:domain x:Person ; rdfs:range x:Person .
"""
TOWNS, PEOPLE = 6, 72


def towns() -> str:
    """Who lives in a town speaks its language, and knows the next in the town; of some the language is not stated."""
    lines = [f"@prefix x: <{X}> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> ."]
    for n in range(TOWNS):
        lines += [
            f'x:town{n} a x:Place ; rdfs:label "town {n}" .',
            f'x:tongue{n} a x:Language ; rdfs:label "tongue {n}" .',
        ]
    for n in range(PEOPLE):
        town = n % TOWNS
        lines.append(f'x:p{n} a x:Person ; rdfs:label "person {n}" ; x:livesIn x:town{town} ; x:bornIn x:town{town} ;')
        lines.append(f" x:knows x:p{(n + TOWNS) % PEOPLE} .")
        if n >= TOWNS:
            lines.append(f"x:p{n} x:speaks x:tongue{town} .")
    return "\n".join(lines)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("completing")
    (place / "towns.ttl").write_text(ONTOLOGY, encoding="utf-8")
    (place / "said.ttl").write_text(towns(), encoding="utf-8")
    with workspace(place / "ws", place / "said.ttl", ontology=place / "towns.ttl"):
        return place / "ws"


@pytest.fixture(scope="module")
def ws(folder: Path) -> Iterator[Workspace]:
    with Workspace.open(folder, read_only=True) as ws:
        yield ws


def test_the_missing_object_is_found_with_its_reason_and_a_judgement(ws: Workspace) -> None:
    before = graph_hash(ws)
    found = ws.complete(f"<{X}p2>", f"<{X}speaks>", k=3)
    assert found.subject == X + "p2"
    first = found.proposals[0]
    assert (first.iri, first.label) == (X + "tongue2", "tongue 2")
    assert first.types == (X + "Language",)
    assert first.probability > 0.5
    assert [p.probability for p in found.proposals] == sorted((p.probability for p in found.proposals), reverse=True)
    (path,) = first.paths
    assert (path.nodes[0], path.nodes[-1]) == (X + "p2", X + "tongue2")
    assert found.report.better
    assert found.report.ranking.mrr > found.report.baseline.mrr
    assert "held out" in found.judgement
    assert graph_hash(ws) == before
    assert not list(ws.graph.triples(X + "p2", X + "speaks"))


def test_the_missing_subject_is_found_too(ws: Workspace) -> None:
    found = ws.complete(None, f"<{X}speaks>", f"<{X}tongue3>", k=2, paths=0)
    assert found.proposals[0].iri == X + "p3"
    assert found.proposals[0].paths == ()
    assert (found.subject, found.object) == (None, X + "tongue3")


def test_what_contradicts_the_ontology_or_holds_already_is_not_proposed(ws: Workspace) -> None:
    spoken = ws.complete(f"<{X}p8>", f"<{X}speaks>", k=500)
    assert {p.iri for p in spoken.proposals} == {X + f"tongue{n}" for n in range(TOWNS) if n != 2}
    known = ws.complete(f"<{X}p8>", f"<{X}knows>", k=500, paths=0)
    assert {p.iri for p in known.proposals} == {X + f"p{n}" for n in range(PEOPLE) if n not in (8, 14)}
    homes = ws.complete(f"<{X}p8>", f"<{X}livesIn>", k=500, paths=0)
    assert {p.iri for p in homes.proposals} == {X + f"town{n}" for n in range(TOWNS) if n != 2}
    assert sum(p.probability for p in homes.proposals) == pytest.approx(1, abs=1e-4)
    kinds = ws.complete(f"<{X}p8>", "a", k=500, paths=0)
    assert not kinds.proposals  # whatever it is beside a person, it can be neither place nor language


def test_a_property_with_one_value_is_not_given_another(ws: Workspace) -> None:
    found = ws.complete(f"<{X}p8>", f"<{X}bornIn>")
    assert not found.proposals
    assert "one value only" in found.judgement
    born = ws.complete(None, f"<{X}bornIn>", f"<{X}town1>", k=500, paths=0)
    assert not born.proposals  # everyone is born somewhere already


def test_what_cannot_be_answered_is_told(ws: Workspace) -> None:
    with pytest.raises(UsageError, match="one end"):
        ws.complete(f"<{X}p1>", f"<{X}speaks>", f"<{X}tongue1>")
    with pytest.raises(UsageError, match="one end"):
        ws.complete(None, f"<{X}speaks>")
    with pytest.raises(UsageError, match="nothing is stated of"):
        ws.complete("urn:x:nobody", f"<{X}speaks>")
    with pytest.raises(UsageError, match="no statement between things has the property"):
        ws.complete(f"<{X}p1>", f"<{X}home>")
    with pytest.raises(UsageError, match="at least one"):
        ws.complete(f"<{X}p1>", f"<{X}speaks>", k=0)


def test_it_is_kept_until_the_graph_changes_and_says_the_same_again(folder: Path, ws: Workspace) -> None:
    first = ws.complete(f"<{X}p2>", f"<{X}speaks>").to_dict()
    (kept,) = (folder / FOLDER).iterdir()
    files = {file.name: file.stat().st_mtime_ns for file in kept.iterdir()}
    assert set(files) == {links_file.TENSORS, links_file.CARD}
    with Workspace.open(folder, read_only=True) as again:
        assert again.complete(f"<{X}p2>", f"<{X}speaks>").to_dict() == first
    assert {file.name: file.stat().st_mtime_ns for file in kept.iterdir()} == files
    (kept / links_file.TENSORS).write_bytes(b"broken")
    with Workspace.open(folder, read_only=True) as again:
        assert again.complete(f"<{X}p2>", f"<{X}speaks>").to_dict() == first


def test_after_a_build_it_learns_anew(tmp_path: Path) -> None:
    (tmp_path / "towns.ttl").write_text(ONTOLOGY, encoding="utf-8")
    (tmp_path / "few.ttl").write_text(
        f"@prefix x: <{X}> . x:a x:livesIn x:t . x:b x:livesIn x:t . x:c x:livesIn x:u .", encoding="utf-8"
    )
    with workspace(tmp_path / "ws", tmp_path / "few.ttl", ontology=tmp_path / "towns.ttl") as ws:
        found = ws.complete(f"<{X}c>", f"<{X}livesIn>")
        assert found.report.too_small
        assert "too small to judge" in found.judgement
        assert [p.iri for p in found.proposals] == [X + "t"]
        (kept,) = (tmp_path / "ws" / FOLDER).iterdir()
        (tmp_path / "more.ttl").write_text(f"@prefix x: <{X}> . x:c x:livesIn x:t .", encoding="utf-8")
        ws.add(tmp_path / "more.ttl")
        ws.build()
        assert not ws.complete(f"<{X}c>", f"<{X}livesIn>").proposals
        (other,) = (tmp_path / "ws" / FOLDER).iterdir()
        assert other.name != kept.name


def test_without_statements_between_things_there_is_nothing_to_learn(tmp_path: Path) -> None:
    (tmp_path / "towns.ttl").write_text(ONTOLOGY, encoding="utf-8")
    with workspace(tmp_path / "ws", ontology=tmp_path / "towns.ttl") as ws:
        ws.build()
        with pytest.raises(TrainingError, match="nothing between things"):
            ws.complete(f"<{X}c>", f"<{X}livesIn>")


def test_labels_and_what_reveals_them_are_not_learned_from(tmp_path: Path) -> None:
    rows = [
        {
            "id": name,
            "name": name,
            "type": "fg:Thing",
            "text": f"The {name} is old. It lives in the forest.",
            "label": f"fg:{kind}",
            "split": part,
        }
        for name, kind, part in (
            ("owl", "Bird", "train"),
            ("wren", "Bird", "test"),
            ("hen", "Bird", "validation"),
            ("saw", "Tool", "train"),
            ("axe", "Tool", "test"),
            ("adze", "Tool", "validation"),
        )
    ]
    (tmp_path / "leak.ttl").write_text(
        f"@prefix fg: <{FG}> . <{ITEM}wren> a fg:Bird ; fg:belongsTo fg:Bird ; fg:livesIn fg:forest .", encoding="utf-8"
    )
    with workspace(tmp_path / "ws", manifest(tmp_path / "m", rows), tmp_path / "leak.ttl", settings=TEXT_ONLY) as ws:
        assert list(ws.graph.triples(ITEM + "wren", FG + "belongsTo"))
        keys = _keys(ws._parts, resolved(ws._parts))
        assert (ITEM + "wren", FG + "livesIn", FG + "forest") in keys
        assert not [k for k in keys if k[2] in (FG + "Bird", FG + "Tool")]
        assert not [k for k in keys if k[1] == FG + "belongsTo"]
        with pytest.raises(UsageError, match="labels and what reveals them"):
            ws.complete("item:wren", "fg:belongsTo")
