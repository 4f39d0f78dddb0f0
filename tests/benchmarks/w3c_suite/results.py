"""Query results: read from the suite's formats, and compared.

Rows are compared as multisets, as sequences where the query orders them; blank nodes by a one-to-one mapping; terms as
the store gives them back, since Oxigraph keeps numbers, booleans and dates by value (``007`` and ``7`` are one term).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import pyoxigraph as ox

from tests.benchmarks.w3c_suite.manifest import Suite

Term: TypeAlias = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple
Row: TypeAlias = Mapping[str, Term]
RS: Final = "http://www.w3.org/2001/sw/DataAccess/tests/result-set#"
_RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
FORMATS: Final = {
    ".srx": ("application/sparql-results+xml", ox.QueryResultsFormat.XML),
    ".srj": ("application/sparql-results+json", ox.QueryResultsFormat.JSON),
    ".tsv": ("text/tab-separated-values", ox.QueryResultsFormat.TSV),
    ".csv": ("text/csv", ox.QueryResultsFormat.CSV),
}


@dataclass(frozen=True)
class Result:
    """A boolean, rows, or a graph."""

    boolean: bool | None = None
    variables: frozenset[str] = frozenset()
    rows: tuple[Row, ...] | None = None
    triples: frozenset[ox.Triple] | None = None


def expected(suite: Suite, iri: str) -> Result:
    """The result that a file gives."""
    suffix = suite.path(iri).suffix
    if suffix in FORMATS:
        return parsed(suite.path(iri).read_bytes(), FORMATS[suffix][1])
    triples = suite.triples(iri)
    kinds = {
        t.object.value for t in triples if t.predicate.value == _RDF + "type" and isinstance(t.object, ox.NamedNode)
    }
    return _result_set(triples) if RS + "ResultSet" in kinds else Result(triples=frozenset(triples))


def parsed(data: bytes, format_: ox.QueryResultsFormat) -> Result:
    """A serialised boolean or rows."""
    found = ox.parse_query_results(data, format_)
    if isinstance(found, ox.QueryBoolean):
        return Result(boolean=bool(found))
    names = [v.value for v in found.variables]
    rows = ({n: row[n] for n in names if row[n] is not None} for row in found)
    return Result(variables=frozenset(names), rows=tuple(rows))


def executed(found: ox.QueryBoolean | ox.QuerySolutions | ox.QueryTriples) -> Result:
    """What the engine gives in this process."""
    if isinstance(found, ox.QueryBoolean):
        return Result(boolean=bool(found))
    if isinstance(found, ox.QueryTriples):
        return Result(triples=frozenset(found))
    names = [v.value for v in found.variables]
    return Result(
        variables=frozenset(names), rows=tuple({n: row[n] for n in names if row[n] is not None} for row in found)
    )


def difference(got: Result, wanted: Result, *, ordered: bool = False, lax: bool = False) -> str:
    """What is wrong; empty where they agree.

    Args:
        got: the result.
        wanted: the expected one.
        ordered: whether the order of rows counts.
        lax: whether a row may come less often than expected, but once.
    """
    if wanted.boolean is not None:
        return "" if got.boolean == wanted.boolean else f"answers {got.boolean}, not {wanted.boolean}"
    if wanted.triples is not None:
        if got.triples is None:
            return "gives no graph"
        same = isomorphic([_row(t) for t in got.triples], [_row(t) for t in wanted.triples])
        return "" if same else f"another graph: {only(got.triples, wanted.triples)}"
    if got.rows is None or wanted.rows is None:
        return "gives no rows"
    if wanted.variables and got.variables != wanted.variables:
        return f"variables {sorted(got.variables)}, not {sorted(wanted.variables)}"
    if lax and len(got.rows) <= len(wanted.rows):
        got_rows, wanted_rows = ({_shown(r): r for r in rows} for rows in (got.rows, wanted.rows))
        return "" if isomorphic(list(got_rows.values()), list(wanted_rows.values())) else "other rows"
    if len(got.rows) != len(wanted.rows):
        return f"{len(got.rows)} rows, not {len(wanted.rows)}"
    if isomorphic(got.rows, wanted.rows, ordered=ordered):
        return ""
    return f"other rows: {only([_shown(r) for r in got.rows], [_shown(r) for r in wanted.rows])}"


def isomorphic(got: Sequence[Row], wanted: Sequence[Row], *, ordered: bool = False) -> bool:
    """Whether a one-to-one mapping of blank nodes makes the rows equal: as multisets, or in this order.

    >>> a, b = ox.BlankNode("a"), ox.BlankNode("b")
    >>> isomorphic([{"x": a, "y": b}], [{"x": b, "y": a}]), isomorphic([{"x": a, "y": b}], [{"x": a, "y": a}])
    (True, False)
    """
    left, right = ([_Keyed(_kept(row)) for row in rows] for rows in (got, wanted))
    if ordered:
        pairs = list(zip(left, right, strict=True))
        return all(a.shape == b.shape for a, b in pairs) and _mapped([(a, [b]) for a, b in pairs], {}, set())
    if Counter(row.shape for row in left) != Counter(row.shape for row in right):
        return False
    return _mapped([(a, [b for b in right if b.shape == a.shape]) for a in left if a.nodes], {}, set())


class _Keyed:
    """A row: its shape, in which all blank nodes look alike, and its blank nodes in order."""

    def __init__(self, row: Row) -> None:
        self.nodes: list[str] = []
        self.shape = tuple((name, self._shape(row[name])) for name in sorted(row))

    def _shape(self, term: Term) -> str:
        if isinstance(term, ox.BlankNode):
            self.nodes.append(term.value)
            return "_:"
        if isinstance(term, ox.Triple):
            return "<<" + " ".join(self._shape(t) for t in (term.subject, term.predicate, term.object)) + ">>"
        if isinstance(term, ox.Literal) and term.language:
            return f'"{term.value}"@{term.language.lower()}'
        return str(term)


def _mapped(rows: list[tuple[_Keyed, list[_Keyed]]], mapping: dict[str, str], used: set[int], start: int = 0) -> bool:
    """Search for a mapping, row by row."""
    if start == len(rows):
        return True
    row, candidates = rows[start]
    for candidate in candidates:
        if id(candidate) in used:
            continue
        extended = dict(mapping)
        taken = {v: k for k, v in extended.items()}
        if all(
            extended.setdefault(a, b) == b and taken.setdefault(b, a) == a
            for a, b in zip(row.nodes, candidate.nodes, strict=True)
        ) and _mapped(rows, extended, used | {id(candidate)}, start + 1):
            return True
    return False


def _kept(row: Row) -> Row:
    """The terms as a store gives them back."""
    store, node = ox.Store(), ox.NamedNode("http://example.org/row")
    for name, term in row.items():
        store.add(ox.Quad(node, ox.NamedNode("http://example.org/" + name), term))
    return {q.predicate.value.rpartition("/")[2]: q.object for q in store}


def _row(triple: ox.Triple) -> Row:
    return {"s": triple.subject, "p": triple.predicate, "o": triple.object}


def _shown(row: Row) -> str:
    return " ".join(f"?{name}={row[name]}" for name in sorted(row))


def only(got: Sequence[object] | frozenset[object], wanted: Sequence[object] | frozenset[object]) -> str:
    """The difference of two collections, shortened."""
    left, right = Counter(map(str, got)), Counter(map(str, wanted))
    more, less = sorted((left - right).elements()), sorted((right - left).elements())
    return f"{'; '.join(more[:2]) or 'nothing'} in place of {'; '.join(less[:2]) or 'nothing'}"[:400]


def _result_set(triples: list[ox.Triple]) -> Result:
    """Rows described in RDF, https://www.w3.org/2001/sw/DataAccess/tests/result-set."""
    about: dict[object, dict[str, list[Term]]] = {}
    for t in triples:
        about.setdefault(t.subject, {}).setdefault(t.predicate.value, []).append(t.object)
    [top] = [node for node, said in about.items() if ox.NamedNode(RS + "ResultSet") in said.get(_RDF + "type", [])]
    said = about[top]
    if RS + "boolean" in said:
        return Result(boolean=said[RS + "boolean"][0].value == "true")  # type: ignore[union-attr]
    solutions = [about.get(node, {}) for node in said.get(RS + "solution", [])]
    solutions.sort(key=lambda s: int(s[RS + "index"][0].value) if RS + "index" in s else 0)  # type: ignore[union-attr]
    rows = []
    for solution in solutions:
        bindings = [about[b] for b in solution.get(RS + "binding", [])]
        rows.append({b[RS + "variable"][0].value: b[RS + "value"][0] for b in bindings})  # type: ignore[union-attr]
    names = frozenset(v.value for v in said.get(RS + "resultVariable", []))  # type: ignore[union-attr]
    return Result(variables=names, rows=tuple(rows))
