"""What would reach out of the workspace is refused, however it is written; what only mentions the words is not."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgfuse.errors import QueryError
from kgfuse.graph.guard import read_closely, refuse_remote

PIECES = st.sampled_from(
    [
        *("SERVICE", "service", "ſervice", "SeRvIcE", "LOAD", "load", "SILENT", "S", "ERVICE", "LO", "AD"),
        *(
            "\\u0053",
            "\\u0073",
            "\\U00000053",
            "\\u004C",
            "\\u004c",
            "\\u0045RVICE",
            "\\u007B",
            "\\u003C",
            "\\u",
            "\\U",
        ),
        *("<http://a/>", "<", ">", "a:", ":", ":b", "?x", "$x", "{", "}", "(", ")", "[", "]", ".", ";", ",", "@en"),
        *('"', "'", '"""', "'''", "\\", "#", "\n", " ", "\t", "1", "true", "é", "K"),
        *("SELECT * { ", "ASK ", "INSERT DATA { ", "FILTER(?a<?b)", "PREFIX a: <http://a/> "),
    ]
)


def refused(read: object, text: str, update: bool) -> bool:
    with contextlib.suppress(QueryError):
        read(text, update=update)  # type: ignore[operator]
        return False
    return True


@settings(max_examples=800, deadline=None)
@given(st.lists(PIECES, max_size=14).map("".join), st.booleans())
def test_the_quick_look_lets_nothing_through_that_close_reading_refuses(text: str, update: bool) -> None:
    assert refused(refuse_remote, text, update) == refused(read_closely, text, update)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=40), st.booleans())
def test_the_same_on_any_text(text: str, update: bool) -> None:
    assert refused(refuse_remote, text, update) == refused(read_closely, text, update)


def spelled(word: str) -> st.SearchStrategy[str]:
    """The word in any case, each letter perhaps as an escape."""

    def letter(c: str) -> st.SearchStrategy[str]:
        cased = st.sampled_from([c.lower(), c.upper()])
        return st.one_of(cased, cased.map(lambda x: f"\\u{ord(x):04x}"), cased.map(lambda x: f"\\U{ord(x):08X}"))

    return st.tuples(*map(letter, word)).map("".join)


GAP = st.lists(st.sampled_from([" ", "\n", "\t", "# {\n", "#\r"]), max_size=3).map("".join)


@settings(max_examples=300, deadline=None)
@given(spelled("service"), GAP, st.sampled_from(["", "SILENT "]), st.sampled_from(["<http://a/>", "?x", "a:b"]), GAP)
def test_service_is_refused_in_any_spelling(word: str, gap: str, silent: str, target: str, more: str) -> None:
    with pytest.raises(QueryError, match="SERVICE"):
        refuse_remote(f"SELECT * {{ ?s ?p ?o . {word}{gap} {silent}{target}{more}{{ ?s ?p ?o }} }}")


@settings(max_examples=300, deadline=None)
@given(spelled("load"), GAP, st.sampled_from(["", "SILENT "]), st.sampled_from(["<http://a/>", "a:b"]))
def test_load_is_refused_in_any_spelling(word: str, gap: str, silent: str, target: str) -> None:
    with pytest.raises(QueryError, match="LOAD"):
        refuse_remote(f"INSERT DATA {{ }} ; {word}{gap} {silent}{target}", update=True)


@pytest.mark.parametrize(
    "text",
    [
        'SELECT * { ?service ?load "SERVICE <http://a/> { }" } # SERVICE <http://a/> { }',
        "SELECT * { ?s <http://a/service> ?o ; :service :load . FILTER(?s = :downloads) }",
        "PREFIX service: <http://a/> SELECT * { ?s service:load 'LOAD <http://a/>' }",
    ],
)
def test_the_words_alone_harm_nobody(text: str) -> None:
    refuse_remote(text)
    refuse_remote(text, update=True)
