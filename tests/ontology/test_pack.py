"""A pack is a folder with pack.toml, or one bare ontology file."""

from __future__ import annotations

from pathlib import Path

import pytest

from kgfuse.errors import PackError
from kgfuse.ontology import Vocabulary, load_pack
from kgfuse.ontology.scaffold import new

ZOO = "http://example.org/zoo#"
TURTLE = """\
@prefix : <http://example.org/zoo#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
:Animal a owl:Class ; rdfs:label "animal" .
:Cat a owl:Class ; rdfs:subClassOf :Animal ; rdfs:label "cat"@en, "Katze"@de .
:eats a owl:ObjectProperty ; rdfs:domain [ owl:unionOf ( :Cat :Animal ) ] .
"""
RDF_XML = """\
<?xml version="1.0"?>
<!DOCTYPE rdf:RDF [
  <!ENTITY zoo "http://example.org/zoo#">
]>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:owl="http://www.w3.org/2002/07/owl#"
         xmlns:rdfs="http://www.w3.org/2000/01/rdf-schema#">
  <owl:Class rdf:about="&zoo;Animal"><rdfs:label>animal</rdfs:label></owl:Class>
  <owl:Class rdf:about="&zoo;Cat"><rdfs:subClassOf rdf:resource="&zoo;Animal"/></owl:Class>
</rdf:RDF>
"""
NTRIPLES = (
    f"<{ZOO}Animal> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <http://www.w3.org/2000/01/rdf-schema#Class> .\n"
    f"<{ZOO}Cat> <http://www.w3.org/2000/01/rdf-schema#subClassOf> <{ZOO}Animal> .\n"
)
JSON_LD = f"""{{"@context": {{"rdfs": "http://www.w3.org/2000/01/rdf-schema#"}}, "@graph": [
  {{"@id": "{ZOO}Animal", "@type": "rdfs:Class", "rdfs:label": "animal"}},
  {{"@id": "{ZOO}Cat", "@type": "rdfs:Class", "rdfs:subClassOf": {{"@id": "{ZOO}Animal"}}}}]}}
"""


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("zoo.ttl", TURTLE),
        ("zoo.owl", TURTLE),
        ("zoo.owl", RDF_XML),
        ("zoo.rdf", RDF_XML),
        ("zoo.nt", NTRIPLES),
        ("zoo.jsonld", JSON_LD),
    ],
)
def test_a_bare_file_is_a_pack_named_after_it(tmp_path: Path, name: str, text: str) -> None:
    pack = load_pack(write(tmp_path / name, text))
    vocabulary = Vocabulary([pack])
    assert (pack.name, pack.folder, pack.shapes, pack.patterns, pack.visual) == ("zoo", None, None, [], None)
    assert pack.entry_classes == (ZOO + "Animal",)
    assert vocabulary.ancestors(ZOO + "Cat") == {ZOO + "Cat", ZOO + "Animal"}
    assert [t.iri for t in vocabulary.find("Cat")] == [ZOO + "Cat"]


@pytest.mark.parametrize(("name", "text"), [("zoo.ttl", TURTLE), ("zoo.rdf", RDF_XML), ("zoo.nt", NTRIPLES)])
def test_the_namespace_of_a_bare_file_goes_by_the_files_name(tmp_path: Path, name: str, text: str) -> None:
    vocabulary = Vocabulary([load_pack(write(tmp_path / name, text))])
    assert vocabulary.expand("zoo:Cat") == ZOO + "Cat"
    assert vocabulary.shrink(ZOO + "Cat") == "zoo:Cat"


def test_rdf_xml_never_reads_another_file(tmp_path: Path) -> None:
    secret = write(tmp_path / "secret.txt", "do not tell")
    evil = RDF_XML.replace("<!ENTITY zoo", f'<!ENTITY leak SYSTEM "{secret.as_uri()}">\n  <!ENTITY zoo').replace(
        "<rdfs:label>animal", "<rdfs:label>&leak;"
    )
    pack = load_pack(write(tmp_path / "evil.rdf", evil))
    with pytest.raises(PackError) as caught:
        _ = pack.triples
    assert "do not tell" not in caught.value.message


def test_blank_nodes_are_named_the_same_on_every_read(tmp_path: Path) -> None:
    file = write(tmp_path / "zoo.ttl", TURTLE)
    assert load_pack(file).triples == load_pack(file).triples
    assert load_pack(file).sha256 == load_pack(file).sha256


def test_the_hash_covers_what_the_machine_reads_and_not_the_readme(tmp_path: Path) -> None:
    folder = new("zoo", tmp_path / "zoo")
    before = load_pack(folder).sha256
    write(folder / "README.md", "other words")
    assert load_pack(folder).sha256 == before
    write(folder / "rules.rq", "CONSTRUCT { ?a ?b ?c } WHERE { ?a ?b ?c }")
    assert load_pack(folder).sha256 != before


def test_an_ontology_may_be_several_files(tmp_path: Path) -> None:
    folder = new("zoo", tmp_path / "zoo")
    settings = (folder / "pack.toml").read_text()
    write(folder / "pack.toml", 'ontology = ["ontology.ttl", "more.nt"]\n' + settings)
    write(folder / "more.nt", NTRIPLES)
    assert ZOO + "Cat" in Vocabulary([load_pack(folder)]).classes


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ('ontology = "../secret.ttl"', "outside the pack"),
        ('ontology = "none.ttl"', "not there"),
        ("imports = 3", "must be a list"),
    ],
)
def test_a_setting_that_is_off_is_told_with_its_file(tmp_path: Path, line: str, what: str) -> None:
    folder = new("zoo", tmp_path / "zoo")
    write(tmp_path / "secret.ttl", TURTLE)
    settings = (folder / "pack.toml").read_text().replace('imports = ["general"]\n', "")
    write(folder / "pack.toml", line + "\n" + settings)
    with pytest.raises(PackError, match=what) as caught:
        load_pack(folder)
    assert caught.value.where == str(folder / "pack.toml")


def test_a_turtle_fault_names_file_and_line(tmp_path: Path) -> None:
    file = write(tmp_path / "zoo.ttl", TURTLE + ":Dog a owl:Class ;;; nonsense\n")
    with pytest.raises(PackError) as caught:
        _ = load_pack(file).triples
    assert caught.value.where == f"{file}:7"


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("a.txt", "hello", "not an ontology format"),
        ("a.owl", '<?xml version="1.0"?>\n<Ontology xmlns="http://www.w3.org/2002/07/owl#"/>', "OWL/XML"),
        ("a.owl", "Prefix(:=<http://x/>)\nOntology(<http://x/>)", "functional"),
        ("a.ttl", "", None),
    ],
)
def test_what_cannot_be_read_says_so(tmp_path: Path, name: str, text: str, what: str | None) -> None:
    file = write(tmp_path / name, text)
    if what is None:
        assert load_pack(file).triples == ()
        return
    with pytest.raises(PackError, match=what):
        _ = load_pack(file).triples


def test_shapes_patterns_examples_and_tags_come_with_the_folder(tmp_path: Path) -> None:
    pack = load_pack(new("smart-home", tmp_path / "home"))
    assert pack.shapes is not None
    assert len(pack.shapes) > 3
    assert pack.rules is not None
    assert "CONSTRUCT" in pack.rules
    assert pack.patterns[0]["object"] == "room"
    assert pack.examples[0]["triples"]
    assert pack.visual is not None
    assert pack.visual.imagenet["toaster"] == "https://example.org/smart-home#Device"
