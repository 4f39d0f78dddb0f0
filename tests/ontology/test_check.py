"""What `kgfuse ontologies check` says: file, line, fault, remedy; and `new` makes what passes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from kgfuse.errors import PackError, UsageError
from kgfuse.ontology import Vocabulary, load_all, load_pack
from kgfuse.ontology.check import Finding, check
from kgfuse.ontology.scaffold import new
from kgfuse.ontology.shipped import field_guide, general, retail


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    return new("zoo", tmp_path / "zoo")


def only(findings: list[Finding]) -> Finding:
    assert len(findings) == 1, "\n".join(map(str, findings))
    return findings[0]


def append(file: Path, text: str) -> int:
    """Add lines at the end; returns the number of the first one."""
    before = file.read_text(encoding="utf-8")
    file.write_text(before + text, encoding="utf-8")
    return before.count("\n") + 1


@pytest.mark.parametrize("folder", [general(), retail(), field_guide()], ids=lambda f: f.name)
def test_the_shipped_packs_have_no_fault(folder: Path) -> None:
    assert [str(f) for f in check(folder) if f.severity == "error"] == []


def test_a_new_pack_passes_and_works_at_once(tmp_path: Path) -> None:
    folder = new("smart-home", tmp_path / "packs" / "smart-home")
    assert check(folder) == []
    vocabulary = Vocabulary(load_all([str(folder)]))
    (term,) = vocabulary.find("kitchen")
    assert vocabulary.shrink(term.types[0]) == "smarthome:Room"


@pytest.mark.parametrize("name", ["../up", "a b", "", ".hidden", "général"])
def test_a_name_that_is_none_makes_nothing(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError):
        new(name, tmp_path / "made")
    assert list(tmp_path.iterdir()) == []


def test_new_overwrites_nothing(tmp_path: Path, pack: Path) -> None:
    with pytest.raises(UsageError):
        new("zoo", pack)
    (tmp_path / "file").write_text("mine")
    with pytest.raises((UsageError, PackError)):
        new("zoo", tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"


def test_a_folder_without_settings(tmp_path: Path) -> None:
    assert "no pack.toml" in only(check(tmp_path)).message
    assert "no such ontology" in only(check(tmp_path / "nowhere")).message


def test_settings_that_do_not_parse_name_the_line(pack: Path) -> None:
    line = append(pack / "pack.toml", "this is = not toml\n")
    found = only(check(pack))
    assert (found.severity, found.file, found.line) == ("error", pack / "pack.toml", line)


@pytest.mark.parametrize("key", ["name", "version", "description", "licence"])
def test_a_missing_key(pack: Path, key: str) -> None:
    settings = (pack / "pack.toml").read_text()
    (pack / "pack.toml").write_text(settings.replace(f"{key} = ", f"{key}x = "))
    found = only(check(pack))
    assert key in found.message
    assert found.remedy


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("ontology.ttl", "zoo:Lion a owl:Class ;;; oops\n", "not valid Turtle"),
        ("shapes.ttl", "zoo:Broken a sh:NodeShape\nsh:x\n", "not valid Turtle"),
        ("patterns.jsonl", "{not json}\n", "not valid JSON"),
        ("examples.jsonl", "[1]\n", "must be a JSON object"),
        ("visual.toml", '"toaster = 3\n', "not valid TOML"),
        ("rules.rq", "PREFIX FROM WHERE {\n", "SPARQL"),
    ],
)
def test_a_file_that_does_not_parse_is_named_with_its_line(pack: Path, file: str, text: str, words: str) -> None:
    line = append(pack / file, text)
    found = only(check(pack))
    assert words in found.message
    assert found.file == pack / file
    assert found.line >= line


def test_all_broken_files_are_told_at_once(pack: Path) -> None:
    append(pack / "ontology.ttl", "oops\n")
    append(pack / "shapes.ttl", "oops\n")
    append(pack / "patterns.jsonl", "oops\n")
    assert {f.file.name for f in check(pack)} == {"ontology.ttl", "shapes.ttl", "patterns.jsonl"}


def test_an_import_that_is_not_there(pack: Path) -> None:
    settings = (pack / "pack.toml").read_text().replace('["general"]', '["general", "nowhere"]')
    (pack / "pack.toml").write_text(settings)
    assert "'nowhere'" in only(check(pack)).message


def test_an_entry_class_that_does_not_exist(pack: Path) -> None:
    settings = (pack / "pack.toml").read_text().replace('["zoo:Thing"]', '["zoo:Nothing"]')
    (pack / "pack.toml").write_text(settings)
    found = only(check(pack))
    assert "zoo:Nothing does not exist" in found.message
    assert found.line == 6


NODE = '{"RIGHT_ID": "v", "RIGHT_ATTRS": {"POS": "VERB"}}'


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"property": "zoo:standIn", "pattern": [%s], "object": "v"}', "zoo:standIn does not exist"),
        ('{"property": "nope:p", "pattern": [%s], "object": "v"}', "no known prefix"),
        ('{"property": "zoo:controls", "pattern": [%s], "object": "w"}', "'w' is no RIGHT_ID"),
        ('{"property": "zoo:controls", "pattern": [%s], "subject": "s", "object": "v"}', "'s' is no RIGHT_ID"),
        ('{"property": "zoo:controls", "pattern": [%s, {"RIGHT_ID": "w"}], "object": "v"}', "token 2"),
        ('{"property": "zoo:controls", "tokens": [{"POS": "VERB"}], "object": 1}', "1 is no place"),
        ('{"property": "zoo:controls", "object": "v"}', "either 'pattern' or 'tokens'"),
        ('{"property": "zoo:controls", "pattern": [%s], "object": "v", "confidence": 2}', "confidence 2"),
    ],
)
def test_a_pattern_that_is_off(pack: Path, line: str, words: str) -> None:
    number = append(pack / "patterns.jsonl", line.replace("%s", NODE) + "\n")
    found = only(check(pack))
    assert words in found.message
    assert (found.file.name, found.line) == ("patterns.jsonl", number)


@pytest.mark.parametrize(
    ("triple", "words"),
    [
        ('{"subject": "lamp", "property": "zoo:hangsIn", "object": "hall"}', "zoo:hangsIn does not exist"),
        ('{"subject": "lamp", "property": "zoo:standsIn", "object": "cellar"}', "'cellar' does not stand"),
        ('{"subject": "lamp", "property": "zoo:standsIn", "object": "hall", "object_span": [0, 4]}', "object_span"),
    ],
)
def test_an_example_that_is_off(pack: Path, triple: str, words: str) -> None:
    number = append(pack / "examples.jsonl", f'{{"text": "The lamp is in the hall.", "triples": [{triple}]}}\n')
    found = only(check(pack))
    assert words in found.message
    assert found.line == number


def test_picture_tags_that_no_detector_has_and_classes_that_no_ontology_has(pack: Path) -> None:
    line = append(pack / "visual.toml", '"granny smith" = "zoo:Device"\n"banana" = "zoo:Banana"\n')
    unknown_tag, unknown_class = check(pack)
    assert "'granny smith'" in unknown_tag.message
    assert "Granny Smith" in unknown_tag.remedy
    assert unknown_tag.line == line
    assert "zoo:Banana does not exist" in unknown_class.message
    assert unknown_class.line == line + 1


@pytest.mark.parametrize(
    ("turtle", "severity", "words"),
    [
        ("zoo:cleans a owl:ObjectProperty .", "warning", "zoo:cleans has no label"),
        (
            'zoo:p a owl:ObjectProperty ; rdfs:label "p" ; rdfs:range zoo:Nowhere .',
            "warning",
            "the range of zoo:p, zoo:Nowhere, is not declared",
        ),
        (
            'zoo:p a owl:ObjectProperty ; rdfs:label "p" ; rdfs:domain zoo:Device, zoo:Room .',
            "warning",
            "several rdfs:domain",
        ),
        ('zoo:Twin a owl:Class ; rdfs:label "Room"@en .', "warning", "zoo:Twin has the label 'Room' of zoo:Room"),
        (
            'zoo:A a owl:Class ; rdfs:label "a" ; rdfs:subClassOf zoo:B .\n'
            'zoo:B a owl:Class ; rdfs:label "b" ; rdfs:subClassOf zoo:A .',
            "error",
            "zoo:A is below itself",
        ),
        ("<http://zoo/> a owl:Ontology ; owl:imports <http://far/away> .", "warning", "is not followed"),
    ],
)
def test_an_ontology_that_is_doubtful(pack: Path, turtle: str, severity: str, words: str) -> None:
    line = append(pack / "ontology.ttl", turtle + "\n")
    found = only(check(pack))
    assert (found.severity, found.line) == (severity, line)
    assert words in found.message
    assert found.remedy


def test_a_shape_that_is_none(pack: Path) -> None:
    append(pack / "shapes.ttl", "zoo:Odd a sh:NodeShape ; sh:targetClass zoo:Room ; sh:property [ sh:minCount 1 ] .\n")
    found = only(check(pack))
    assert found.file.name == "shapes.ttl"
    assert "SHACL" in found.message


def test_a_bare_file_is_checked_too(tmp_path: Path) -> None:
    file = tmp_path / "x.ttl"
    file.write_text("@prefix x: <http://x/> .\nx:A a x:B .\nx:C x:d\n")
    assert only(check(file)).line >= 3


def test_a_finding_reads_as_one_line(pack: Path) -> None:
    line = append(pack / "ontology.ttl", "zoo:cleans a owl:ObjectProperty .\n")
    text = str(only(check(load_pack(pack))))
    assert text.startswith(f"{pack / 'ontology.ttl'}:{line}: warning: ")
