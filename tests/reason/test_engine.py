from __future__ import annotations

import numpy as np
import pyoxigraph as ox
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kgfuse.ontology import load_all
from kgfuse.reason.closure import closure, plain_closure
from kgfuse.reason.conjunctive import compile_rules
from kgfuse.reason.construct import ConstructRule, parse_rules
from kgfuse.reason.engine import close, renew
from kgfuse.reason.infer import infer
from kgfuse.reason.symbols import Numbering
from tests.reason.graphs import graphs
from tests.reason.turtle import iri, triples

PACK_RULES = [rule for pack in load_all(["general", "field-guide", "retail"]) for rule in parse_rules(pack.rules or "")]
LIFT = """PREFIX : <http://example.org/> PREFIX rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#>
# lift
CONSTRUCT { ?x ?p ?z . ?z :q ?x } WHERE {
  { VALUES ?p { :p :q } ?x ?p ?y . ?y :r ?z FILTER(?x != ?z && !isLiteral(?z)) }
  UNION { BIND(:r AS ?p) ?x :p ?z . ?z a :a FILTER(isIRI(?z)) } }"""
LONELY = """PREFIX : <http://example.org/>
# lonely
CONSTRUCT { ?x a :d } WHERE { ?x :p ?y FILTER NOT EXISTS { ?x a :b } }"""


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(graphs(6), min_size=2, max_size=4), st.booleans())
def test_renewing_after_any_change_equals_computing_anew(states: list[list[ox.Triple]], with_rule: bool) -> None:
    numbering = Numbering()
    compiled, rest = compile_rules(parse_rules(LIFT) if with_rule else [])
    assert not rest
    # a common part, so that little enough changes for the incremental way to be taken
    common = states[0] + triples(" ".join(f":z{i} :zz :z{i + 1} ; a :Z{i} ." for i in range(20)))
    before = numbering.rows(common)
    inferred = close(before, numbering, constructs=compiled)
    for state in [*states[1:], []]:
        now = numbering.rows(sorted({*common, *state}, key=str))
        renewed = renew(now, before, inferred, numbering, constructs=compiled)
        assert renewed.tolist() == close(now, numbering, constructs=compiled).tolist()
        before, inferred = now, renewed


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(graphs(), st.data())
def test_single_triples_taken_and_given_back(graph: list[ox.Triple], data: st.DataObject) -> None:
    numbering = Numbering()
    padding = triples(" ".join(f":z{i} :zz :z{i + 1} ; a :Z{i} ." for i in range(20)))
    rows = numbering.rows([*graph, *padding])
    left = np.delete(rows, data.draw(st.integers(0, len(graph) - 1)), axis=0)
    inferred, without = close(rows, numbering), close(left, numbering)
    assert renew(left, rows, inferred, numbering).tolist() == without.tolist()
    assert renew(rows, left, without, numbering).tolist() == inferred.tolist()


def test_what_is_inferred_is_sorted_new_and_the_same_for_any_order_of_the_input() -> None:
    numbering = Numbering()
    rows = numbering.rows(triples(":a rdfs:subClassOf :b . :b rdfs:subClassOf :c . :x a :a, :b . :y owl:sameAs :x ."))
    inferred = close(rows, numbering)
    assert inferred.tolist() == sorted(inferred.tolist())
    assert not set(map(tuple, inferred.tolist())) & set(map(tuple, rows.tolist()))
    assert close(rows[::-1].copy(), numbering).tolist() == inferred.tolist()


def test_long_chains_large_cliques_and_deep_hierarchies_close() -> None:
    chain = ":in a owl:TransitiveProperty . " + " ".join(f":n{i} :in :n{i + 1} ." for i in range(300))
    assert len(closure(triples(chain))) == 300 * 301 // 2 - 300
    clique = " ".join(f":n{i} owl:sameAs :n{i + 1} ." for i in range(40)) + ":n0 :p :v ."
    assert len(closure(triples(clique))) == 41 * 40 - 40 + 40
    deep = " ".join(f":c{i} rdfs:subClassOf :c{i + 1} ." for i in range(100)) + ":x a :c0 ."
    assert len(closure(triples(deep))) == 100 * 101 // 2 - 100 + 100


def test_the_rules_of_the_shipped_packs_compile() -> None:
    compiled, rest = compile_rules(PACK_RULES)
    assert compiled
    assert rest == ()


@pytest.mark.parametrize(
    "body",
    [
        "?x :p ?y FILTER NOT EXISTS { ?y a :c }",
        "?x :p ?y MINUS { ?y a :c }",
        "?x :p ?z OPTIONAL { ?z a ?y }",
        "?x :p/:q ?y",
        "?x :p ?z BIND(STRLEN(?z) AS ?y)",
        "?x :p ?y FILTER(?y > 3)",
        "?z :p ?x, ?y FILTER(?x != ?y)",
        "GRAPH ?g { ?x :p ?y }",
        "{ SELECT ?x (COUNT(?z) AS ?y) WHERE { ?x :p ?z } GROUP BY ?x }",
    ],
)
def test_a_rule_that_is_no_conjunction_is_left_to_sparql(body: str) -> None:
    rules = parse_rules(f"PREFIX : <http://example.org/> CONSTRUCT {{ ?x :r ?y }} WHERE {{ {body} }}")
    assert compile_rules(rules) == ((), tuple(rules))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(graphs(), st.sampled_from([[LIFT], [LIFT, LONELY]]))
def test_construct_rules_say_the_same_in_the_engine_and_in_sparql(graph: list[ox.Triple], texts: list[str]) -> None:
    if LONELY not in texts:
        assert closure(graph, texts) == plain_closure(graph, texts)
    else:  # order matters to rules that are not monotone: what is sure is that they end, and say nothing asserted
        assert not closure(graph, texts) & set(graph)


def test_rules_that_do_not_compile_join_the_fixpoint_and_a_change_computes_everything_anew() -> None:
    rules: list[ConstructRule] = parse_rules(LONELY)
    numbering = Numbering()
    before = numbering.rows(triples(":x :p :y . :d rdfs:subClassOf :e ."))
    inferred = infer(before, numbering, rules)
    assert set(numbering.triples(inferred)) == set(triples(":x a :d, :e ."))
    now = np.concatenate((before, numbering.rows(triples(":x a :b ."))))
    assert len(infer(now, numbering, rules, before=(before, inferred))) == 0


def test_packs_close_as_the_table_says() -> None:
    packs = load_all(["general", "field-guide", "retail"])
    graph = {t for pack in packs for t in pack.triples}
    assert closure(graph, PACK_RULES) == plain_closure(graph, PACK_RULES)


def test_a_list_that_breaks_takes_back_what_it_gave() -> None:
    numbering = Numbering()
    whole = triples(":C owl:intersectionOf ( :A :B ) . :x a :A, :B . :y a :A . :z a :Q ; :p :x, :y . :w :p :x .")
    rows = numbering.rows(whole)
    inferred = close(rows, numbering)
    member = next(t for t in whole if t.object == iri("B") and "first" in t.predicate.value)
    broken = numbering.rows([t for t in whole if t != member])
    assert set(triples(":x a :C .")) <= set(numbering.triples(inferred))
    assert len(renew(broken, rows, inferred, numbering)) == 0
