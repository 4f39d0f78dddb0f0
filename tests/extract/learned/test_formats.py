"""How labels are written is learned from examples, for each relation where there are enough of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kgfuse.extract.learned.formats import Aligned, Formats, same


def learned(*rows: tuple[str, str, str], role: str = "object") -> Formats:
    return Formats.learn(Aligned(relation, role, surface, label) for relation, surface, label in rows)


def test_a_year_becomes_the_date_that_the_data_write() -> None:
    formats = learned(("publication date", "1985", "01 January 1985"), ("publication date", "1990", "01 January 1990"))
    assert formats.label("publication date", "object", "2003") == "01 January 2003"


def test_a_unit_that_only_the_data_write_is_added() -> None:
    formats = learned(("length", "17068.8", "17068.8 (millimetres)"), ("length", "12", "12.0 (millimetres)"),
                      ("length", "14", "14.0 (millimetres)"))  # fmt: skip
    assert formats.label("length", "object", "9.5") == "9.5 (millimetres)"


def test_relations_have_formats_of_their_own() -> None:
    formats = learned(
        ("runtime", "94", "94.0"), ("runtime", "98", "98.0"), ("staff", "700", "700"), ("staff", "85", "85")
    )
    assert formats.label("runtime", "object", "101") == "101.0"
    assert formats.label("staff", "object", "101") == "101"


def test_a_name_that_stands_for_another_is_remembered() -> None:
    formats = learned(("founder", "Kempe Gowda", "Kempe_Gowda_I"))
    assert formats.label("founder", "object", "Kempe Gowda") == "Kempe_Gowda_I"
    assert formats.label("director", "object", "Kempe Gowda") == "Kempe_Gowda_I"


def test_a_spelling_habit_carries_over_to_other_names() -> None:
    formats = learned(("club", "Crewe FC", "Crewe_F.C."), ("club", "Derby FC", "Derby_F.C."))
    assert same(formats.label("club", "object", "Leeds FC"), "Leeds_F.C.")


def test_a_single_oddity_is_no_habit() -> None:
    formats = learned(("capital", "Austin", "Austin, Texas"), ("capital", "Rome", "Rome"), ("capital", "Bonn", "Bonn"))
    assert formats.label("capital", "object", "Oslo") == "Oslo"


@given(st.lists(st.tuples(st.sampled_from("ab"), st.text(min_size=1), st.text(min_size=1)), max_size=8), st.text())
def test_formats_survive_being_saved(rows: list[tuple[str, str, str]], surface: str) -> None:
    formats = learned(*rows)
    again = Formats.from_dict(formats.to_dict())
    assert again.label("a", "object", surface) == formats.label("a", "object", surface)
