"""The benchmark of reading speed has a reader that reads."""

from __future__ import annotations

from tests.benchmarks.text2kg.speed import schema, sentences_a_second, untrained_reader


def test_an_untrained_reader_goes_all_the_way() -> None:
    reader = untrained_reader()
    texts = ["The owl was painted by Ana Abel in Oslo.", "Karl Costa owns a mill."]
    assert sentences_a_second(reader, texts, 3) > 0
    assert len({r.parts for r in schema(200).relations}) == 200
