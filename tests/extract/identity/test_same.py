"""Names that mean one thing become one, names that do not stay apart, and every merge says why."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgfuse.extract.identity.names import Name
from kgfuse.extract.identity.same import Wish
from kgfuse.extract.resolve import Resolution, resolve
from kgfuse.ontology.pack import load_pack
from kgfuse.ontology.vocabulary import Vocabulary
from kgfuse.terms.mentions import Extraction, Mention, Statement, TextSpan, Value
from kgfuse.terms.namespaces import ENTITY, RDF, SKOS, XSD, source_iri

P = "http://example.org/press#"
PRESS = """
@prefix p: <http://example.org/press#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
p:Person a owl:Class ; rdfs:label "person" ; owl:disjointWith p:Place, p:Organisation .
p:Painter a owl:Class ; rdfs:subClassOf p:Person ; rdfs:label "painter" ; owl:disjointWith p:Goalkeeper .
p:Goalkeeper a owl:Class ; rdfs:subClassOf p:Person ; rdfs:label "goalkeeper" .
p:Place a owl:Class ; rdfs:label "place" . p:Organisation a owl:Class ; rdfs:label "organisation" .
p:leads a owl:ObjectProperty ; rdfs:label "leads" . p:knows a owl:ObjectProperty ; rdfs:label "knows" .
p:born a owl:DatatypeProperty , owl:FunctionalProperty ; rdfs:label "born" .
p:bornIn a owl:ObjectProperty , owl:FunctionalProperty ; rdfs:label "born in" .
p:email a owl:DatatypeProperty , owl:InverseFunctionalProperty ; rdfs:label "e-mail" .
"""
PERSON, PLACE, ORG = (P + c for c in ("Person", "Place", "Organisation"))


@pytest.fixture(scope="module")
def press(tmp_path_factory: pytest.TempPathFactory) -> Vocabulary:
    file = Path(tmp_path_factory.mktemp("press"), "press.ttl")
    file.write_text(PRESS, encoding="utf-8")
    return Vocabulary([load_pack(file)])


def text(source: str, *said: tuple[str, str, str | Value]) -> Extraction:
    """Statements of a text; ``Name/Class`` names a mention with its type, ``a`` its class."""
    iri = source_iri(source)

    def mention(written: str) -> Mention:
        label, _, cls = written.partition("/")
        return Mention(iri, TextSpan(0, len(label), label), label, "text.ner", (P + cls,) if cls else (), None, 0.8)

    statements = []
    for subject, prop, value in said:
        who = mention(subject)
        what: Mention | Value | str = value if isinstance(value, Value) else mention(value)
        if prop == "a":
            what = P + str(value)
        statements.append(
            Statement(who, RDF + "type" if prop == "a" else P + prop, what, (who,), "test", 0.8, "it says so", iri)
        )
    return Extraction(iri, "run", (), tuple(statements))


def merges(found: Resolution) -> dict[str, str]:
    return {m.iri.removeprefix(ENTITY): m.into.removeprefix(ENTITY) for m in found.identity.merges}


def test_short_forms_within_a_document(press: Vocabulary) -> None:
    said = [
        ("Lena Costa/Person", "leads", "Acme/Organisation"),
        ("Costa/Person", "knows", "Rui Melo/Person"),
        ("L. Costa/Person", "knows", "Mr Melo/Person"),
    ]
    found = resolve([text("a.txt", *said)], press, {})
    assert merges(found) == {"costa": "lena-costa", "l.-costa": "lena-costa", "mr-melo": "rui-melo"}
    assert set(found.entities) == {ENTITY + n for n in ("lena-costa", "acme", "rui-melo")}
    assert found.entities[ENTITY + "lena-costa"].label == "Lena Costa"


def test_a_merge_is_told_in_the_graph(press: Vocabulary) -> None:
    found = resolve([text("a.txt", ("Lena Costa/Person", "leads", "Acme"), ("Costa", "knows", "Rui"))], press, {})
    (knows,) = (f for f in found.facts if f.predicate == P + "knows")
    why = "“Costa” taken for “lena costa”: surname of the only such person in the document"
    assert (knows.subject, knows.reason) == (ENTITY + "lena-costa", f"it says so; {why}")
    (named,) = (f for f in found.facts if f.predicate == SKOS + "altLabel")
    assert (named.object, named.reason) == (Value("Costa"), why)
    (merge,) = found.identity.merges
    assert (merge.sources, merge.confidence) == ((source_iri("a.txt"),), 0.88)


def test_what_could_be_two_things_is_neither(press: Vocabulary) -> None:
    two = text("a.txt", ("Lena Costa/Person", "knows", "Rui Costa/Person"), ("Costa/Person", "knows", "Eva/Person"))
    assert merges(resolve([two], press, {})) == {}
    places = text("b.txt", ("New York/Place", "knows", "York/Place"))
    assert merges(resolve([places], press, {})) == {}
    other = text("c.txt", ("Costa/Organisation", "knows", "Lena Costa/Person"))
    assert merges(resolve([other], press, {})) == {}


def test_a_surname_means_whom_its_own_document_names(press: Vocabulary) -> None:
    found = resolve(
        [
            text("a.txt", ("Lena Costa/Person", "knows", "Eva"), ("Costa/Person", "leads", "Acme")),
            text("b.txt", ("Rui Costa/Person", "knows", "Eva"), ("Costa/Person", "leads", "Bolt")),
            text("c.txt", ("Costa/Person", "leads", "Crux")),
        ],
        press,
        {},
    )
    leads = {(f.subject.removeprefix(ENTITY), str(f.object)[-4:]) for f in found.facts if f.predicate == P + "leads"}
    assert leads == {("lena-costa", "acme"), ("rui-costa", "bolt"), ("costa", "crux")}


def test_acronyms_and_legal_forms(press: Vocabulary) -> None:
    found = resolve(
        [
            text("a.txt", ("International Business Machines (IBM)/Organisation", "knows", "IBM/Organisation")),
            text("b.txt", ("IBM", "knows", "Acme Corp."), ("International Business Machines", "knows", "Acme")),
        ],
        press,
        {},
    )
    names = merges(found)
    assert names["ibm"] == "international-business-machines"
    assert {names.get("acme", "acme"), names.get("acme-corp", "acme-corp")} in ({"acme"}, {"acme-corp"})
    ibm = [e for e in found.entities.values() if "IBM" in e.label or "International" in e.label]
    assert [e.label for e in ibm] == ["International Business Machines"]


def test_one_name_for_two_people(press: Vocabulary) -> None:
    found = resolve(
        [text("a.txt", ("John Smith", "a", "Painter")), text("b.txt", ("John Smith", "a", "Goalkeeper"))], press, {}
    )
    types = {e.iri.removeprefix(ENTITY): e.types for e in found.entities.values()}
    assert set(types) == {"john-smith", "john-smith--goalkeeper"} or set(types) == {"john-smith", "john-smith--painter"}
    assert not found.rejected
    (apart,) = found.identity.merges
    assert apart.apart
    dates = [Value("1950", XSD + "gYear"), Value("1981-02-01", XSD + "date")]
    found = resolve([text(f"{n}.txt", ("John Smith", "born", d)) for n, d in enumerate(dates)], press, {})
    assert len(found.entities) == 2
    same = [Value("1981", XSD + "gYear"), Value("1981-02-01", XSD + "date")]
    assert (
        len(resolve([text(f"{n}.txt", ("John Smith", "born", d)) for n, d in enumerate(same)], press, {}).entities) == 1
    )


def test_what_only_one_thing_can_have(press: Vocabulary) -> None:
    mail = Value("lc@example.org")
    said = [text("a.txt", ("Lena Costa/Person", "email", mail)), text("b.txt", ("L. M. Costa/Person", "email", mail))]
    assert len(resolve(said, press, {}).entities) == 1
    clash = [text("a.txt", ("Lena Costa/Person", "email", mail)), text("b.txt", ("Acme/Organisation", "email", mail))]
    found = resolve(clash, press, {})
    assert merges(found) == {}
    assert [r.rule for r in found.rejected] == ["functional"]


def test_names_that_only_look_alike(press: Vocabulary) -> None:
    """Brothers and sisters, a company and its town, a given name that is a place, one surname in two documents."""
    apart = [
        [("Martina Costa/Person", "bornIn", "Faro"), ("Martino Costa/Person", "bornIn", "Faro")],
        [("Paris/Place", "knows", "Rui"), ("Paris Group/Organisation", "leads", "Bolt")],
        [("Paris/Organisation", "knows", "Paris Hilton/Person")],
        [("General Electric", "knows", "Electric"), ("Captain America", "knows", "America")],
        [("Apollo 11", "knows", "Rui"), ("Apollo 12", "knows", "Rui")],
    ]
    for said in apart:
        assert merges(resolve([text("a.txt", *said)], press, {})) == {}
    surnames = [text("a.txt", ("Mr Melo/Person", "leads", "Acme")), text("b.txt", ("Melo/Person", "leads", "Bolt"))]
    assert merges(resolve(surnames, press, {})) == {}
    titled = [text("a.txt", ("Dr Rui Melo/Person", "leads", "A")), text("b.txt", ("Rui Melo/Person", "leads", "B"))]
    assert len(merges(resolve(titled, press, {}))) == 1


def test_slips_of_the_pen_need_a_shared_fact(press: Vocabulary) -> None:
    said = [
        text("a.txt", ("Lena Costta/Person", "leads", "Acme")),
        text("b.txt", ("Lena Costa/Person", "leads", "Acme")),
    ]
    assert len(merges(resolve(said, press, {}))) == 1
    said = [
        text("a.txt", ("Lena Costta/Person", "leads", "Acme")),
        text("b.txt", ("Lena Costa/Person", "leads", "Bolt")),
    ]
    assert merges(resolve(said, press, {})) == {}
    born = [
        text("a.txt", ("L. Costa/Person", "leads", "Acme"), ("L. Costa/Person", "bornIn", "Faro")),
        text("b.txt", ("Lena Costa/Person", "leads", "Acme"), ("Lena Costa/Person", "bornIn", "Porto")),
    ]
    assert merges(resolve(born, press, {})) == {}


def test_a_person_splits_and_merges(press: Vocabulary) -> None:
    said = [text("a.txt", ("Lena Costa/Person", "leads", "Acme"), ("Costa/Person", "knows", "Rui"))]
    apart = Wish(ENTITY + "costa", ENTITY + "lena-costa", same=False, by="Ada")
    assert merges(resolve(said, press, {}, wishes=[apart])) == {}
    one = Wish(ENTITY + "rui", ENTITY + "acme", same=True, by="Ada")
    found = resolve(said, press, {}, wishes=[apart, one])
    assert merges(found) == {"rui": "acme"}
    assert found.identity.merges[0].reason == "Ada says so"
    known = Wish(ENTITY + "rui", "http://www.wikidata.org/entity/Q42", same=True, by="Ada")
    found = resolve(said, press, {}, wishes=[known])
    assert any(f.object == "http://www.wikidata.org/entity/Q42" for f in found.facts)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_the_order_of_sources_does_not_matter(press: Vocabulary, data: st.DataObject) -> None:
    names = st.sampled_from(
        (
            "Lena Costa/Person",
            "Costa/Person",
            "L. Costa",
            "Rui Costa/Person",
            "IBM",
            "Acme/Organisation",
            "Acme Inc/Place",
        )
    )
    said = data.draw(
        st.lists(
            st.lists(st.tuples(names, st.sampled_from(("knows", "leads")), names), min_size=1, max_size=4), max_size=4
        )
    )
    texts = [text(f"{n}.txt", *s) for n, s in enumerate(said)]
    found = resolve(texts, press, {})
    assert resolve(data.draw(st.permutations(texts)), press, {}) == found
    for entity in found.entities.values():
        assert not any(press.are_disjoint(a, b) for a in entity.types for b in entity.types)


def test_names_are_folded() -> None:
    assert Name("Dr. José Núñez").words == ("jose", "nunez")
    assert Name("U.S.A.").short == "usa"
    assert "who" in Name("World Health Organization").acronyms
