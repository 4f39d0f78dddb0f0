from __future__ import annotations

import json
from dataclasses import replace

import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgfuse.errors import UsageError
from kgfuse.reason.closure import closure
from kgfuse.reason.proofrdf import proof_from_rdf, proof_iri
from kgfuse.reason.proofs import ASSERTED, Proof, check, prove
from kgfuse.reason.rules import RULES, Rule
from kgfuse.terms.namespaces import GRAPH_INFERRED
from tests.reason.test_closure import FACTS, KINDS, PROPERTY_SCHEMA, SCHEMA, example_of
from tests.reason.turtle import PREFIXES, graph_of, iri, triples


def reasoned(store: ox.Store, rules: str = "") -> ox.Store:
    """The store with its closure in kgf:inferred and in the default graph."""
    asserted = [q.triple for q in store.quads_for_pattern(None, None, None, ox.DefaultGraph())]
    for triple in closure(asserted, [rules] if rules else []):
        store.add(ox.Quad(*triple, ox.NamedNode(GRAPH_INFERRED)))
        store.add(ox.Quad(*triple))
    return store


def proof_of(store: ox.Store, text: str, rules: str = "") -> Proof:
    (triple,) = triples(text)
    proof = prove(store, *triple, rules=[rules] if rules else [])
    assert proof is not None
    assert check(proof, store, rules=[rules] if rules else []) == []
    return proof


BIRDS = graph_of(
    zoo=":strix a :Owl ; :devours :mouse . :mouse a :Rodent .",
    book=":mouse a :Rodent .",
    pack=""":Owl rdfs:subClassOf :Bird . :Bird rdfs:subClassOf :Animal . :Rodent rdfs:subClassOf :Animal .
            :devours rdfs:subPropertyOf :eats . :eats rdfs:domain :Animal ; owl:inverseOf :eatenBy .
            :Hunter owl:intersectionOf ( :Animal [ owl:onProperty :eats ; owl:someValuesFrom :Animal ] ) .""",
)


def test_a_proof_leads_down_to_the_sources() -> None:
    proof = proof_of(reasoned(BIRDS), ":mouse :eatenBy :strix .")
    assert proof.rule == "prp-inv1"
    assert {leaf.graphs for leaf in proof.leaves()} == {(PREFIXES[""] + "pack",), (PREFIXES[""] + "zoo",)}
    assert set(triples(":strix :devours :mouse .")) <= {leaf.triple for leaf in proof.leaves()}
    assert proof.depth == 2


def test_an_asserted_triple_names_all_who_say_so() -> None:
    proof = proof_of(reasoned(BIRDS), ":mouse a :Rodent .")
    assert (proof.rule, proof.graphs) == (ASSERTED, (PREFIXES[""] + "book", PREFIXES[""] + "zoo"))


def test_the_proof_is_a_shortest_one() -> None:
    proof = proof_of(reasoned(BIRDS), ":strix a :Animal .")
    assert proof.depth == 2  # by the class hierarchy, or by the domain of what it devours: both take two steps
    chain = reasoned(
        graph_of(a="".join(f":c{i} :in :c{i + 1} ." for i in range(16)) + ":in a owl:TransitiveProperty .")
    )
    assert proof_of(chain, ":c0 :in :c16 .").depth == 4


def test_lists_and_restrictions_are_proved_too() -> None:
    proof = proof_of(reasoned(BIRDS), ":strix a :Hunter .")
    assert proof.rule == "cls-int1"
    assert "cls-svf1" in {premise.rule for premise in proof.premises}


@pytest.mark.parametrize("rule", [r for r in RULES if r.conclusion[0] != r.conclusion[2]], ids=lambda r: r.name)
def test_each_rule_of_the_table_can_be_proved_with(rule: Rule) -> None:
    graph, conclusion = example_of(rule)
    store = ox.Store()
    store.extend([q for t in graph for q in (ox.Quad(*t), ox.Quad(*t, iri("source")))])
    reasoned(store)
    proof = prove(store, *conclusion)
    assert proof is not None
    assert check(proof, store) == []
    assert {leaf.triple for leaf in proof.leaves()} <= set(graph)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(SCHEMA, PROPERTY_SCHEMA, KINDS, FACTS), max_size=9))
def test_whatever_is_inferred_has_a_proof_that_holds(graph: list[ox.Triple]) -> None:
    store = ox.Store()
    store.extend([q for t in graph for q in (ox.Quad(*t), ox.Quad(*t, iri("source")))])
    reasoned(store)
    for quad in list(store.quads_for_pattern(None, None, None, ox.NamedNode(GRAPH_INFERRED)))[:12]:
        proof = prove(store, *quad.triple)
        assert proof is not None, quad.triple
        assert check(proof, store) == []


def test_the_checker_sees_a_forged_step_a_forged_leaf_and_a_circle() -> None:
    store = reasoned(BIRDS)
    proof = proof_of(store, ":strix a :Bird .")
    (lie,) = triples(":mouse a :Owl .")
    assert check(replace(proof, triple=lie), store)
    assert check(replace(proof, rule="prp-dom"), store)
    assert check(replace(proof, premises=proof.premises[:1]), store)
    assert check(replace(proof, premises=(replace(proof.premises[0], graphs=("urn:no",)), proof.premises[1])), store)
    assert check(Proof(proof.triple, "eq-trans", (proof,)), store)


def test_what_does_not_hold_has_no_proof() -> None:
    store = graph_of(a=":x :p :y .", predicted=":x :p :z .")
    assert prove(store, iri("x"), iri("p"), iri("z")) is None
    assert prove(store, iri("x"), iri("p"), iri("other")) is None


def test_what_rests_on_a_class_being_below_itself_is_proved() -> None:
    proof = proof_of(reasoned(graph_of(a=":a rdfs:subClassOf :b ; owl:sameAs :b .")), ":b rdfs:subClassOf :a .")
    assert "scm-cls" in {premise.rule for premise in proof.premises}
    assert [leaf.triple for leaf in proof.leaves()] == triples(":a owl:sameAs :b .")


def test_circles_of_sameness_end() -> None:
    text = " ".join(f":n{i} owl:sameAs :n{(i + 1) % 6} ." for i in range(6)) + ":n0 :p :v ."
    assert proof_of(reasoned(graph_of(a=text)), ":n3 :p :v .").rule == "eq-rep-s"


def test_a_search_past_its_bound_says_so() -> None:
    with pytest.raises(UsageError, match="raise max_steps"):
        prove(reasoned(BIRDS), iri("strix"), PREFIXES["rdf"] + "type", iri("Animal"), max_steps=1)


HUNTING = """PREFIX : <http://example.org/>
# prey fears its hunter
CONSTRUCT { ?prey :fears ?hunter } WHERE {
  { ?hunter :eats ?prey } UNION { ?prey :seesDaily ?hunter } ?prey a :Animal FILTER NOT EXISTS { ?prey a :Plant }
}"""


def test_construct_rules_are_steps_with_their_matched_premises() -> None:
    text = ":devours rdfs:subPropertyOf :eats . :cat :devours :mouse . :mouse a :Animal ."
    store = reasoned(graph_of(a=text), HUNTING)
    proof = proof_of(store, ":mouse :fears :cat .", HUNTING)
    assert proof.rule == "prey fears its hunter"
    assert {p.triple for p in proof.premises} == set(triples(":cat :eats :mouse . :mouse a :Animal ."))
    assert dict(proof.binding) == {"hunter": "<http://example.org/cat>", "prey": "<http://example.org/mouse>"}
    assert check(proof, store)  # without the rule, the step is unknown


def test_a_proof_reads_as_lines_and_as_json() -> None:
    proof = proof_of(reasoned(BIRDS), ":strix a :Bird .")
    lines = proof.lines(PREFIXES)
    assert lines[0] == ":strix rdf:type :Bird   [by cax-sco]"
    assert "  :strix rdf:type :Owl   [asserted in :zoo]" in lines
    assert json.loads(json.dumps(proof.to_dict()))["premises"][0]["graphs"]


@pytest.mark.parametrize("goal", [":strix a :Hunter .", ":mouse :eatenBy :strix .", ":mouse a :Rodent ."])
def test_a_proof_goes_to_rdf_and_back_and_still_holds(goal: str) -> None:
    store = reasoned(BIRDS)
    proof = proof_of(store, goal)
    written = proof.to_rdf()
    text = ox.serialize(written, format=ox.RdfFormat.N_TRIPLES)
    read = proof_from_rdf(ox.parse(text, format=ox.RdfFormat.N_TRIPLES))
    assert read == proof
    assert check(read, store) == []
    assert read.to_rdf() == written
    assert not [t for t in written if isinstance(t.subject, ox.BlankNode) or isinstance(t.object, ox.BlankNode)]


def test_a_construct_rules_binding_goes_to_rdf_and_back() -> None:
    text = ":devours rdfs:subPropertyOf :eats . :cat :devours :mouse . :mouse a :Animal ."
    store = reasoned(graph_of(a=text), HUNTING)
    proof = proof_of(store, ":mouse :fears :cat .", HUNTING)
    assert proof_from_rdf(proof.to_rdf()) == proof
    assert check(proof_from_rdf(proof.to_rdf()), store, rules=[HUNTING]) == []


def test_proofs_share_a_graph_and_each_is_found_by_its_root() -> None:
    store = reasoned(BIRDS)
    proofs = [proof_of(store, goal) for goal in (":strix a :Hunter .", ":mouse :eatenBy :strix .")]
    together = [t for proof in proofs for t in proof.to_rdf()]
    assert [proof_from_rdf(together, proof_iri(proof)) for proof in proofs] == proofs
    with pytest.raises(UsageError, match="name the root"):
        proof_from_rdf(together)


def test_a_proof_that_lost_a_part_or_was_changed_is_noticed() -> None:
    store = reasoned(BIRDS)
    proof = proof_of(store, ":strix a :Bird .")
    leaf = proof_iri(proof.leaves()[0])
    with pytest.raises(UsageError, match="not one"):
        proof_from_rdf([t for t in proof.to_rdf() if str(t.subject) != f"<{leaf}>"], proof_iri(proof))
    forged = [ox.Triple(t.subject, t.predicate, iri("Fish")) if t.object == iri("Bird") else t for t in proof.to_rdf()]
    assert check(proof_from_rdf(forged), store)


def test_large_transitive_and_sameness_closures_are_proved_over_what_is_asserted() -> None:
    text = ":in a owl:TransitiveProperty . :near a owl:TransitiveProperty, owl:SymmetricProperty . "
    text += " ".join(f":n{i} :in :n{i + 1} ." for i in range(100))
    text += " ".join(f":m{i} :near :m{i + 1} . :s{i} owl:sameAs :s{i + 1} ; :val :v{i} ." for i in range(40))
    store = reasoned(graph_of(a=text))
    assert proof_of(store, ":n0 :in :n100 .").depth == 7
    for goal in (":m40 :near :m0 .", ":s40 owl:sameAs :s0 .", ":s2 :val :v37 ."):
        assert proof_of(store, goal).depth <= 9
