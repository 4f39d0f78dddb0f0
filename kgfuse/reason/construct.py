"""Rules beyond OWL 2 RL: the CONSTRUCT queries of a pack's ``rules.rq``.

A rule file holds one or more CONSTRUCT queries. A query ends at a ``;`` outside all braces, or where the next one's
prologue or ``CONSTRUCT`` begins. Prefixes declared before hold for all queries after them. The last comment line
right before a query names its rule::

    PREFIX ex: <http://example.org/>
    # grandparent
    CONSTRUCT { ?a ex:grandparent ?c } WHERE { ?a ex:parent ?b . ?b ex:parent ?c } ;
    # sibling
    CONSTRUCT { ?a ex:sibling ?b } WHERE { ?a ex:parent ?p . ?b ex:parent ?p FILTER(?a != ?b) }
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyoxigraph as ox

from kgfuse.errors import PackError, QueryError
from kgfuse.graph.guard import refuse_remote
from kgfuse.reason.sparql import Token, tokens


@dataclass(frozen=True, slots=True)
class ConstructRule:
    """One CONSTRUCT query, complete with its prologue."""

    name: str
    query: str


def parse_rules(text: str, *, where: str = "rules.rq", prefixes: dict[str, str] | None = None) -> list[ConstructRule]:
    r"""Split a rule file into its rules and check each.

    Args:
        text: contents of the file.
        where: the file, for messages.
        prefixes: prefixes that hold without being declared, such as the pack's.

    Raises:
        PackError: a query that does not parse, is not a CONSTRUCT query, calls a SERVICE or creates blank nodes.

    >>> [r.name for r in parse_rules("# twin\nCONSTRUCT { ?b <urn:t> ?a } WHERE { ?a <urn:t> ?b }")]
    ['twin']
    """
    prologue = "".join(f"PREFIX {name}: <{iri}>\n" for name, iri in sorted((prefixes or {}).items()))
    rules: list[ConstructRule] = []
    for piece in _pieces(text):
        declared = _prologue_end(text, piece)
        name = _name(text, piece) or f"construct-{len(rules) + 1}"
        start, end = piece[0].start, piece[-1].end
        line = text.count("\n", 0, start) + 1
        if declared == len(piece):
            prologue += text[start:end] + "\n"
            continue
        query = prologue + text[start:end]
        if declared:
            prologue += text[start : piece[declared].start] + "\n"
        _check(query, name, f"{where}:{line}")
        rules.append(ConstructRule(name, query))
    return rules


def _pieces(text: str) -> Iterator[list[Token]]:
    """Tokens of each query, comments left out."""
    piece: list[Token] = []
    closed = False
    for token in tokens(text):
        if token.kind == "comment":
            continue
        starts = token.kind == "word" and token.text.upper() in ("PREFIX", "BASE", "CONSTRUCT")
        if token.depth == 0 and (token.text == ";" or (closed and starts)):
            if piece:
                yield piece
            piece, closed = [], False
            if token.text == ";":
                continue
        piece.append(token)
        # CONSTRUCT { template } WHERE { pattern }: the second closing brace at the top ends the body
        closed = closed or (token.kind == "close" and token.depth == 0 and _blocks(piece) >= _wanted(piece))
    if piece:
        yield piece


def _blocks(piece: list[Token]) -> int:
    return sum(token.kind == "close" and token.depth == 0 for token in piece)


def _wanted(piece: list[Token]) -> int:
    words = [token.text.upper() for token in piece if token.depth == 0 and token.kind in ("word", "open")]
    short = any(words[i : i + 2] == ["CONSTRUCT", "WHERE"] for i in range(len(words)))
    return 1 if short else 2


def _prologue_end(text: str, piece: list[Token]) -> int:
    """Index of the first token after the prefix and base declarations."""
    at = 0
    while at < len(piece):
        word = piece[at].text.upper()
        if word == "PREFIX":
            at += 3
        elif word == "BASE":
            at += 2
        else:
            break
    return min(at, len(piece))


def _name(text: str, piece: list[Token]) -> str:
    """The comment line right before the query proper or before its prologue."""
    body = piece[min(_prologue_end(text, piece), len(piece) - 1)].start
    for start in (body, piece[0].start):
        before = text[:start].rstrip(" \t")
        lines = before.removesuffix("\n").removesuffix("\r").splitlines()
        if before.endswith(("\n", "\r")) and lines and lines[-1].lstrip().startswith("#"):
            return lines[-1].strip().lstrip("# ").strip()
    return ""


def _check(query: str, name: str, where: str) -> None:
    try:
        refuse_remote(query)
        result = ox.Store().query(query)
    except QueryError as error:
        raise PackError(f"rule '{name}': {error.what}", where=where, remedy=error.remedy) from error
    except SyntaxError as error:
        raise PackError(f"rule '{name}' does not parse: {error}", where=where, remedy="correct the query") from error
    if not isinstance(result, ox.QueryTriples):
        remedy = "write CONSTRUCT { … } WHERE { … }"
        raise PackError(f"rule '{name}' is not a CONSTRUCT query", where=where, remedy=remedy)


def consequences(store: ox.Store, rule: ConstructRule) -> Iterator[ox.Triple]:
    """What the rule concludes from the default graph in one step.

    Raises:
        PackError: the rule makes blank nodes, which would never come to an end.
    """
    result = store.query(rule.query)
    assert isinstance(result, ox.QueryTriples)  # parse_rules let no other query through
    for triple in result:
        for node in (triple.subject, triple.object):
            if isinstance(node, ox.BlankNode) and not _known(store, node):
                raise PackError(
                    f"rule '{rule.name}' creates blank nodes",
                    remedy="derive an IRI from the bound values instead: BIND(IRI(CONCAT(…)) AS ?x)",
                )
        yield triple


def _known(store: ox.Store, node: ox.BlankNode) -> bool:
    as_subject = store.quads_for_pattern(node, None, None, ox.DefaultGraph())
    as_object = store.quads_for_pattern(None, None, node, ox.DefaultGraph())
    return next(as_subject, None) is not None or next(as_object, None) is not None
