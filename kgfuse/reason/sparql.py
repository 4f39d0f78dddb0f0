"""SPARQL text taken apart into tokens: enough to split rule files and to see keywords, never inside literals."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

TokenKind: TypeAlias = Literal["comment", "iri", "string", "variable", "name", "word", "open", "close", "other"]

_TOKEN: Final = re.compile(
    r"""
      (?P<comment>\#[^\n\r]*)
    | (?P<iri><[^\x00-\x20<>"{}|^`]*>)
    | (?P<string>\"\"\"(?:[^\\]|\\.)*?\"\"\"|'''(?:[^\\]|\\.)*?'''|"(?:[^"\\\n\r]|\\.)*"|'(?:[^'\\\n\r]|\\.)*')
    | (?P<variable>[?$]\w+)
    | (?P<name>(?:[^\W\d_](?:[\w.\-]*[\w\-])?)?:(?:[\w:%\\](?:[\w.:%\-]|\\.)*)?|_:[\w.\-]+)
    | (?P<word>@?[^\W\d_][\w\-]*)
    | (?P<open>\{)
    | (?P<close>\})
    | (?P<other>\S)
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Token:
    """One token; ``start`` and ``end`` are offsets in the text, ``depth`` the number of braces around it."""

    kind: TokenKind
    text: str
    start: int
    end: int
    depth: int


def tokens(text: str) -> Iterator[Token]:
    """Tokens of a SPARQL text, white space left out.

    >>> [t.text for t in tokens("ASK { ?s :p 'SERVICE' } # SERVICE") if t.kind == "word"]
    ['ASK']
    """
    depth = 0
    for match in _TOKEN.finditer(text):
        kind: TokenKind = match.lastgroup  # type: ignore[assignment]
        if kind == "close":
            depth = max(0, depth - 1)
        yield Token(kind, match.group(), match.start(), match.end(), depth)
        if kind == "open":
            depth += 1


def keywords(text: str) -> set[str]:
    """All bare words of the text in upper case: ``SERVICE`` is among them just where the keyword stands."""
    return {token.text.upper() for token in tokens(text) if token.kind == "word"}


def service_call(text: str) -> tuple[int, int] | None:
    """Line and column (from 1) of a SERVICE clause, or ``None``.

    Oxigraph's parser asks for no space around keywords (``trueSERVICE<http://…>{`` calls a service), so what counts is
    a word or a prefix that *ends* in SERVICE and is followed by a name and an opening brace.

    >>> service_call("ASK { SERVICE SILENT <http://example.org/> { ?s ?p ?o } }")
    (1, 7)
    >>> service_call("ASK { ?s ?p 'SERVICE <http://example.org/> {' }")
    """
    stream = [token for token in tokens(text) if token.kind != "comment"]
    for at, token in enumerate(stream):
        if token.kind == "word":
            word, after = token.text.upper(), at + 1
            if word.endswith("SERVICE") and after < len(stream) and stream[after].text.upper() == "SILENT":
                after += 1
            named = after < len(stream) and stream[after].kind in ("iri", "variable", "name")
            brace = after + 1
        elif token.kind == "name":
            word, named, brace = token.text.partition(":")[0].upper(), True, at + 1
        else:
            continue
        opened = brace < len(stream) and stream[brace].kind == "open"
        if named and opened and word.endswith(("SERVICE", "SERVICESILENT")):
            return _line_column(text, token.start)
    return None


def _line_column(text: str, offset: int) -> tuple[int, int]:
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)
