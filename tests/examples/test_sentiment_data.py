"""The data part of the sentiment example: reading, splitting, manifest and pack."""

import io
import json
import tarfile
from pathlib import Path

import pytest

from examples import sentiment_data as data
from kgfuse.errors import SourceError
from kgfuse.ontology.pack import load_pack
from kgfuse.ontology.vocabulary import Vocabulary

RATINGS = (
    "1_1\t2.5\tI love this camera &amp; its lens.\r\n"
    "1_2\t-1.8\tThe battery is awful.\n"
    "1_3\t0.1\tIt has a lens cap.\n"
    "2_1\t-0.5\tThe menu is a mess.\n"
)


def write_csv(folder: Path, text: str) -> Path:
    path = folder / "reviews.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_ratings_become_labels_and_sentences_near_zero_are_left_out() -> None:
    examples = list(data.parse_ratings(RATINGS, "amazon"))
    assert [(e.id, e.label, e.group) for e in examples] == [
        ("amazon/1_1", "positive", "amazon/1"),
        ("amazon/1_2", "negative", "amazon/1"),
        ("amazon/2_1", "negative", "amazon/2"),
    ]
    assert examples[0].text == "I love this camera & its lens."


def test_sentences_of_one_review_share_a_split() -> None:
    text = "\n".join(f"{review}_{i}\t2\tsentence {i} of {review}" for review in range(200) for i in range(3))
    examples = list(data.parse_ratings(text, "amazon"))
    by_group = {g: {e.split for e in examples if e.group == g} for g in {e.group for e in examples}}
    assert all(len(splits) == 1 for splits in by_group.values())
    assert {s for splits in by_group.values() for s in splits} == {"train", "validation", "test"}


def test_split_does_not_depend_on_what_else_is_in_the_set() -> None:
    first, *rest = data.parse_ratings(RATINGS, "amazon")
    alone = next(iter(data.parse_ratings(RATINGS.splitlines()[0], "amazon")))
    assert alone.split == first.split
    assert rest


def test_a_text_counts_once_and_not_at_all_when_labels_disagree(tmp_path: Path) -> None:
    path = write_csv(tmp_path, "text,label\nGood stuff,pos\ngood  STUFF,1\nFine,positive\nfine,negative\n")
    assert [(e.text, e.label) for e in data.read_csv(path)] == [("Good stuff", "positive")]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("text,stars\nGood,5\n", "no column label"),
        ("text,label\nGood,positive\nWell,so-so\n", ":3: label 'so-so' is neither positive nor negative"),
    ],
)
def test_a_csv_that_does_not_fit_is_refused_with_its_place(tmp_path: Path, content: str, complaint: str) -> None:
    with pytest.raises(SourceError, match=complaint):
        data.read_csv(write_csv(tmp_path, content))


def test_an_archive_that_is_another_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "vaderSentiment-3.3.2.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        tar.addfile(tarfile.TarInfo("nothing"), io.BytesIO())
    with pytest.raises(SourceError, match="not the source distribution"):
        data.read_archive(path, "amazon")
    with pytest.raises(SourceError, match="no such file"):
        data.read_archive(tmp_path / "absent.tar.gz", "amazon")


def test_a_sample_is_the_same_whatever_the_order() -> None:
    examples = [data.Example(str(i), f"text {i}", "positive", str(i)) for i in range(50)]
    chosen = {e.id for e in data.sample(examples, 10)}
    assert len(chosen) == 10
    assert chosen == {e.id for e in data.sample(examples[::-1], 10)}


def test_command_writes_a_manifest_and_a_pack_that_kgfuse_reads(tmp_path: Path) -> None:
    reviews = write_csv(tmp_path, "text,label\nA wonderful film,positive\nA dull film,negative\n")
    assert data.main(["--data", str(reviews), "--out", str(tmp_path / "out")]) == 0
    records = [json.loads(line) for line in (tmp_path / "out/manifest.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(r["text"], r["label"], r["type"]) for r in records] == [
        ("A wonderful film", "senti:Positive", "senti:Document"),
        ("A dull film", "senti:Negative", "senti:Document"),
    ]
    vocabulary = Vocabulary([load_pack(tmp_path / "out/pack")])
    positive, negative = (vocabulary.expand(f"senti:{name}") for name in ("Positive", "Negative"))
    assert vocabulary.are_disjoint(positive, negative)
    assert vocabulary.expand("senti:Document") in vocabulary.ancestors(positive)
    assert [t.types for t in vocabulary.find("wonderful")] == [(vocabulary.expand("senti:Word"),)]


def test_lexicon_gives_each_word_its_valence_and_polarity() -> None:
    lexicon = data.read_lexicon()
    assert lexicon["horrible"] == -2.5
    assert ":)" not in lexicon
    turtle = data.lexicon_turtle({"horrible": -2.5, "fed up": -1.8, "fed-up": -2.0})
    assert (
        'skos:prefLabel "horrible"@en ; senti:valence "-2.5"^^xsd:decimal ; senti:polarity senti:stronglyNeg' in turtle
    )
    assert turtle.count("a senti:Word") == 2


def test_forms_of_a_word_that_lean_the_same_way_are_one_node() -> None:
    turtle = data.lexicon_turtle({"error": -1.7, "errors": -1.4, "like": 1.5, "liked": 1.8, "likeless": -1.0})
    assert turtle.count("a senti:Word") == 3
    assert 'skos:prefLabel "error"@en ; skos:altLabel "errors"@en ; senti:valence "-1.55"' in turtle
