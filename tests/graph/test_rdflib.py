"""rdflib programs on the graph: those that read do so in place, those that write get a copy."""

import owlrl
import pyoxigraph as ox
import pyshacl
import pytest
import rdflib

from kgfuse.errors import UsageError
from kgfuse.graph.views import KnowledgeGraph
from kgfuse.terms.namespaces import RDF, RDFS, ontology_graph, source_iri
from tests.graph.samples import EX, filled

OWL_TYPE = tuple(rdflib.URIRef(i) for i in (EX + "owl", RDF + "type", EX + "Animal"))
SHAPES = """
@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix ex: <https://example.org/> .
ex:Shape a sh:NodeShape ; sh:targetClass ex:Bird ; sh:property [ sh:path ex:name ; sh:minCount 1 ] .
"""


@pytest.fixture
def kg():
    store = filled([(EX + "owl", RDF + "type", EX + "Bird", 1.0)])
    subclass = ox.Triple(*map(ox.NamedNode, (EX + "Bird", RDFS + "subClassOf", EX + "Animal")))
    store.replace_graph(ontology_graph("zoo"), [subclass])
    return KnowledgeGraph(store)


def test_pyshacl_validates_the_graph_in_place(kg):
    before = kg.store.canonical_hash()
    conforms, _, text = pyshacl.validate(kg.rdflib, shacl_graph=rdflib.Graph().parse(data=SHAPES), inference="rdfs")
    assert not conforms
    assert EX + "name" in text or "ex:name" in text
    assert kg.store.canonical_hash() == before


def test_a_dataset_has_what_holds_and_who_says_it(kg):
    assert len(kg.rdflib.default_graph) == 2
    assert len(kg.rdflib.graph(source_iri("one"))) == 1


@pytest.mark.parametrize(
    "write",
    [
        lambda d: d.default_graph.add(OWL_TYPE),
        lambda d: d.default_graph.addN([(*OWL_TYPE, d.default_graph)]),
        lambda d: d.default_graph.remove(OWL_TYPE),
        lambda d: d.remove_graph(source_iri("one")),
        lambda d: d.update("INSERT DATA { <urn:a> <urn:b> <urn:c> }"),
        lambda d: owlrl.DeductiveClosure(owlrl.RDFS_Semantics).expand(d.default_graph),
    ],
)
def test_what_would_write_past_the_named_graphs_is_refused(kg, write):
    before = kg.store.canonical_hash()
    with pytest.raises(UsageError, match="for reading only"):
        write(kg.rdflib)
    assert kg.store.canonical_hash() == before


def test_owlrl_reasons_over_a_copy(kg):
    copy = kg.to_rdflib()
    owlrl.DeductiveClosure(owlrl.RDFS_Semantics).expand(copy)
    assert OWL_TYPE in copy
    assert len(kg) == 2
    assert len(kg.to_rdflib([source_iri("one")])) == 1
