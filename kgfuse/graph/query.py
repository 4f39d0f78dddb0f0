"""SPARQL results as people use them: rows, pandas, rdflib, a table, or any standard serialisation."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import pyoxigraph as ox

from kgfuse.errors import QueryError, UsageError
from kgfuse.graph.guard import refuse_remote
from kgfuse.graph.nodes import Term, shrink, text
from kgfuse.graph.python_values import python_value

if TYPE_CHECKING:
    import pandas
    import rdflib
    import rich.table

Row = tuple[Term | None, ...]
Kind = Literal["select", "ask", "construct"]
_SOLUTIONS: Final = {
    "json": ox.QueryResultsFormat.JSON,
    "xml": ox.QueryResultsFormat.XML,
    "csv": ox.QueryResultsFormat.CSV,
    "tsv": ox.QueryResultsFormat.TSV,
}
_GRAPHS: Final = {
    "turtle": ox.RdfFormat.TURTLE,
    "ntriples": ox.RdfFormat.N_TRIPLES,
    "jsonld": ox.RdfFormat.JSON_LD,
    "rdfxml": ox.RdfFormat.RDF_XML,
}
_CELL: Final = 80
_MESSAGE: Final = 80  # a longer list of what the grammar would allow helps nobody
_DECLARED: Final = re.compile(r"\bPREFIX\s+([\w.\-]*):", re.I)
_USED: Final = re.compile(r"(?<![\w?$:<@])([A-Za-z][\w.\-]*):(?=[\w%\\])")
_NAME: Final = re.compile(r"([\w.\-]*):")
_QUOTED: Final = re.compile(r"<[^<>\s]*>|\"[^\"\n]*\"|'[^'\n]*'")


@dataclass(frozen=True)
class QueryResult:
    """What a query gave.

    Args:
        kind: ``select``, ``ask`` or ``construct`` (DESCRIBE too).
        variables: names of the columns; ``subject, predicate, object`` of a constructed graph.
        rows: a tuple of terms each, ``None`` where unbound.
        answer: of an ASK.
        prefixes: short names for the table and Turtle.
    """

    kind: Kind
    variables: tuple[str, ...]
    rows: list[Row]
    answer: bool
    prefixes: Mapping[str, str]

    def __bool__(self) -> bool:
        """The answer of an ASK; otherwise whether there is any row."""
        return self.answer if self.kind == "ask" else bool(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[dict[str, str]]:
        """Rows as ``{variable: IRI or lexical form}``, without the unbound."""
        for row in self.rows:
            yield {v: text(term) for v, term in zip(self.variables, row, strict=True) if term is not None}

    def to_pandas(self) -> pandas.DataFrame:
        """A data frame: numbers, booleans and dates as Python values, IRIs and the rest as text, unbound as None."""
        import pandas

        if self.kind == "ask":
            return pandas.DataFrame({"answer": [self.answer]})
        values = [tuple(None if t is None else python_value(t) for t in row) for row in self.rows]
        return pandas.DataFrame(values, columns=list(self.variables))

    def to_graph(self) -> rdflib.Graph:
        """The constructed triples as an rdflib graph.

        Raises:
            UsageError: the query was not CONSTRUCT or DESCRIBE.
        """
        import rdflib

        if self.kind != "construct":
            raise UsageError(f"a {self.kind.upper()} query gives no graph", remedy="use CONSTRUCT or DESCRIBE")
        graph = rdflib.Graph()
        for prefix, namespace in self.prefixes.items():
            graph.bind(prefix, namespace)
        return graph.parse(data=self.serialize("ntriples"), format="nt")

    def table(self, limit: int | None = None) -> rich.table.Table:
        """A table for the terminal: short names for IRIs, long texts cut.

        Args:
            limit: at most so many rows; a last line says how many more there are.
        """
        from rich.table import Table
        from rich.text import Text

        table = Table(header_style="bold")
        for variable in self.variables or ("answer",):
            table.add_column(variable, overflow="fold")
        if self.kind == "ask":
            table.add_row("yes" if self.answer else "no")
        for row in self.rows[:limit]:
            table.add_row(*(Text(self._cell(term)) for term in row))
        if limit is not None and len(self.rows) > limit:
            table.caption = f"… and {len(self.rows) - limit:,} more"
        return table

    def to_json(self) -> str:
        """SPARQL 1.1 JSON results; JSON-LD of a constructed graph."""
        return self.serialize("jsonld" if self.kind == "construct" else "json").decode()

    def serialize(self, format: str) -> bytes:
        """The standard serialisations.

        Args:
            format: ``json, xml, csv, tsv`` for SELECT and ASK; ``turtle, ntriples, jsonld, rdfxml`` for CONSTRUCT.

        Raises:
            UsageError: the format does not fit the query.
        """
        known: Mapping[str, object] = _GRAPHS if self.kind == "construct" else _SOLUTIONS
        if format not in known or (self.kind == "ask" and format in ("csv", "tsv")):
            names = [f for f in known if self.kind != "ask" or f in ("json", "xml")]
            raise UsageError(f"{self.kind.upper()} has no format {format!r}", remedy="one of " + ", ".join(names))
        if self.kind == "construct":
            triples = [ox.Triple(*row) for row in self.rows]  # type: ignore[arg-type]
            prefixes = dict(self.prefixes) if format in ("turtle", "rdfxml") else None
            return ox.serialize(triples, format=_GRAPHS[format], prefixes=prefixes) or b""
        data = json.dumps(self._json(), ensure_ascii=False).encode()
        if format == "json":
            return data
        return ox.parse_query_results(data, ox.QueryResultsFormat.JSON).serialize(format=_SOLUTIONS[format]) or b""

    def _json(self) -> dict[str, Any]:
        if self.kind == "ask":
            return {"head": {}, "boolean": self.answer}
        bindings = [
            {v: _json_term(term) for v, term in zip(self.variables, row, strict=True) if term is not None}
            for row in self.rows
        ]
        return {"head": {"vars": list(self.variables)}, "results": {"bindings": bindings}}

    def _cell(self, term: Term | None) -> str:
        if term is None:
            return ""
        if isinstance(term, ox.NamedNode):
            return shrink(term.value, self.prefixes)
        cell = text(term)
        return cell if len(cell) <= _CELL else cell[: _CELL - 1] + "…"


def run_query(store: ox.Store, sparql: str, prefixes: Mapping[str, str]) -> QueryResult:
    """Run a query to its end.

    Raises:
        QueryError: it does not parse, or reaches out of the workspace.
    """
    refuse_remote(sparql)
    try:
        found = store.query(sparql, prefixes=_used_prefixes(sparql, prefixes))
        if isinstance(found, ox.QueryBoolean):
            return QueryResult("ask", (), [], bool(found), prefixes)
        if isinstance(found, ox.QueryTriples):
            rows: list[Row] = sorted({(t.subject, t.predicate, t.object) for t in found}, key=str)
            return QueryResult("construct", ("subject", "predicate", "object"), rows, bool(rows), prefixes)
        variables = tuple(v.value for v in found.variables)
        solutions: list[Row] = list(map(tuple, found))
        return QueryResult("select", variables, solutions, bool(solutions), prefixes)
    except SyntaxError as e:
        raise syntax_error(e, sparql, prefixes) from e


def _used_prefixes(sparql: str, prefixes: Mapping[str, str]) -> dict[str, str]:
    """Those that the query may use: each one that the engine is handed costs a short query as much as a look-up."""
    if "\\" in sparql:  # a name may be written with escapes
        return dict(prefixes)
    return {name: prefixes[name] for name in _NAME.findall(sparql) if name in prefixes}


def run_update(store: ox.Store, sparql: str, prefixes: Mapping[str, str]) -> None:
    """Run an update, all of it or nothing.

    Raises:
        QueryError: it does not parse, or reaches out of the workspace.
    """
    refuse_remote(sparql, update=True)
    try:
        store.update(sparql, prefixes=dict(prefixes))
    except SyntaxError as e:
        raise syntax_error(e, sparql, prefixes) from e


def syntax_error(error: SyntaxError, sparql: str, prefixes: Mapping[str, str]) -> QueryError:
    """The engine's complaint with the place, the line and what is likely meant."""
    message = str(error)
    place = re.match(r"error at (\d+):(\d+): ", message)
    where, what = "query", message
    if place:
        line, column = int(place[1]), int(place[2])
        where = f"query:{line}:{column}"
        source = (sparql.splitlines() or [""])[min(line, len(sparql.splitlines()) or 1) - 1]
        pointer = f"{source}\n{' ' * (column - 1)}^"
        expected = message[place.end() :]
        what = f"does not parse here{f', {expected}' if len(expected) < _MESSAGE else ''}\n{pointer}\n"
    known = {*prefixes, *_DECLARED.findall(sparql)}
    bare = _QUOTED.sub(" ", sparql)
    unknown = next((p for p in _USED.findall(bare) if p not in known), None)
    if unknown is not None:
        remedy = f"the prefix {unknown}: is not declared; known are {', '.join(sorted(p for p in known if p))}"
    elif sparql.count("{") != sparql.count("}"):
        remedy = f"{sparql.count('{')} opening and {sparql.count('}')} closing braces"
    elif re.match(r"\s*(insert|delete|clear|drop|create|copy|move|add)\b", sparql, re.I):
        remedy = "this looks like an update, not a query"
    else:
        remedy = "look at the marked place: a missing '.', a misspelt keyword or an unclosed bracket?"
    return QueryError(what, where=where, remedy=remedy)


def _json_term(term: Term) -> dict[str, Any]:
    if isinstance(term, ox.NamedNode):
        return {"type": "uri", "value": term.value}
    if isinstance(term, ox.BlankNode):
        return {"type": "bnode", "value": term.value}
    if isinstance(term, ox.Triple):
        parts = {"subject": term.subject, "predicate": term.predicate, "object": term.object}
        return {"type": "triple", "value": {k: _json_term(v) for k, v in parts.items()}}
    if term.language:
        return {"type": "literal", "value": term.value, "xml:lang": term.language}
    if term.datatype.value == "http://www.w3.org/2001/XMLSchema#string":
        return {"type": "literal", "value": term.value}
    return {"type": "literal", "value": term.value, "datatype": term.datatype.value}
