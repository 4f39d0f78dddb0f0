"""What RDF files state holds whatever texts say: what contradicts it is turned away, with the file's name."""

from __future__ import annotations

from pathlib import Path

from kgfuse import Workspace
from tests.workspace.test_identity import PRESS, lives

FACTS = """
@prefix p: <http://example.org/press#> .
@prefix e: <https://w3id.org/kgfuse/entity/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
e:lena-costa p:bornIn <http://example.org/places/1> .
<http://example.org/places/1> rdfs:label "Paris" .
e:john-smith a p:Painter .
e:mary-miller p:bornIn _:somewhere .
"""
TEXTS = {
    "a": "Lena Costa was born in Berlin. Lena Costa lives in Rome.",
    "b": "Lena Costa was born in Paris.",
    "c": "John Smith is a goalkeeper. Mary Miller was born in Madrid.",
}


def born(ws: Workspace) -> set[tuple[str, str]]:
    found = ws.query("SELECT ?s ?o { GRAPH ?g { ?s <http://example.org/press#bornIn> ?o } FILTER(isIRI(?o)) }")
    return {(str(s).rsplit("/", 1)[-1].rstrip(">"), str(o).rsplit("/", 1)[-1].rstrip(">")) for s, o in found.rows}


def test_a_text_that_contradicts_an_imported_fact_is_turned_away_until_the_file_goes(tmp_path: Path) -> None:
    (tmp_path / "press.ttl").write_text(PRESS, encoding="utf-8")
    (tmp_path / "facts.ttl").write_text(FACTS, encoding="utf-8")
    for name, words in TEXTS.items():
        (tmp_path / f"{name}.txt").write_text(words, encoding="utf-8")
    settings = {"extract": {"extractors": ["text"]}}
    with Workspace.create(tmp_path / "ws", [str(tmp_path / "press.ttl")], settings) as ws:
        ws.add(tmp_path / "facts.ttl", *(tmp_path / f"{name}.txt" for name in TEXTS))
        away = {(r.statement.source.rsplit("/", 1)[-1], r.rule): r.reason for r in ws.build().rejected}
        assert away.keys() == {("a.txt", "functional"), ("c.txt", "disjoint")}
        assert "facts.ttl says “lena costa · paris”" in away["a.txt", "functional"].lower().replace("-", " ")
        assert "facts.ttl" in away["c.txt", "disjoint"]
        # a place that has no name may be any, and one that is called Paris in the file may be that of the text
        assert {("lena-costa", "paris"), ("mary-miller", "madrid")} <= born(ws)
        assert ("lena-costa", "rome") in lives(ws)
        ws.remove("facts.ttl")
        assert ws.query("ASK { GRAPH ?g { ?who a <http://example.org/press#Goalkeeper> } }")
        assert len([b for b in born(ws) if b[0] == "lena-costa"]) == 1
