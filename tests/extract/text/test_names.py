"""Names inside names, names that share words, names that two things share, and abbreviations."""

from __future__ import annotations

import pytest

from kgfuse.extract.settings import ExtractSettings
from kgfuse.extract.text import TextExtractor
from kgfuse.extract.text.abbreviations import definitions
from kgfuse.terms.mentions import Mention, Statement
from kgfuse.terms.namespaces import KGF
from tests.extract.conftest import text_source
from tests.extract.text.conftest import Reads, exact, spell


def test_a_name_inside_a_longer_one_is_a_mention_of_its_own_and_no_more(works: TextExtractor) -> None:
    found = list(works.extract(text_source("Anna Novak founded the University of Oxford.", "Anna Novak")))
    mentions = {exact(m): spell(m) for m in found if isinstance(m, Mention)}
    assert mentions["University of Oxford"] == "universityOfOxford"
    assert mentions["Oxford"] == "oxford"
    said = {spell(s.object) for s in found if isinstance(s, Statement) and s.predicate == KGF + "mentions"}
    assert said == {"universityOfOxford"}


def test_the_longer_name_is_what_a_statement_is_about(reads: Reads) -> None:
    assert reads("Anna Novak founded the University of Oxford.").keys() == {"Anna Novak founded universityOfOxford"}


@pytest.mark.parametrize(
    ("text", "said", "words"),
    [
        ("Anna Novak was born in North and South Korea.", "Anna Novak bornIn northKorea", ["North", "Korea"]),
        ("The tumours affect both the left and right lung.", "tumour affects leftLung", ["left", "lung"]),
    ],
)
def test_a_name_in_pieces_has_them_all_as_evidence(reads: Reads, text: str, said: str, words: list[str]) -> None:
    found = reads(text)
    assert found[said][1:] == words
    assert said.replace("north", "south").replace("left", "right") in found


def test_conjuncts_that_are_names_by_themselves_share_nothing(reads: Reads) -> None:
    assert reads("Anna Novak was born in Oxford and South Korea.").keys() == {
        "Anna Novak bornIn oxford",
        "Anna Novak bornIn southKorea",
    }


def test_of_two_things_with_one_name_the_property_s_range_tells(reads: Reads) -> None:
    found = reads("Anna Novak directed Mercury. Peter Jones was born in Mercury.")
    assert found.keys() == {"Anna Novak directed mercuryFilm", "Peter Jones bornIn mercuryTown"}


def test_where_nothing_tells_neither_is_named(works: TextExtractor) -> None:
    found = list(works.extract(text_source("Anna Novak won Mercury.", None)))
    assert not {m.entity for m in found if isinstance(m, Mention)} & {
        "http://example.org/works#mercuryTown",
        "http://example.org/works#mercuryFilm",
    }


def test_an_abbreviation_stands_for_its_long_form_with_both_as_evidence(reads: Reads) -> None:
    found = reads("The World Health Organization (WHO) is based in Geneva. WHO advises Kenya.")
    assert found["World Health Organization advises Kenya"] == ["WHO", "Kenya", "World Health Organization"]


def test_one_that_is_given_a_second_long_form_stands_for_the_last(reads: Reads) -> None:
    found = reads(
        "The National Health Service (NHS) is based in London. NHS advises Kenya. "
        "The North Harbour School (NHS) is based in Leeds. NHS advises Spain."
    )
    assert {"National Health Service advises Kenya", "North Harbour School advises Spain"} <= found.keys()


def test_without_a_long_form_it_stands_for_itself(reads: Reads) -> None:
    assert reads("UNICEF advises Kenya.").keys() == {"UNICEF advises Kenya"}


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("the World Health Organization (WHO) met", [("WHO", "World Health Organization")]),
        (
            "NASA (National Aeronautics and Space Administration)",
            [("NASA", "National Aeronautics and Space Administration")],
        ),
        (
            "heat shock protein (HSP) and interleukin 2 (IL-2)",
            [("HSP", "heat shock protein"), ("IL-2", "interleukin 2")],
        ),
        ("the company (see below) grew", []),
        ("he came (Tuesday) late", []),
        ("Anna Novak (WHO) spoke", []),
    ],
)
def test_definitions_are_found_by_their_letters(text: str, pairs: list[tuple[str, str]]) -> None:
    assert [(d.short, text[d.long_start : d.long_end]) for d in definitions(text)] == pairs


def test_settings_without_entities_still_read_abbreviations(works: TextExtractor) -> None:
    plain = ExtractSettings().text.model_copy(update={"entities": False})
    extractor = TextExtractor(works.vocabulary, plain)
    found = extractor.extract(text_source("The World Health Organization (WHO) advises Kenya.", None))
    assert any(isinstance(s, Statement) and spell(s.subject) == "World Health Organization" for s in found)
