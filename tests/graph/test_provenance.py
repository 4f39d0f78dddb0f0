"""Every fact leads to its source, run and mentions; taking a source away takes exactly its own provenance."""

from pathlib import Path

import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgfuse.graph.provenance import remove_provenance, replace_provenance
from kgfuse.graph.provenance_lines import (
    RunRecord,
    decimal,
    fact_lines,
    fact_triples,
    run_lines,
    source_lines,
    statement_iri,
)
from kgfuse.graph.records import mentions_of, provenance_of, run_record, source_record, statements_about
from kgfuse.graph.store import GraphStore
from kgfuse.terms.mentions import Fact, Mention, Region, Source, TextSpan, TimeSpan, Value
from kgfuse.terms.namespaces import GRAPH_PROVENANCE, XSD, source_iri

STEPS = [{"step": "orient", "version": 1}, {"step": "resize", "version": 2, "longest": 1600}]
RUNS = [
    RunRecord(("text.pattern", "text.lexicon"), "0.1.0", {"minilm": "ab" * 32}, {"threshold": 0.5}),
    RunRecord(("image.tags",), "0.1.0", {}, {"preprocessing": STEPS}),
]
NAMES = ["a.txt", "b.txt", "dir/c d.png"]
TEXT = "Owls e\u0301at mice \U0001f42d.\r\n"
EX = "https://example.org/"


def source(name: str) -> Source:
    return Source(source_iri(name), name, "text", "text/plain", "cd" * 32, path=Path("/nowhere"))


def span(start: int, end: int) -> TextSpan:
    return TextSpan(start, end, TEXT[start:end])


selectors = st.one_of(
    st.tuples(st.integers(0, 8), st.integers(9, len(TEXT))).map(lambda p: span(*p)),
    st.builds(Region, *(st.integers(0, 9),) * 4),
    st.just(TimeSpan(0.5, 2.25)),
)


@st.composite
def facts_of(draw: st.DrawFn, name: str) -> list[Fact]:
    def mention() -> Mention:
        entity = draw(st.sampled_from([None, EX + "owl", EX + "mouse"]))
        return Mention(source_iri(name), draw(selectors), "label", "text.lexicon", entity=entity)

    objects = st.sampled_from([EX + "mouse", Value("1.50", XSD + "decimal"), Value("mouse", language="en")])
    return [
        Fact(
            EX + draw(st.sampled_from(["owl", "cat"])),
            EX + "eats",
            draw(objects),
            source_iri(name),
            tuple(mention() for _ in range(draw(st.integers(1, 2)))),
            draw(st.sampled_from(["text.pattern", "image.tags"])),
            draw(st.sampled_from([0.25, 0.90004, 1.0])),
            draw(st.sampled_from(["it says so", "it shows so"])),
            draw(st.sampled_from(RUNS)).iri,
        )
        for _ in range(draw(st.integers(0, 4)))
    ]


workspaces = st.fixed_dictionaries({name: facts_of(name) for name in NAMES})


def write(store: GraphStore, name: str, facts: list[Fact]) -> None:
    used = [run for run in RUNS if any(fact.run == run.iri for fact in facts)]
    store.replace_graph(source_iri(name), fact_triples(facts).get(source_iri(name), []))
    quads = [*source_lines(source(name)), *fact_lines(facts), *(q for run in used for q in run_lines(run))]
    replace_provenance(store, source_iri(name), quads)


def remove(store: GraphStore, name: str) -> None:
    store.remove_graph(source_iri(name))
    remove_provenance(store, source_iri(name))


@settings(deadline=None, max_examples=40)
@given(content=workspaces, data=st.data())
def test_any_order_of_adding_gives_the_same_graph(content, data):
    hashes = set()
    for _ in range(2):
        store = GraphStore()
        for name in data.draw(st.permutations(NAMES)):
            write(store, name, data.draw(st.permutations(content[name])))
        hashes.add(store.canonical_hash())
    assert len(hashes) == 1


@settings(deadline=None, max_examples=40)
@given(content=workspaces, gone=st.sampled_from(NAMES))
def test_a_source_added_and_removed_leaves_no_trace(content, gone):
    store, without = GraphStore(), GraphStore()
    for name in NAMES:
        write(store, name, content[name])
        if name != gone:
            write(without, name, content[name])
    remove(store, gone)
    assert store.canonical_hash() == without.canonical_hash()


@settings(deadline=None, max_examples=40)
@given(content=workspaces, changed=facts_of(NAMES[0]))
def test_a_changed_source_replaces_exactly_what_it_said(content, changed):
    store, clean = GraphStore(), GraphStore()
    for name in NAMES:
        write(store, name, content[name])
        write(clean, name, changed if name == NAMES[0] else content[name])
    write(store, NAMES[0], changed)
    assert store.canonical_hash() == clean.canonical_hash()


@settings(deadline=None, max_examples=40)
@given(first=facts_of(NAMES[0]), second=facts_of(NAMES[0]), stop=st.integers(0, 30))
def test_killed_within_a_replacement_it_ends_the_same_when_done_again(first, second, stop):
    store, clean = GraphStore(), GraphStore()
    write(store, NAMES[0], first)
    write(clean, NAMES[0], second)
    left, remove_one = stop, store.raw.remove

    class Killed(BaseException):
        pass

    class Dying:
        def __getattr__(self, name: str):
            return getattr(store_raw, name)

        def __contains__(self, quad: ox.Quad) -> bool:
            return quad in store_raw

        def remove(self, quad: ox.Quad) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise Killed
            remove_one(quad)

    store_raw = store.raw
    store.raw = Dying()
    try:
        write(store, NAMES[0], second)
    except Killed:
        store.raw = store_raw
        write(store, NAMES[0], second)
    store.raw = store_raw
    assert store.canonical_hash() == clean.canonical_hash()


@settings(deadline=None, max_examples=40)
@given(facts=facts_of(NAMES[0]))
def test_every_fact_is_read_back_with_all_its_evidence(facts):
    store = GraphStore()
    write(store, NAMES[0], facts)
    for fact in facts:
        (record,) = statements_about(store, fact.subject, fact.predicate, fact.object)
        same = [
            f for f in facts if (f.subject, str(decimal_of(f.object))) == (fact.subject, str(decimal_of(fact.object)))
        ]
        assert record.confidence == round(max(f.confidence for f in same), 4)
        assert {m.selector for m in record.mentions} == {m.selector for f in same for m in f.evidence}
        assert {m.file_name for m in record.mentions} == {NAMES[0]}
        assert set(record.runs) == {f.run for f in same}
        assert record.reason == "; ".join(sorted({f.reason for f in same}))
        for mention in record.mentions:
            if isinstance(mention.selector, TextSpan):
                assert TEXT[mention.selector.start : mention.selector.end] == mention.selector.exact


def decimal_of(value: str | Value) -> str | Value:
    return Value("1.5", value.datatype) if isinstance(value, Value) and value.lexical == "1.50" else value


def test_nothing_in_provenance_is_a_blank_node_and_nothing_of_it_holds():
    store = GraphStore()
    write(store, "a.txt", [fact("a.txt")])
    assert store.size() == 1
    for quad in store.quads(graph=GRAPH_PROVENANCE):
        assert not isinstance(quad.subject, ox.BlankNode)
        assert not isinstance(quad.object, ox.BlankNode)


def fact(name: str, **more: object) -> Fact:
    mention = Mention(source_iri(name), span(0, 4), "owls", "text.lexicon", entity=EX + "owl")
    values = {"confidence": 0.9, "reason": "it says so", "run": RUNS[0].iri, **more}
    return Fact(EX + "owl", EX + "eats", EX + "mouse", source_iri(name), (mention,), "text.pattern", **values)


def test_two_sources_that_say_the_same_have_a_statement_each():
    store = GraphStore()
    for name in ("a.txt", "b.txt"):
        write(store, name, [fact(name)])
    records = provenance_of(store, EX + "owl", EX + "eats", EX + "mouse")
    assert [r.source for r in records] == [source_iri("a.txt"), source_iri("b.txt")]
    assert records[0].iri == statement_iri(source_iri("a.txt"), EX + "owl", EX + "eats", EX + "mouse")
    assert records[0].mentions[0].selector == span(0, 4)
    assert [m.file_name for m in mentions_of(store, EX + "owl")] == ["a.txt", "b.txt"]


def test_an_imported_triple_has_its_graph_as_provenance():
    store = GraphStore()
    store.replace_graph(source_iri("x.ttl"), fact_triples([fact("x.ttl")])[source_iri("x.ttl")])
    (record,) = provenance_of(store, EX + "owl", EX + "eats", EX + "mouse")
    assert (record.iri, record.source, record.status) == ("", source_iri("x.ttl"), "asserted")
    assert statements_about(store, EX + "owl", EX + "eats", EX + "mouse") == []


def test_a_run_goes_with_the_last_statement_it_made():
    store = GraphStore()
    for name in ("a.txt", "b.txt"):
        write(store, name, [fact(name)])
    remove(store, "a.txt")
    assert run_record(store, RUNS[0].iri) == RunRecord(
        ("text.lexicon", "text.pattern"), "0.1.0", {"minilm": "ab" * 32}, {"threshold": 0.5}
    )
    remove(store, "b.txt")
    assert run_record(store, RUNS[0].iri) is None
    assert store.canonical_hash() == GraphStore().canonical_hash()


def test_evidence_in_another_source_stays_while_that_source_needs_it():
    store, clean = GraphStore(), GraphStore()
    neighbour = Fact(
        EX + "a",
        EX + "like",
        EX + "b",
        source_iri("a.txt"),
        fact("b.txt").evidence,
        "image.look",
        0.5,
        "near",
        RUNS[1].iri,
    )
    for s in (store, clean):
        write(s, "b.txt", [fact("b.txt")])
    write(store, "a.txt", [neighbour])
    remove(store, "a.txt")
    assert store.canonical_hash() == clean.canonical_hash()


def test_a_source_is_described_by_name_hash_and_format():
    store = GraphStore()
    write(store, "dir/c d.png", [])
    record = source_record(store, source_iri("dir/c d.png"))
    assert record is not None
    assert (record.file_name, record.sha256, record.media_type) == ("dir/c d.png", "cd" * 32, "text/plain")


def test_what_was_done_to_a_picture_can_be_asked_in_sparql():
    store = GraphStore()
    seen = Fact(EX + "owl", EX + "eats", EX + "mouse", source_iri("a.txt"), fact("a.txt").evidence, "image.tags", 1.0,
                "seen", RUNS[1].iri)  # fmt: skip
    write(store, "a.txt", [seen])
    rows = store.query(f"""SELECT ?name ?version ?parameters {{ GRAPH <{GRAPH_PROVENANCE}> {{
        ?statement rdf:subject <{EX}owl> ; prov:wasGeneratedBy/kgf:preprocessing ?step .
        ?step kgf:stepNumber ?n ; kgf:stepName ?name ; kgf:stepVersion ?version ; kgf:stepParameters ?parameters
    }} }} ORDER BY ?n""")
    assert [[row[name] for name in ("name", "version", "parameters")] for row in rows] == [
        ["orient", "1", "{}"],
        ["resize", "2", '{"longest":1600}'],
    ]


@pytest.mark.parametrize(
    ("number", "lexical"), [(1.0, "1"), (0.0, "0"), (0.90004, "0.9"), (1e-9, "0"), (0.12345, "0.1234")]
)
def test_confidence_is_a_canonical_decimal(number, lexical):
    assert decimal(number).value == lexical


def test_statements_are_found_by_any_part():
    store = GraphStore()
    write(store, "a.txt", [fact("a.txt")])
    for part in ({"subject": EX + "owl"}, {"predicate": EX + "eats"}, {"object": EX + "mouse"}, {}):
        assert len(statements_about(store, **part)) == 1
    assert statements_about(store, EX + "owl", EX + "likes") == []


@pytest.mark.parametrize("said", ["none", {"a": 1}, [1, 2], [{"step": "x"}], [{"step": "x", "version": "1"}], 5, None])
def test_what_a_plug_in_calls_preprocessing_is_a_parameter_like_others(said: object) -> None:
    lines = list(run_lines(RunRecord(("mine",), "1", {}, {"preprocessing": said})))
    assert not any("stepName" in line for line in lines)
    assert any("parameters" in line and "preprocessing" in line for line in lines)
