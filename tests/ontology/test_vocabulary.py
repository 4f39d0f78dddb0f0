"""The merged view of packs: hierarchy, disjointness, properties, lexicon, names."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgfuse.errors import PackError, UsageError
from kgfuse.ontology import Vocabulary, load_all, load_pack
from kgfuse.ontology.scaffold import new
from kgfuse.terms.namespaces import label_key

EX = "http://example.org/x#"
PREFIXES = """\
@prefix x: <http://example.org/x#> .
@prefix kgf: <https://w3id.org/kgfuse#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix schema: <https://schema.org/> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""


def vocabulary(folder: Path, turtle: str) -> Vocabulary:
    file = folder / "x.ttl"
    file.write_text(PREFIXES + turtle, encoding="utf-8")
    return Vocabulary([load_pack(file)])


@pytest.fixture(scope="module")
def shipped() -> Vocabulary:
    return Vocabulary(load_all(["retail"]))


def test_hierarchy_is_reflexive_transitive_and_survives_cycles(tmp_path: Path) -> None:
    v = vocabulary(tmp_path, "x:A rdfs:subClassOf x:B . x:B rdfs:subClassOf x:C . x:C rdfs:subClassOf x:B .")
    assert v.ancestors(EX + "A") == {EX + "A", EX + "B", EX + "C"}
    assert v.ancestors(EX + "C") == {EX + "B", EX + "C"}
    assert v.descendants(EX + "C") == {EX + "A", EX + "B", EX + "C"}
    assert v.ancestors(EX + "unheard") == {EX + "unheard"}


def test_equivalent_and_intersection_classes_stand_above(tmp_path: Path) -> None:
    v = vocabulary(
        tmp_path,
        """x:A owl:equivalentClass x:B . x:B a owl:Class .
        x:Red a owl:Class . x:Car a owl:Class .
        x:RedCar owl:equivalentClass [ owl:intersectionOf ( x:Red x:Car [ a owl:Restriction ] ) ] ; a owl:Class .""",
    )
    assert EX + "B" in v.ancestors(EX + "A")
    assert EX + "A" in v.ancestors(EX + "B")
    assert v.ancestors(EX + "RedCar") == {EX + "RedCar", EX + "Red", EX + "Car"}


@pytest.mark.parametrize(
    "axiom",
    [
        "x:Plant owl:disjointWith x:Animal .",
        "[] a owl:AllDisjointClasses ; owl:members ( x:Rock x:Animal x:Plant ) .",
        "x:Living owl:disjointUnionOf ( x:Animal x:Plant ) .",
    ],
)
def test_disjointness_is_symmetric_and_inherited(tmp_path: Path, axiom: str) -> None:
    v = vocabulary(tmp_path, axiom + " x:Cat rdfs:subClassOf x:Animal . x:Rose rdfs:subClassOf x:Plant .")
    assert v.are_disjoint(EX + "Cat", EX + "Rose")
    assert v.are_disjoint(EX + "Rose", EX + "Cat")
    assert not v.are_disjoint(EX + "Cat", EX + "Animal")


def test_domains_and_ranges_in_every_way_they_are_written(tmp_path: Path) -> None:
    v = vocabulary(
        tmp_path,
        """x:p a owl:ObjectProperty ; rdfs:domain [ owl:unionOf ( x:A x:B ) ] ; rdfs:range owl:Thing .
        x:q rdfs:subPropertyOf x:p ; a owl:ObjectProperty .
        x:inv owl:inverseOf x:p ; a owl:ObjectProperty .
        x:s a rdf:Property ; schema:domainIncludes x:A, x:B ; schema:rangeIncludes schema:Text .
        x:n a rdf:Property ; rdfs:range xsd:integer .
        x:m a owl:FunctionalProperty, owl:DatatypeProperty ;
            rdfs:range [ a rdfs:Datatype ; owl:onDatatype xsd:decimal ] .""",
    )
    both = (EX + "A", EX + "B")
    p = v.properties
    assert (p[EX + "p"].domain, p[EX + "p"].range, p[EX + "p"].kind) == (both, (), "object")
    assert p[EX + "q"].domain == both
    assert p[EX + "q"].parents == (EX + "p",)
    assert p[EX + "inv"].range == both
    assert (p[EX + "s"].domain, p[EX + "s"].kind) == (both, "data")
    assert p[EX + "n"].kind == "data"
    assert (p[EX + "m"].range, p[EX + "m"].functional) == (("http://www.w3.org/2001/XMLSchema#decimal",), True)
    assert v.subproperties(EX + "p") == {EX + "p", EX + "q"}


def test_triggers_are_label_synonyms_and_trigger_phrases(tmp_path: Path) -> None:
    v = vocabulary(
        tmp_path,
        """x:eats a owl:ObjectProperty ; rdfs:label "eats"@en, "frisst"@de ; skos:altLabel "feeds on" ;
        kgf:trigger "preys on"@en ; kgf:mentionSuffices true ; kgf:revealsLabel "true" ; skos:definition "Its food." .
        x:hasPart a owl:ObjectProperty .
        x:near a owl:ObjectProperty ; kgf:notInLexicon true .""",
    )
    assert v.properties[EX + "near"].triggers == ()
    eats = v.properties[EX + "eats"]
    assert set(eats.triggers) == {"eats", "feeds on", "preys on"}
    assert (eats.label, eats.definition, eats.mention_suffices, eats.reveals_label) == ("eats", "Its food.", True, True)
    assert v.properties[EX + "hasPart"].label == "has part"


def test_the_lexicon_holds_classes_individuals_and_concepts_but_no_codes(tmp_path: Path) -> None:
    v = vocabulary(
        tmp_path,
        """x:SourMilk a owl:Class . x:GO_0008150 a owl:Class . x:Quiet a owl:Class ; kgf:notInLexicon true .
        x:red a x:Colour ; skos:prefLabel "red"@en, "rot"@de ; skos:hiddenLabel "crimson" ; kgf:srgb "#ff0000" .
        x:Colour a owl:Class . x:salad a skos:Concept ; skos:prefLabel "salad"@en .
        x:Nur a owl:Class ; rdfs:label "nur deutsch"@de . x:sub rdfs:subClassOf <http://elsewhere.org/Thing> .""",
    )
    assert v.find("sour  MILK")[0].kind == "class"
    (red,) = v.find("Crimson")
    assert (red.iri, red.kind, red.srgb, red.types) == (EX + "red", "individual", "#ff0000", (EX + "Colour",))
    assert v.find("salad")
    assert v.find("nur deutsch")
    for absent in ("GO_0008150", "quiet", "rot", "thing", ""):
        assert v.find(absent) == []


def test_names_expand_and_shrink(shipped: Vocabulary) -> None:
    iri = "https://w3id.org/kgfuse/retail#Apple"
    assert shipped.expand("retail:Apple") == shipped.expand(f"<{iri}>") == shipped.expand(iri) == iri
    assert shipped.shrink(iri) == "retail:Apple"
    assert shipped.shrink("https://nowhere.example/a b") == "https://nowhere.example/a b"
    with pytest.raises(UsageError, match="'nope'"):
        shipped.expand("nope:Apple")
    with pytest.raises(UsageError, match="no known prefix"):
        shipped.expand("Apple")


def test_every_iri_of_the_vocabulary_shrinks_to_what_expands_to_it(shipped: Vocabulary) -> None:
    for iri in (*shipped.classes, *shipped.properties, *shipped.terms):
        assert shipped.expand(shipped.shrink(iri)) == iri


@given(data=st.data())
def test_find_ignores_case_spaces_hyphens_and_edge_punctuation(shipped: Vocabulary, data: st.DataObject) -> None:
    term = data.draw(st.sampled_from(sorted(shipped.terms.values(), key=lambda t: t.iri)))
    name = data.draw(st.sampled_from(term.names))
    written = data.draw(st.sampled_from(["{}", "  {} ", '"{}"', "({}),"])).format(name)
    written = written.replace(" ", data.draw(st.sampled_from([" ", "  ", "-", "_", "\n"])))
    written = data.draw(st.sampled_from([str.upper, str.lower, str.title, str]))(written)
    assert term in shipped.find(written)


@given(st.text(max_size=40))
def test_label_keys_are_stable_and_find_never_fails(shipped: Vocabulary, label: str) -> None:
    assert label_key(label) == label_key(f" {label}  ")
    assert all(label_key(label) in {label_key(n) for n in t.names} for t in shipped.find(label))


def test_entity_labels_lead_to_classes(shipped: Vocabulary) -> None:
    assert shipped.shrink(shipped.ner_classes["GPE"]) == "gen:Region"
    assert shipped.shrink(shipped.ner_classes["PERSON"]) == "gen:Person"


def test_one_prefix_for_two_namespaces_names_both_packs(tmp_path: Path) -> None:
    one, two = new("one", tmp_path / "one"), new("two", tmp_path / "two")
    for folder, namespace in ((one, "http://a/"), (two, "http://b/")):
        settings = (folder / "pack.toml").read_text() + f'clash = "{namespace}"\n'
        (folder / "pack.toml").write_text(settings)
    with pytest.raises(PackError, match=r"'one'.*'two'"):
        Vocabulary([load_pack(one), load_pack(two)])


def test_a_lexicon_of_20_000_terms_is_a_dictionary(tmp_path: Path) -> None:
    lines = "".join(f'x:c{n}x a owl:Class ; rdfs:label "term number {n}" .\n' for n in range(20_000))
    v = vocabulary(tmp_path, lines)
    assert len(v.terms) == 20_000
    assert [t.iri for t in v.find("Term-Number 17777")] == [EX + "c17777x"]
