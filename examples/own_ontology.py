"""Your own ontology in twenty lines: a smart home in Turtle, three sentences, and what kgfuse reads in them.

    python -m examples.own_ontology

Labels are what texts call a thing; ``kgf:trigger`` lists further phrases for a property. The file is plain OWL: no
pack, no code. ``kgfuse ontologies new`` makes a pack when it grows.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from kgfuse import Workspace
from kgfuse.terms.mentions import TextSpan

ONTOLOGY = """
@prefix home: <https://example.org/home#> .
@prefix kgf: <https://w3id.org/kgfuse#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .

<https://example.org/home> a owl:Ontology .
home:Device a owl:Class ; rdfs:label "device" .
home:Sensor a owl:Class ; rdfs:label "sensor" ; rdfs:subClassOf home:Device .
home:Lamp a owl:Class ; rdfs:label "lamp" ; rdfs:subClassOf home:Device .
home:Room a owl:Class ; rdfs:label "room" ; owl:disjointWith home:Device .
home:kitchen a home:Room ; rdfs:label "kitchen" .
home:hall a home:Room ; rdfs:label "hall" .
home:standsIn a owl:ObjectProperty ; rdfs:label "stands in" ; kgf:trigger "is installed in", "hangs in" ;
    rdfs:domain home:Device ; rdfs:range home:Room .
home:controls a owl:ObjectProperty ; rdfs:label "controls" ; kgf:trigger "switches", "switches on" ;
    rdfs:domain home:Device ; rdfs:range home:Device .
"""
DEVICES = """\
id,type,name,text
motion-sensor,home:Sensor,motion sensor,The motion sensor is installed in the hall.
hall-switch,home:Device,hall switch,The hall switch controls the ceiling lamp.
reading-lamp,home:Lamp,reading lamp,The reading lamp stands in the kitchen.
"""


def main() -> int:
    """Build in a temporary folder, and print every triple of the ontology with its sentence."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "home.ttl").write_text(ONTOLOGY, encoding="utf-8")
        (folder / "devices.csv").write_text(DEVICES, encoding="utf-8")
        with Workspace.create(folder / "home.kg", ontologies=[str(folder / "home.ttl")]) as ws:
            ws.add(folder / "devices.csv")
            ws.build()
            rows = ws.query("SELECT ?s ?p ?o { VALUES ?p { home:standsIn home:controls } ?s ?p ?o } ORDER BY ?s")
            for row in rows:
                print(" · ".join(ws.graph.label(row[part]) for part in "spo"))
                for statement in ws.graph.provenance_of(row["s"], row["p"], row["o"]):
                    spans = [m.selector for m in statement.mentions if isinstance(m.selector, TextSpan)]
                    sentence = max(spans, key=lambda s: s.end - s.start)
                    print(f"    “{sentence.exact}” characters {sentence.start}–{sentence.end}")
    return 0


if __name__ == "__main__":
    main()
