"""An exported file says what the graph says, and is whole or not there."""

import contextlib
import xml.etree.ElementTree

import networkx
import pyoxigraph as ox
import pytest
import rdflib
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kgfuse.errors import UsageError, WorkspaceError
from kgfuse.graph import provenance_terms as prov
from kgfuse.graph.export import export
from kgfuse.graph.provenance import replace_provenance
from kgfuse.graph.provenance_lines import fact_lines
from kgfuse.graph.store import GraphStore
from kgfuse.terms.mentions import Fact, Mention, TextSpan, Value
from kgfuse.terms.namespaces import GRAPH_PREDICTED, source_iri

DATA = """
@prefix ex: <https://example.org/> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
ex:owl ex:eats ex:mouse ; rdfs:label "Eule"@de , "owl \\u0001 \\U0001f989" ; ex:weight 2.5 ; ex:size [ ex:unit ex:m ] .
"""


@pytest.fixture
def store() -> GraphStore:
    store = GraphStore(prefixes={"ex": "https://example.org/"})
    triples = list(ox.parse(DATA, ox.RdfFormat.TURTLE))
    store.replace_graph(source_iri("a"), triples)
    store.replace_graph(source_iri("b"), triples[:1])
    store.replace_graph(GRAPH_PREDICTED, triples[1:2])
    return store


@pytest.mark.parametrize("name", ["g.nq", "g.trig", "g.jsonld"])
def test_a_dataset_survives_the_way_out_and_back(store, tmp_path, name):
    back = GraphStore()
    back.add_quads(ox.parse(path=export(store, tmp_path / name)))
    assert back.canonical_hash() == store.canonical_hash()


@pytest.mark.parametrize("name", ["g.ttl", "g.nt"])
def test_what_holds_survives_as_one_graph(store, tmp_path, name):
    back = GraphStore()
    back.replace_graph(source_iri("x"), ox.parse(path=export(store, tmp_path / name)))
    holding = GraphStore()
    holding.replace_graph(source_iri("x"), store.quads())
    assert back.canonical_hash() == holding.canonical_hash()


def test_rdfxml_survives_where_xml_can_say_it(store, tmp_path):
    path = export(store, tmp_path / "g.rdf", graphs=[source_iri("b")])
    assert [t.triple for t in ox.parse(path=path)] == [q.triple for q in store.quads(graph=source_iri("b"))]


def test_turtle_has_the_prefixes(store, tmp_path):
    assert "ex:owl ex:eats ex:mouse" in export(store, tmp_path / "g.ttl", graphs=[source_iri("b")]).read_text()


def test_chosen_graphs_keep_their_names(store, tmp_path):
    quads = list(ox.parse(path=export(store, tmp_path / "g.nq", graphs=[source_iri("b")])))
    assert [q.graph_name.value for q in quads] == [source_iri("b")]


def test_graphml_opens_in_networkx(store, tmp_path):
    graph = networkx.read_graphml(export(store, tmp_path / "g.graphml"), force_multigraph=True)
    (edge,) = graph.get_edge_data("https://example.org/owl", "https://example.org/mouse").values()
    assert edge["label"] == "eats"
    assert set(edge["sources"].split()) == {source_iri("a"), source_iri("b")}
    assert graph.nodes["https://example.org/owl"]["ex:weight"] == "2.5"


def test_an_old_file_is_replaced_only_by_a_whole_one(store, tmp_path, monkeypatch):
    path = export(store, tmp_path / "g.nq")
    before = path.read_bytes()

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ox, "serialize", fail)
    with pytest.raises(WorkspaceError, match="No space left"):
        export(store, path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_an_unknown_format_or_graph_is_told(store, tmp_path):
    with pytest.raises(UsageError, match=r"\.ttl, \.trig"):
        export(store, tmp_path / "g.docx")
    with pytest.raises(UsageError, match="one of turtle"):
        export(store, tmp_path / "g", "docx")
    with pytest.raises(UsageError, match="no graph"):
        export(store, tmp_path / "g.ttl", graphs=["https://example.org/none"])
    with pytest.raises(WorkspaceError, match="cannot be written"):
        export(store, tmp_path / "nowhere" / "g.ttl")


def test_rdf_12_says_what_a_statement_is_about_in_one_triple_term(store, tmp_path):
    mention = Mention(source_iri("a"), TextSpan(0, 3, "owl"), "owl", "text.lexicon")
    value = Value('Eule \n"\U0001f989', language="de")
    owl, name = "https://example.org/owl", "https://example.org/name"
    fact = Fact(owl, name, value, source_iri("a"), (mention,), "text.pattern", 0.5, "a pattern", "urn:x:run")
    replace_provenance(store, source_iri("a"), fact_lines([fact]))
    plain = set(store.raw)
    path = export(store, tmp_path / "all.nq", rdf12=True)
    back = set()
    reified = 0
    for quad in ox.parse(path=path, format=ox.RdfFormat.N_QUADS):
        if quad.predicate.value.endswith("#reifies"):
            reified += 1
            for part, term in zip((prov.SUBJECT, prov.PREDICATE, prov.OBJECT), quad.object, strict=True):
                back.add(ox.Quad(quad.subject, part, term, quad.graph_name))
        else:
            back.add(quad)
    assert back == plain
    assert reified == sum(q.predicate == prov.SUBJECT for q in plain)
    assert reified
    with pytest.raises(UsageError, match="no triple terms"):
        export(store, tmp_path / "all.jsonld", rdf12=True)


def holding(triples: list[ox.Triple]) -> GraphStore:
    store = GraphStore()
    store.replace_graph(source_iri("x"), triples)
    return store


IRIS = st.builds(
    lambda start, parts: ox.NamedNode(start + "".join(parts)),
    st.sampled_from(["https://example.org/ns#", "https://example.org/a/b/", "urn:x:"]),
    st.lists(st.sampled_from([*"aZ9-._~()'!*@:;=é狐🦊", "%20", "o\u0308", "\u05d0"]), max_size=5),
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
LITERALS = st.one_of(
    TEXT.map(ox.Literal),
    st.builds(lambda t, tag: ox.Literal(t, language=tag), TEXT, st.sampled_from(["de", "zh-hant-tw", "ar", "x-own"])),
    st.builds(lambda t: ox.Literal(t, datatype=ox.NamedNode("https://example.org/odd")), TEXT),
)
TRIPLES = st.lists(st.builds(ox.Triple, IRIS, IRIS, IRIS | LITERALS), min_size=1, max_size=6)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(triples=TRIPLES)
def test_any_script_and_character_survives_in_every_lossless_format(tmp_path, triples):
    store = holding(triples)
    for name in ("g.ttl", "g.nt", "g.nq", "g.trig", "g.jsonld"):
        back = {q.triple for q in ox.parse(path=export(store, tmp_path / name))}
        assert back == {q.triple for q in store.quads()}, name


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(triples=TRIPLES)
def test_rdfxml_is_read_back_by_any_parser_or_refused_whole(tmp_path, triples):
    store, path = holding(triples), tmp_path / "g.rdf"
    path.unlink(missing_ok=True)
    with contextlib.suppress(UsageError):
        export(store, path)
    assert list(tmp_path.iterdir()) in ([], [path])
    if not path.exists():
        return
    assert {q.triple for q in ox.parse(path=path)} == {q.triple for q in store.quads()}
    xml.etree.ElementTree.parse(path)


@pytest.mark.parametrize(
    ("predicate", "value", "said"),
    [
        ("https://example.org/ns#", "x", "does not end in an XML name"),
        ("https://example.org/p(1)", "x", "does not end in an XML name"),
        ("https://example.org/ns#🦊a", "x", "does not end in an XML name"),
        ("https://example.org/p", "bell \u0007", "control characters"),
    ],
)
def test_what_rdfxml_cannot_say_is_told_before_anything_is_written(tmp_path, predicate, value, said):
    store = holding([ox.Triple(ox.NamedNode("urn:x:s"), ox.NamedNode(predicate), ox.Literal(value))])
    with pytest.raises(UsageError, match=said):
        export(store, tmp_path / "g.rdf")
    assert list(tmp_path.iterdir()) == []


def test_line_ends_survive_an_xml_parser(tmp_path):
    store = holding([ox.Triple(ox.NamedNode("urn:x:s"), ox.NamedNode("urn:x:p"), ox.Literal("a\r\nb\rc\n"))])
    (value,) = rdflib.Graph().parse(export(store, tmp_path / "g.rdf"), format="xml").objects()
    assert str(value) == "a\r\nb\rc\n"


@pytest.mark.parametrize("name", ["g.rdf", "g.jsonld"])
def test_a_triple_term_is_told_where_a_format_has_none(tmp_path, name):
    term = ox.Triple(ox.NamedNode("urn:x:s"), ox.NamedNode("urn:x:p"), ox.Literal("x"))
    store = GraphStore()
    store.add_quads([ox.Quad(ox.NamedNode("urn:x:r"), ox.NamedNode("urn:x:reifies"), term)])
    with pytest.raises(UsageError, match="cannot say a triple term"):
        export(store, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_graphml_takes_any_character(tmp_path):
    odd = "\u0001 \ufffe <&> \U0001f989 e\u0301 \u05e9\u05dc\u05d5\u05dd\r\n"
    store = holding([ox.Triple(ox.NamedNode("urn:x:s"), ox.NamedNode("urn:x:p"), ox.Literal(odd))])
    graph = networkx.read_graphml(export(store, tmp_path / "g.graphml"), force_multigraph=True)
    assert graph.nodes["urn:x:s"]["urn:x:p"].split() == ["<&>", "\U0001f989", "e\u0301", "\u05e9\u05dc\u05d5\u05dd"]
