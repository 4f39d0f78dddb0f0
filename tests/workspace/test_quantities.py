"""Quantities in the graph: asked for by number and unit, gone with the statement that names them."""

from __future__ import annotations

from pathlib import Path

import pytest

from kgfuse import Workspace
from kgfuse.extract.values.nodes import QUANTITY
from kgfuse.workspace.build import BuildReport

ONTOLOGY = """
@prefix t: <http://example.org/towers#> .
@prefix kgf: <https://w3id.org/kgfuse#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix qudt: <http://qudt.org/schema/qudt/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix schema: <https://schema.org/> .
@prefix unit: <http://qudt.org/vocab/unit/> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
t:Tower a owl:Class ; rdfs:label "tower"@en ; owl:disjointWith t:River .
t:River a owl:Class ; rdfs:label "river"@en .
t:weighs a owl:ObjectProperty ; rdfs:label "weighs"@en ; rdfs:domain t:Tower ; rdfs:range qudt:QuantityValue .
t:cost a owl:ObjectProperty ; rdfs:label "costs"@en ; kgf:trigger "cost" ; rdfs:range schema:QuantitativeValue .
t:length a owl:DatatypeProperty ; rdfs:label "length"@en ; kgf:trigger "runs for" ; rdfs:range xsd:decimal ;
    kgf:unit unit:KiloM .
t:covers a owl:DatatypeProperty ; rdfs:label "covers"@en ; rdfs:range xsd:decimal .
t:rhine a t:River ; rdfs:label "Rhine"@en .
t:eiffel a t:Tower ; rdfs:label "Eiffel Tower"@en .
"""
PREFIXES = """
PREFIX t: <http://example.org/towers#> PREFIX qudt: <http://qudt.org/schema/qudt/>
PREFIX schema: <https://schema.org/> PREFIX unit: <http://qudt.org/vocab/unit/>
"""
UNITS = "SELECT ?u { GRAPH kgf:provenance { ?s rdf:predicate ?p ; kgf:unit ?u } } ORDER BY ?u"


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    (tmp_path / "towers.ttl").write_text(ONTOLOGY, encoding="utf-8")
    return Workspace.create(tmp_path / "w.kg", [str(tmp_path / "towers.ttl")])


def read(ws: Workspace, folder: Path, text: str) -> BuildReport:
    (folder / "t.txt").write_text(text, encoding="utf-8")
    ws.add(folder / "t.txt")
    return ws.build()


def ask(ws: Workspace, query: str) -> list[list[str]]:
    return [[str(v) for v in row.values()] for row in ws.query(PREFIXES + query)]


def test_a_quantity_is_found_by_number_and_unit(ws: Workspace, tmp_path: Path) -> None:
    with ws:
        read(ws, tmp_path, "The Eiffel Tower weighs 10,100 tonnes.")
        heavy = "?q qudt:numericValue ?n ; qudt:hasUnit unit:TONNE . FILTER(?n > 1e4)"
        found = ask(ws, f"SELECT ?w ?n {{ ?w t:weighs ?q . {heavy} }}")
        assert found == [["http://example.org/towers#eiffel", "10100"]]
        assert not ws.check().findings


def test_money_is_a_value_of_schema_org_where_the_ontology_speaks_it(ws: Workspace, tmp_path: Path) -> None:
    with ws:
        read(ws, tmp_path, "The Eiffel Tower costs 5 to 6 million euros.")
        bounds = "?q schema:minValue ?a ; schema:maxValue ?b ; schema:unitCode unit:CCY_EUR"
        found = ask(ws, f"SELECT ?a ?b {{ ?x t:cost ?q . {bounds} }}")
        assert found == [["5000000", "6000000"]]


def test_numbers_are_converted_to_the_property_s_unit_which_the_statement_keeps(ws: Workspace, tmp_path: Path) -> None:
    with ws:
        read(ws, tmp_path, "The Rhine runs for 3 miles. The Rhine covers 5 acres.")
        assert ask(ws, "SELECT ?n { t:rhine t:length ?n }") == [["4.828032"]]
        assert ask(ws, "SELECT ?n { t:rhine t:covers ?n }") == [["5"]]
        assert [u.rsplit("/", 1)[-1] for (u,) in ask(ws, UNITS)] == ["AC", "KiloM"]


def test_no_quantity_stays_whose_statement_the_gate_turns_away(ws: Workspace, tmp_path: Path) -> None:
    with ws:
        report = read(ws, tmp_path, "The Rhine weighs 20 tonnes. The Eiffel Tower does not weigh 30 tonnes.")
        assert sorted(r.rule for r in report.rejected) == ["domain", "negated"]
        for pattern in ("?q ?p ?o", "?s ?p ?q"):
            assert ask(ws, f"SELECT ?q {{ {pattern} FILTER(STRSTARTS(STR(?q), '{QUANTITY}')) }}") == []


def test_a_quantity_goes_with_its_source(ws: Workspace, tmp_path: Path) -> None:
    with ws:
        ws.build()
        before = ws.graph.store.canonical_hash()
        read(ws, tmp_path, "The Eiffel Tower weighs 10,100 tonnes.")
        ws.remove("t.txt")
        ws.build()
        assert ask(ws, "SELECT ?q { ?q qudt:hasUnit ?u }") == []
        assert ws.graph.store.canonical_hash() == before
