"""Values as objects of statements, and exact places whatever a text is made of."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kgfuse.extract.text import TextExtractor
from kgfuse.terms.mentions import Mention, Statement, TextSpan, Value
from kgfuse.terms.namespaces import QUDT_UNIT, XSD
from tests.extract.conftest import text_source
from tests.extract.text.conftest import Reads


def values(works: TextExtractor, text: str) -> list[Value]:
    found = works.extract(text_source(text, None))
    return [s.object for s in found if isinstance(s, Statement) and isinstance(s.object, Value)]


def test_a_number_goes_into_the_unit_of_the_property_and_its_words_are_evidence(
    works: TextExtractor, reads: Reads
) -> None:
    text = "The tower rises to 1,063 feet."
    assert values(works, text) == [Value("324.0024", XSD + "decimal", unit=QUDT_UNIT + "M")]
    assert reads(text) == {"tower height 324.0024": ["tower", "1,063 feet"]}


def test_a_number_of_something_else_is_not_taken(works: TextExtractor) -> None:
    assert values(works, "The tower rises to 20 tonnes.") == []


def test_a_code_is_what_the_shape_s_pattern_says(works: TextExtractor) -> None:
    assert [v.lexical for v in values(works, "The valve carries the code AB-123.")] == ["AB-123"]
    assert values(works, "The valve carries the code AB-1234.") == []


def test_a_quantity_is_one_node_however_it_is_spelt(reads: Reads) -> None:
    one, two = reads("The tower weighs 10,100 tonnes."), reads("The tower weighs 10100 t.")
    assert one.keys() == two.keys() == {"tower weighs 10100-TONNE"}
    assert one["tower weighs 10100-TONNE"] == ["tower", "10,100 tonnes"]


FRAGMENTS = (
    "The World Health Organization (WHO) is based in Geneva. WHO advises Kenya.",
    "Anna Novak says that she was born in North and South Korea.",
    "The film was released in the 1990s, at 51°30′26″N 0°7′39″W.",
    "It rises to 1,063\u00a0feet – about 324\u2009m; see www.example.org/a_(b).",
    "The tower weighs 5–10\u202ft.",
    "Anna founded the University of Oxford (🦊).",
    "She met “Emma’s” company. The company won.",
    "(NHS) WHO (",
    "\ud83d\x00",
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=12), max_size=4).map(" ".join),
    st.sampled_from((None, "Inception", "Anna Novak")),
)
def test_every_place_is_exact(works: TextExtractor, text: str, label: str | None) -> None:
    for found in works.extract(text_source(text, label)):
        ends = () if isinstance(found, Mention) else (found.subject, found.object, *found.evidence)
        for mention in (found, *ends):
            if isinstance(mention, Mention):
                assert isinstance(mention.selector, TextSpan)
                assert mention.selector.start < mention.selector.end
                assert text[mention.selector.start : mention.selector.end] == mention.selector.exact
