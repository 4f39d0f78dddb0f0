"""Documents that disagree, and names that mean one thing: decided over the whole workspace, told, and undone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kgfuse import Workspace
from kgfuse.cli.main import app
from kgfuse.errors import UsageError
from kgfuse.extract.running import extract_one
from kgfuse.extract.speech.settings import SpeechSettings
from kgfuse.workspace.resolving import resolved
from kgfuse.workspace.settings import load, save
from kgfuse.workspace.transcribing import listener
from kgfuse.workspace.visiting import visiting_facts, visiting_source

PRESS = """
@prefix p: <http://example.org/press#> .
@prefix kgf: <https://w3id.org/kgfuse#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
p:Person a owl:Class ; rdfs:label "person" ; kgf:nerLabel "PERSON" ; owl:disjointWith p:Place .
p:Painter a owl:Class ; rdfs:subClassOf p:Person ; rdfs:label "painter" ; owl:disjointWith p:Goalkeeper .
p:Goalkeeper a owl:Class ; rdfs:subClassOf p:Person ; rdfs:label "goalkeeper" .
p:Place a owl:Class ; rdfs:label "place" ; kgf:nerLabel "GPE" .
p:bornIn a owl:ObjectProperty , owl:FunctionalProperty ; rdfs:label "born in" ; kgf:trigger "was born in" ;
    rdfs:domain p:Person ; rdfs:range p:Place .
p:livesIn a owl:ObjectProperty ; rdfs:label "lives in" ; rdfs:domain p:Person ; rdfs:range p:Place .
p:knows a owl:ObjectProperty ; rdfs:label "knows" ; rdfs:domain p:Person .
"""
TEXTS = {
    "a": "Lena Costa was born in Paris. Lena Costa lives in London. "
    "John Smith is a painter. John Smith lives in Madrid.",
    "b": "Lena Costa was born in Berlin. Mary Miller lives in Rome. "
    "John Smith is a goalkeeper. John Smith lives in Rome.",
    "c": "Lena Costa was born in Paris. Maria Garc\u00eda lives in London.",
    "d": "Maria Garcia lives in Rome.",
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("press")
    (folder / "press.ttl").write_text(PRESS, encoding="utf-8")
    for name, words in TEXTS.items():
        (folder / f"{name}.txt").write_text(words, encoding="utf-8")
    with Workspace.create(folder / "ws", [str(folder / "press.ttl")]) as ws:
        ws.add(*(folder / f"{name}.txt" for name in TEXTS))
        ws.build()
    return folder / "ws"


def lives(ws: Workspace) -> set[tuple[str, str]]:
    found = ws.query("SELECT ?s ?o { GRAPH ?g { ?s <http://example.org/press#livesIn> ?o } }")
    return {(str(s).rsplit("/", 1)[-1].rstrip(">"), str(o).rsplit("/", 1)[-1].rstrip(">")) for s, o in found.rows}


def run(*words: object) -> dict[str, list[dict[str, object]]]:
    result = CliRunner().invoke(app, [str(w) for w in (*words, "--json")])
    assert result.exit_code == 0, result.output
    answer: dict[str, list[dict[str, object]]] = json.loads(result.stdout)
    return answer


def test_the_better_supported_birthplace_wins_and_the_other_is_listed(built: Path) -> None:
    (away,) = (r for r in run("build", built, "--rejected")["rejected_statements"] if r["rule"] == "functional")
    assert str(away["source"]).endswith("b.txt")
    assert str(away["reason"]).startswith("“born in” has one value only, and a.txt and 1 more say “Lena Costa · Paris”")


def test_two_people_of_one_name_stay_two(built: Path) -> None:
    with Workspace.open(built) as ws:
        names = {s for s, _ in lives(ws) if s.startswith("john")}
        assert names in ({"john-smith", "john-smith--goalkeeper"}, {"john-smith", "john-smith--painter"})


def test_a_merge_is_listed_split_and_undone(built: Path) -> None:
    merges = run("entities", built)["merges"]
    (merge,) = (m for m in merges if not m["apart"])
    assert merge["reason"] == "the same name but for accents or punctuation"
    split = run("entities", built, "--split", "Maria Garc\u00eda", "--by", "Ada")
    assert [d["by"] for d in split["decisions"]] == ["Ada"]
    with Workspace.open(built) as ws:
        assert len({s for s, _ in lives(ws) if "maria" in s}) == 2
        assert ws.build().unchanged
        ws.undo_merge("Maria Garc\u00eda", "Maria Garcia")
        ws.build()
        assert len({s for s, _ in lives(ws) if "maria" in s}) == 1


def test_a_file_that_is_not_added_is_read_with_the_merges_of_the_workspace(built: Path, tmp_path: Path) -> None:
    file = tmp_path / "new.txt"
    file.write_text("Maria Garcia lives in Paris. Mary Miller lives in Madrid.", encoding="utf-8")

    def said(ws: Workspace) -> set[tuple[str, str]]:
        source, parts = visiting_source(file, listener(SpeechSettings())), ws._parts
        found = [extract_one(e, source) for e in parts.extractors if "text" in e.kinds]
        facts = visiting_facts(parts, found, resolved(parts).resolution.identity)
        ends = [(f.subject, str(f.object)) for f in facts if f.predicate.endswith("livesIn")]
        return {(s.rsplit("/", 1)[-1], o.rsplit("/", 1)[-1]) for s, o in ends}

    with Workspace.open(built) as ws:
        (kept,) = {s for s, _ in lives(ws) if "maria" in s}
        assert kept != "maria-garcia"
        assert said(ws) == {(kept, "paris"), ("mary-miller", "madrid")}
        ws.merge("Mary Miller", "Lena Costa", reviewer="Ada")
        assert said(ws) == {(kept, "paris"), ("lena-costa", "madrid")}
        ws.undo_merge("Mary Miller", "Lena Costa")
        ws.split("Maria Garc\u00eda", reviewer="Ada")
        assert len(said(ws)) == 2
        assert {s for s, _ in said(ws)} == {"maria-garcia", "mary-miller"}
        ws.undo_merge("Maria Garc\u00eda", "Maria Garcia")
        ws.build()


def test_names_are_linked_to_ones_own_identifiers(built: Path) -> None:
    file = built / "places.csv"
    row = "id,label,aliases,type,description\nQ90,Paris,,place,capital of France\n"
    file.write_text(row + "Q220,Rome,,place,capital of Italy\nQ1,Rome,,place,a city in Georgia\n", encoding="utf-8")
    settings = load(built)
    extract = settings.extract.model_copy(update={"gazetteers": ("places.csv",)})
    save(settings.model_copy(update={"extract": extract}), built)
    with Workspace.open(built) as ws:
        assert not ws.build().unchanged
        assert ws.query("ASK { ?s <http://example.org/press#bornIn> <http://www.wikidata.org/entity/Q90> }")
        assert ws.query("ASK { <http://www.wikidata.org/entity/Q90> rdfs:label 'Paris' }")
        assert {u.label for u in ws.unclear()} == {"Rome"}
        assert ws.build().unchanged
        assert not ws.check().findings
    file.write_text(row + "Q220,Rome,,place,capital of Italy\n", encoding="utf-8")
    with Workspace.open(built) as ws:
        assert not ws.build().unchanged
        assert not ws.unclear()
        assert ("mary-miller", "Q220") in lives(ws)
    assert run("entities", built)["unclear"] == []
    assert len(list((built / "gazetteers").iterdir())) == 1
    file.write_text("id,label\nQ1\n", encoding="utf-8")
    result = CliRunner().invoke(app, ["build", str(built)])
    assert (result.exit_code, "places.csv:2" in result.output) == (1, True)
    save(settings, built)
    with Workspace.open(built) as ws:
        ws.build()


def test_a_person_merges_and_it_lasts(built: Path) -> None:
    with Workspace.open(built) as ws:
        ws.merge("Mary Miller", "Lena Costa", reviewer="Ada")
        ws.build()
        assert ("lena-costa", "rome") in lives(ws)
        why = {str(m.reason) for m in ws.entities()[0] if m.label == "Mary Miller"}
        assert why == {"Ada says so"}
        ws.undo_merge("Mary Miller", "Lena Costa")
        ws.build()
        assert ("mary-miller", "rome") in lives(ws)
        assert not ws.check().findings
        for wrong in (("Nobody", "Lena Costa"), ("Lena Costa", "Lena Costa"), ("Lena Costa", "Nobody")):
            with pytest.raises(UsageError):
                ws.merge(*wrong)
        with pytest.raises(UsageError):
            ws.split("Lena Costa")
