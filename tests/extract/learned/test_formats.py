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


def test_decimals_are_kept_where_the_data_keep_them() -> None:
    formats = learned(("elevation", "34", "34.0"), ("elevation", "204.8", "204.8"), ("elevation", "12", "12.0"))
    assert formats.label("elevation", "object", "167.94") == "167.94"
    assert formats.label("elevation", "object", "98") == "98.0"


def test_units_that_the_data_convert_are_converted() -> None:
    formats = learned(
        ("length", "12 metres", "12000.0 (millimetres)"), ("length", "8.5 metres", "8500.0 (millimetres)"),
        ("length", "250 millimetres", "250.0 (millimetres)"), ("length", "90 millimetres", "90.0 (millimetres)"),
    )  # fmt: skip
    assert formats.label("length", "object", "125.8 metres") == "125800.0 (millimetres)"
    assert formats.label("length", "object", "77 millimetres") == "77.0 (millimetres)"


def test_millions_are_written_out() -> None:
    formats = learned(("income", "$875.4 million", "875400000"), ("income", "2 billion", "2000000000"))
    assert formats.label("income", "object", "$556 million") == "556000000"


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
