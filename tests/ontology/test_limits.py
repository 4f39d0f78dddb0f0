"""Every way to say how many values a property may have is read, and reaches the properties that say the same."""

from __future__ import annotations

from pathlib import Path

from kgfuse.ontology.limits import Limit
from kgfuse.ontology.pack import load_pack
from kgfuse.ontology.vocabulary import Vocabulary

M = "http://example.org/m#"
ONTOLOGY = """
@prefix m: <http://example.org/m#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
m:Wheel a owl:Class . m:Door a owl:Class .
m:Car a owl:Class ; rdfs:subClassOf [ a owl:Restriction ; owl:onProperty m:part ;
    owl:qualifiedCardinality "4"^^xsd:nonNegativeInteger ; owl:onClass m:Wheel ] ,
  [ a owl:Restriction ; owl:onProperty [ owl:inverseOf m:drives ] ; owl:maxCardinality "1"^^xsd:nonNegativeInteger ] ,
  [ a owl:Restriction ; owl:onProperty m:part ; owl:minCardinality "1"^^xsd:nonNegativeInteger ] .
m:Coupe a owl:Class ; owl:equivalentClass [ owl:intersectionOf ( m:Car
    [ a owl:Restriction ; owl:onProperty m:door ; owl:cardinality "2"^^xsd:nonNegativeInteger ] ) ] .
m:part a owl:ObjectProperty . m:door rdfs:subPropertyOf m:part . m:drives a owl:ObjectProperty .
m:owner a owl:ObjectProperty , owl:FunctionalProperty . m:owns a owl:ObjectProperty ; owl:inverseOf m:owner .
m:plate a owl:DatatypeProperty , owl:InverseFunctionalProperty .
m:above a owl:ObjectProperty , owl:AsymmetricProperty .
m:twin a owl:ObjectProperty , owl:SymmetricProperty , owl:FunctionalProperty .
"""


def test_all_ways_to_limit(tmp_path: Path) -> None:
    (tmp_path / "m.ttl").write_text(ONTOLOGY, encoding="utf-8")
    limits = Vocabulary([load_pack(tmp_path / "m.ttl")]).limits
    wheels = Limit(M + "part", 4, "cardinality", M + "Car", M + "Wheel")
    doors = Limit(M + "door", 2, "cardinality", M + "Coupe")
    owner = Limit(M + "owner", 1, "functional")
    assert {p.removeprefix(M): set(of) for p, of in limits.items()} == {
        "part": {(wheels, False)},
        "door": {(wheels, False), (doors, False)},
        "drives": {(Limit(M + "drives", 1, "cardinality", M + "Car", inverse=True), False)},
        "owner": {(owner, False)},
        "owns": {(owner, True)},
        "plate": {(Limit(M + "plate", 1, "functional", inverse=True), False)},
        "above": {(Limit(M + "above", 1, "asymmetric"), False)},
        "twin": {(Limit(M + "twin", 1, "functional"), False), (Limit(M + "twin", 1, "functional"), True)},
    }
