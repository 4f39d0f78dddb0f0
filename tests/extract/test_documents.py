"""Texts read without a workspace: every place exact, each document for itself, one bad text stops no other."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgfuse.errors import PackError, UsageError
from kgfuse.extract.document import Document
from kgfuse.extract.document_records import document_record
from kgfuse.extract.documents import Reader, ontology_of
from kgfuse.extract.protocol import Found
from kgfuse.extract.settings import ExtractSettings
from kgfuse.terms.mentions import Mention, Source, TextSpan

TEXT = "The barn owl is a bird. It eats mice. Foxes do not eat grass. 🦉 The saw is made of steel."
FG = "https://w3id.org/kgfuse/field-guide#"


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(ontology_of("field-guide"))


def read(reader: Reader, *texts: str) -> list[Document]:
    return list(reader.read((f"t{n}", text) for n, text in enumerate(texts)))


def test_a_text_gives_mentions_statements_and_what_was_turned_away(reader: Reader) -> None:
    (found,) = read(reader, TEXT)
    said = {(s.subject.label, s.property, s.object.label) for s in found.statements}
    assert {("barn owl", FG + "eats", "mouse"), ("saw", FG + "madeOf", "steel")} <= said
    assert {("fox", FG + "eats", "grass", "negated")} <= {
        (s.subject.label, s.property, s.object.label, s.rule) for s in found.rejected
    }
    assert {(p.at.exact, p.types) for p in found.places if isinstance(p.at, TextSpan)} >= {
        ("grass", (FG + "Foodstuff",)), ("steel", ("https://w3id.org/kgfuse/general#Material",))
    }  # fmt: skip


words = st.sampled_from(
    [
        "The owl",
        "eats",
        "mice",
        ".",
        "It",
        "is made of",
        "steel",
        "🦉",
        "\u202ea",
        "\n\n",
        "lives in",
        "the forest",
        "’s",
    ]
)


@settings(max_examples=25, deadline=None)
@given(st.lists(words, min_size=1, max_size=25).map(" ".join))
def test_every_place_of_every_record_is_exactly_there(reader: Reader, text: str) -> None:
    for document in reader.read([("t", text)]):
        record = document_record(document, reader.vocabulary)
        ends = [s[e] for kind in ("statements", "rejected") for s in record[kind] for e in ("subject", "object")]
        evidence = [e for kind in ("statements", "rejected") for s in record[kind] for e in s["evidence"]]
        for place in (*record["mentions"], *evidence, *(e for e in ends if "start" in e)):
            assert text[place["start"] : place["end"]] == place["exact"]


def test_what_one_text_holds_does_not_depend_on_the_others(reader: Reader) -> None:
    others = [f"The {name} eats mice and lives in the forest." for name in ("fox", "heron", "stoat") * 12]
    (alone,) = read(reader, TEXT)
    among = list(reader.read([*((f"o{n}", t) for n, t in enumerate(others)), ("t0", TEXT)]))
    assert among[-1] == alone
    assert [d.name for d in among] == [*(f"o{n}" for n in range(36)), "t0"]


class Careless:
    """An extractor that fails on one text, and gives a wrong place in another."""

    name = "careless"
    kinds = frozenset(("text",))
    fingerprint = "1"

    def extract(self, source: Source) -> Iterable[Found]:
        if "fails" in (source.text or ""):
            raise RuntimeError("out of ideas")
        yield Mention(source.iri, TextSpan(0, 3, "Owl"), "owl", "careless")


def test_one_bad_text_stops_no_other(reader: Reader) -> None:
    careless = Reader(reader.vocabulary, extractors=[Careless()])
    good, failing, wrong = read(careless, "Owl here.", "This fails.", "An owl.")
    assert not good.problem
    assert failing.problem == "extractor careless: RuntimeError: out of ideas"
    assert "characters 0 to 3 are not 'Owl'" in wrong.problem


def test_a_missing_ontology_or_extractor_is_told(tmp_path: Path, reader: Reader) -> None:
    with pytest.raises(PackError, match="no ontology pack or file 'field-gide'"):
        ontology_of("field-gide")
    with pytest.raises(UsageError, match="no extractor is called 'gliner'"):
        Reader(reader.vocabulary, ExtractSettings(extractors=("gliner",)))
