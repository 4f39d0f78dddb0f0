"""What a text supposes or reports of others enters only where the workspace says so, and is marked then."""

from __future__ import annotations

from pathlib import Path

import pytest

from kgfuse import Workspace

ONTOLOGY = """
@prefix z: <http://example.org/zoo#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
z:Animal a owl:Class ; rdfs:label "animal"@en .
z:eats a owl:ObjectProperty ; rdfs:label "eats"@en .
"""
TEXT = (
    "The badger eats worms. The badger may eat apples. "
    "Rangers say that the badger eats mice. The badger does not eat tin."
)
MARKED = """
SELECT ?o ?how ?who { GRAPH kgf:provenance {
  ?s rdf:predicate <http://example.org/zoo#eats> ; rdf:object ?o .
  OPTIONAL { ?s kgf:assertion ?how } OPTIONAL { ?s kgf:saidBy ?who } } } ORDER BY ?o
"""


@pytest.mark.parametrize(
    ("admit", "eaten"),
    [
        ((), {"worm": (None, None)}),
        (("speculated",), {"worm": (None, None), "apple": ("speculated", None)}),
        (
            ("speculated", "attributed"),
            {"worm": (None, None), "apple": ("speculated", None), "mouse": ("attributed", "ranger")},
        ),
    ],
)
def test_only_what_is_admitted_enters_and_says_how(
    tmp_path: Path, admit: tuple[str, ...], eaten: dict[str, tuple[str | None, str | None]]
) -> None:
    (tmp_path / "zoo.ttl").write_text(ONTOLOGY, encoding="utf-8")
    (tmp_path / "badger.txt").write_text(TEXT, encoding="utf-8")
    settings = {"extract": {"admit": list(admit)}}
    with Workspace.create(tmp_path / "w.kg", [str(tmp_path / "zoo.ttl")], settings) as ws:
        ws.add(tmp_path / "badger.txt")
        ws.build()
        found = {
            row["o"].rsplit("/", 1)[-1]: (row.get("how") or None, row.get("who") or None) for row in ws.query(MARKED)
        }
        assert found == eaten
        assert not ws.check().findings
