from __future__ import annotations

import pyoxigraph as ox
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kgfuse.errors import PackError
from kgfuse.reason.closure import closure, plain_closure
from kgfuse.reason.construct import parse_rules
from kgfuse.reason.forward import applicable, consequences
from kgfuse.reason.rules import RULES, Rule, bind, expand
from kgfuse.reason.trivial import is_trivial
from tests.reason.graphs import graphs
from tests.reason.turtle import iri, triples

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"


def example_of(rule: Rule) -> tuple[list[ox.Triple], ox.Triple]:
    """A graph that holds just the rule's premises, and its conclusion."""

    def ground(slot: object) -> object:
        return iri(slot.value) if isinstance(slot, ox.Variable) else slot

    patterns = list(rule.premises)
    lists = {owner: [iri("other"), iri(member.value)] for owner, member in rule.members}
    for premise in rule.lists:
        lists[premise.list] = [iri("m1"), iri("m2")]
        patterns += expand(premise, lists[premise.list])
    graph = [ox.Triple(*map(ground, bind(p, {}))) for p in patterns]
    for owner, members in lists.items():
        for i, member in enumerate(members):
            node = iri(owner.value if i == 0 else f"{owner.value}-{i}")
            rest = ox.NamedNode(RDF + "nil") if i == len(members) - 1 else iri(f"{owner.value}-{i + 1}")
            graph += [
                ox.Triple(node, ox.NamedNode(RDF + "first"), member),
                ox.Triple(node, ox.NamedNode(RDF + "rest"), rest),
            ]
    return graph, ox.Triple(*map(ground, rule.conclusion))


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.name)
def test_each_rule_of_the_table_gives_its_conclusion(rule: Rule) -> None:
    graph, conclusion = example_of(rule)
    store = ox.Store()
    store.extend(ox.Quad(*t) for t in graph)
    assert rule in applicable(store)
    assert conclusion in set(consequences(store, rule))
    assert conclusion in closure(graph) or is_trivial(conclusion)


ONTOLOGY = """
:Owl rdfs:subClassOf :Bird . :Bird rdfs:subClassOf :Animal ; owl:equivalentClass :Vogel .
:eats rdfs:domain :Animal ; rdfs:range :Food ; owl:inverseOf :eatenBy .
:devours rdfs:subPropertyOf :eats . :partOf a owl:TransitiveProperty . :near a owl:SymmetricProperty .
:name rdfs:subPropertyOf rdfs:label ; rdfs:range xsd:string .
:Predator owl:intersectionOf ( :Animal [ a owl:Restriction ; owl:onProperty :eats ; owl:someValuesFrom :Animal ] ) .
:Pet owl:oneOf ( :tom :jerry ) . :Living owl:unionOf ( :Animal :Plant ) .
:grandpart owl:propertyChainAxiom ( :partOf :partOf ) . :Ship owl:hasKey ( :number ) .
"""


def test_facts_follow_through_hierarchies_domains_inverses_restrictions_and_lists() -> None:
    facts = """:tawny a :Owl ; :devours :mouse . :mouse a :Animal . :claw :partOf :toe . :toe :partOf :foot .
               :a a :Ship ; :number "7" . :b a :Ship ; :number "7" . :barn :near :oak ."""
    inferred = closure(triples(ONTOLOGY + facts))
    expected = triples(""":tawny a :Bird, :Animal, :Vogel, :Predator, :Living ; :eats :mouse .
        :mouse :eatenBy :tawny ; a :Food . :claw :partOf :foot ; :grandpart :foot . :tom a :Pet . :a owl:sameAs :b .
        :oak :near :barn . :Owl rdfs:subClassOf :Animal, :Living .""")
    assert set(expected) <= inferred


def test_literals_keep_language_tag_datatype_and_lexical_form() -> None:
    graph = triples(
        """:name rdfs:subPropertyOf :label . :x owl:sameAs :y .
        :x :name "Käuzchen \\"q\\" \\\\ \\n\\U0001F989"@de-AT, "007"^^xsd:integer, "1.50"^^xsd:decimal, "7"^^:odd,
                 "_:b", "http://example.org/x" .
        """
    )
    literals = {t.object for t in graph if isinstance(t.object, ox.Literal)}
    inferred = closure(graph)
    for node in ("x", "y"):
        assert {t.object for t in inferred if t.subject == iri(node) and t.predicate == iri("label")} == literals


def test_nothing_trivial_and_nothing_generalised_is_inferred() -> None:
    graph = triples(ONTOLOGY + ':tawny a :Owl ; :name "Tawny" ; owl:sameAs :strix . :code a owl:FunctionalProperty .')
    inferred = closure(graph)
    assert not inferred & set(graph)
    text = {str(t) for t in inferred}
    assert not [t for t in text if "owl#Thing>" in t or "rdf-schema#Resource>" in t]
    assert not [t for t in inferred if t.subject == t.object and "sameAs" in t.predicate.value]
    assert not [t for t in inferred if t.subject == t.object and "subClassOf" in t.predicate.value]
    assert not [t for t in inferred if isinstance(t.subject, ox.NamedNode) and "w3.org" in t.subject.value]


def test_statements_about_triple_terms_take_no_part_and_do_no_harm() -> None:
    fact = ox.Triple(iri("x"), iri("p"), iri("y"))
    quoted = ox.Triple(iri("r"), ox.NamedNode(RDF + "reifies"), fact)
    assert fact not in closure([quoted, *triples(":p rdfs:domain :C .")])


def test_symmetric_inverse_functional_properties_merge_only_what_shares_a_value() -> None:
    graph = ":twin a owl:SymmetricProperty, owl:InverseFunctionalProperty . :a :twin :b . "
    assert closure(triples(graph)) == set(triples(":b :twin :a ."))
    assert set(triples(":a owl:sameAs :c .")) <= closure(triples(graph + ":c :twin :b ."))


def test_blank_class_expressions_survive() -> None:
    graph = triples(
        ":Night rdfs:subClassOf [ a owl:Restriction ; owl:onProperty :time ; owl:hasValue :dark ] . :owl a :Night ."
    )
    assert set(triples(":owl :time :dark .")) <= closure(graph)
    graph = triples(":C owl:equivalentClass [ owl:unionOf ( :A [ owl:intersectionOf ( :B :D ) ] ) ] . :x a :B, :D .")
    assert set(triples(":x a :C .")) <= closure(graph)
    assert closure(graph) == plain_closure(graph)


NAMES = st.sampled_from([iri(n) for n in "abcdef"])
PROPERTIES = st.sampled_from([iri(n) for n in "pqr"])
SCHEMA = st.builds(
    lambda p, s, o: ox.Triple(s, p, o),
    st.sampled_from(
        [
            t.predicate
            for t in triples("""
        :x rdfs:subClassOf :y ; owl:equivalentClass :y ; owl:sameAs :y ; a :y .""")
        ]
    ),
    NAMES,
    NAMES,
)
PROPERTY_SCHEMA = st.builds(
    lambda p, s, o: ox.Triple(s, p, o),
    st.sampled_from(
        [t.predicate for t in triples(":x rdfs:subPropertyOf :y ; owl:inverseOf :y ; owl:equivalentProperty :y .")]
    ),
    PROPERTIES,
    PROPERTIES,
)
KINDS = st.sampled_from(
    triples(
        """:p a owl:TransitiveProperty . :q a owl:SymmetricProperty . :r a owl:FunctionalProperty ; rdfs:domain :a .
       :p rdfs:range :b . :q a owl:InverseFunctionalProperty . :e owl:onProperty :p ; owl:someValuesFrom :a .
       :f owl:onProperty :r ; owl:hasValue :c . :d owl:onProperty :q ; owl:allValuesFrom :b ."""
    )
)
FACTS = st.builds(ox.Triple, NAMES, PROPERTIES, NAMES)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.one_of(SCHEMA, PROPERTY_SCHEMA, KINDS, FACTS), max_size=14))
def test_the_engine_agrees_with_the_table(graph: list[ox.Triple]) -> None:
    inferred = closure(graph)
    assert inferred == plain_closure(graph)
    assert inferred == closure(reversed(graph))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(graphs())
def test_the_engine_agrees_with_the_table_on_every_construct(graph: list[ox.Triple]) -> None:
    assert closure(graph) == plain_closure(graph)


RULES_TEXT = """
# prefixes hold for all rules below
PREFIX : <http://example.org/>
# a grandparent; not a ';' that splits
CONSTRUCT { ?a :grandparent ?c } WHERE { ?a :parent ?b ; :parent ?b . ?b :parent ?c FILTER("; CONSTRUCT {" != "}") }

# hunters
PREFIX owl: <http://www.w3.org/2002/07/owl#>
CONSTRUCT { ?x a :Hunter } WHERE { ?x :eats ?y . ?y a :Animal } ;
CONSTRUCT WHERE { ?x a :Ghost }
"""


def test_a_rule_file_is_split_into_named_rules() -> None:
    assert [r.name for r in parse_rules(RULES_TEXT)] == [
        "a grandparent; not a ';' that splits",
        "hunters",
        "construct-3",
    ]


def test_construct_rules_and_closure_feed_each_other_to_a_joint_fixpoint() -> None:
    graph = triples(":Hunter rdfs:subClassOf :Animal . :a :eats :b . :b :eats :c . :c :eats :d . :d a :Animal .")
    inferred = closure(graph, parse_rules(RULES_TEXT))
    assert set(triples(":a a :Hunter, :Animal . :b a :Hunter . :c a :Hunter .")) <= inferred
    assert inferred == plain_closure(graph, parse_rules(RULES_TEXT))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("CONSTRUCT { ?a ?b } WHERE { ?a ?b ?c }", "does not parse"),
        ("PREFIX : <urn:>\n\nSELECT * { ?s ?p ?o }", "not a CONSTRUCT"),
        ("CONSTRUCT { ?s ?p ?o } WHERE { SERVICE <http://example.org/> { ?s ?p ?o } }", "SERVICE"),
    ],
)
def test_a_bad_rule_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(PackError, match=message) as caught:
        parse_rules(text, where="shop/rules.rq")
    assert caught.value.where.startswith("shop/rules.rq:")


def test_a_rule_that_never_ends_is_stopped_with_its_name() -> None:
    text = "# counting\nCONSTRUCT { ?s <urn:n> ?m } WHERE { ?s <urn:n> ?n BIND(?n + 1 AS ?m) }"
    with pytest.raises(PackError, match=r"after 5 rounds .*counting"):
        closure(triples(":x <urn:n> 1 ."), parse_rules(text), max_rounds=5)


def test_a_rule_may_not_create_blank_nodes() -> None:
    with pytest.raises(PackError, match="blank nodes"):
        closure(triples(":x a :C ."), parse_rules("CONSTRUCT { ?s <urn:p> [] } WHERE { ?s a ?c }"))
