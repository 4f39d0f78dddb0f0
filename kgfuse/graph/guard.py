r"""SPARQL that would reach out of the workspace (SERVICE, LOAD) is refused before the engine sees it.

Oxigraph would follow both. Its parser needs no space around keywords and reads ``\u`` escapes anywhere, so the text is
read in every way that could hide a keyword; what looks like one in any of them is refused.
"""

from __future__ import annotations

import re
from typing import Final

from kgfuse.errors import QueryError

_ESCAPE: Final = re.compile(r"\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})")
_STRING: Final = (
    r'"""(?:[^"\\]|\\.|"(?!""))*"""|'
    + r"'''(?:[^'\\]|\\.|'(?!''))*'''|"
    + (r'"(?:[^"\\\n\r]|\\.)*"|' + r"'(?:[^'\\\n\r]|\\.)*'")
)
_IRI: Final = r"<[^<>\"{}|^`\\\x00-\x20]*>"
_COMMENT: Final = r"#[^\n\r]*"
_TOKEN: Final = re.compile(
    rf"(?P<iri>{_IRI})|(?P<string>{_STRING})|(?P<comment>{_COMMENT})|(?P<var>[?$]\w+)|(?P<local>:(?:[\w\-.%:]|\\.)+)",
    re.S,
)
_SERVICE: Final = re.compile(r"service\s*(?:silent\s*)?(?:<i>|\?v|[\w.\-]*:l?)\s*\{", re.I)
_LOAD: Final = re.compile(r"load\s*(?:silent\s*)?(?:<i>|[\w.\-]*:l?)", re.I)
_SUSPECT: Final = re.compile(r"service|load|\\u", re.I)
_HIDDEN: Final = re.compile(r"\).*(?:service|load).*#", re.I | re.S)


def refuse_remote(sparql: str, *, update: bool = False) -> None:
    """Refuse a query with SERVICE, or an update with SERVICE or LOAD.

    Raises:
        QueryError: it has one.
    """
    if _SUSPECT.search(sparql):  # most queries have neither the words nor an escape that could spell them
        read_closely(sparql, update=update)


def read_closely(sparql: str, *, update: bool = False) -> None:
    """The same, for a text that has one of the words or an escape anywhere; gives the same for any other.

    Raises:
        QueryError: it reaches out.
    """
    for reading in {sparql, _ESCAPE.sub(_unescape, sparql)}:
        bare = _TOKEN.sub(_blank, reading)
        if _SERVICE.search(bare) or any(_HIDDEN.search(m["iri"] or "") for m in _TOKEN.finditer(reading)):
            raise QueryError(
                "SERVICE is not allowed: kgfuse answers from the workspace alone",
                remedy="add the other data to the workspace as RDF, or join the results outside",
            )
        if update and _LOAD.search(bare):
            raise QueryError(
                "LOAD is not allowed: what enters the graph needs a source",
                remedy="use `kgfuse add FILE`, which keeps its provenance",
            )


def _unescape(match: re.Match[str]) -> str:
    code = int(match[1] or match[2], 16)
    return chr(code) if code < 0x110000 else match[0]


def _blank(match: re.Match[str]) -> str:
    kind = match.lastgroup
    return {"iri": "<i>", "string": "''", "comment": " ", "var": "?v", "local": ":l"}[kind or "comment"]
