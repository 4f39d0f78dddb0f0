"""Query evaluation, CSV and TSV results: each query over HTTP, its data in a store's folder."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from typing import Final

import httpx
import pyoxigraph as ox

from tests.benchmarks.w3c_suite import results
from tests.benchmarks.w3c_suite.endpoint import endpoint
from tests.benchmarks.w3c_suite.manifest import Data, Suite, Test
from tests.benchmarks.w3c_suite.outcome import Outcome, judged
from tests.benchmarks.w3c_suite.results import Result

_ORDERED: Final = re.compile(r"\bORDER\s+BY\b(?![^{}]*\})", re.I)
_MEDIA: Final = {suffix: media for suffix, (media, _) in results.FORMATS.items()}


def run(suite: Suite, tests: Sequence[Test]) -> Iterator[Outcome]:
    """Run the tests, those with the same data on one server."""

    def key(test: Test) -> tuple[object, ...]:
        data = test.data(suite)
        return data.default, data.named

    groups = [(Data(*data), list(group)) for data, group in groupby(sorted(tests, key=key), key=key)]  # type: ignore[arg-type]

    def one(group: tuple[Data, list[Test]]) -> list[Outcome]:
        data, members = group
        quads = suite.quads(data)
        with endpoint(quads) as client:
            return [over_http(suite, test, client, quads) for test in members]

    with ThreadPoolExecutor(2) as threads:
        for outcomes in threads.map(one, groups):
            yield from outcomes


def refused(suite: Suite, tests: Sequence[Test]) -> Iterator[Outcome]:
    """Run the tests with SERVICE: each must be refused, without anybody being asked."""
    with endpoint(()) as client:
        for test in tests:
            answer = client.get("/sparql", params={"query": suite.text(test.query)})
            if answer.status_code == 403 and "SERVICE" in answer.text:
                yield Outcome(test.label, "refused", "SERVICE is refused by design")
            else:
                yield Outcome(test.label, "failed", f"HTTP {answer.status_code}: SERVICE must be refused")


def over_http(suite: Suite, test: Test, client: httpx.Client, quads: Sequence[ox.Quad]) -> Outcome:
    """Run one test against an endpoint that has its data."""
    text, base = suite.text(test.query), test.query
    suffix = suite.path(str(test.expected)).suffix
    exact = test.folder == "csv-tsv-res"
    wanted = results.expected(suite, str(test.expected)) if suffix != ".csv" else Result()
    how = {"ordered": bool(_ORDERED.search(text)), "lax": test.lax}

    def ask() -> str:
        accept = _MEDIA.get(suffix, "text/turtle, application/sparql-results+xml")
        # where a query was read from is the client's to say
        answer = client.get("/sparql", params={"query": f"BASE <{base}>\n{text}"}, headers={"Accept": accept})
        if answer.status_code != 200:
            return f"HTTP {answer.status_code}: {answer.text.strip()[:200]}"
        if exact:
            return serialisation(answer.text, suite.text(str(test.expected)), suffix)
        media = answer.headers["content-type"].partition(";")[0]
        if media == "text/turtle":
            graph = frozenset(q.triple for q in ox.parse(answer.content, format=ox.RdfFormat.TURTLE))
            return results.difference(Result(triples=graph), wanted)
        format_ = next(f for m, f in results.FORMATS.values() if m == media)
        return results.difference(results.parsed(answer.content, format_), wanted, **how)

    def alone() -> str:
        store = ox.Store()
        store.extend(quads)
        try:
            found = store.query(text, base_iri=base)
            if exact:
                data = found.serialize(format=results.FORMATS[suffix][1])  # type: ignore[union-attr]
                return serialisation((data or b"").decode(), suite.text(str(test.expected)), suffix)
            return results.difference(results.executed(found), wanted, **how)
        except (SyntaxError, ValueError, RuntimeError, OSError) as error:
            return f"{type(error).__name__}: {error}"[:200]

    return judged(test, ask, alone)


def serialisation(got: str, wanted: str, suffix: str) -> str:
    """What is wrong with a CSV or TSV text, field by field as it is written.

    Line ends, the order of rows and labels of blank nodes are free, and so is the order of columns: all these queries
    say ``SELECT *``, which does not give one (Oxigraph's is alphabetical).
    """
    left, right = _fields(got, suffix), _fields(wanted, suffix)
    if results.isomorphic(left, right):
        return ""
    more, less = ([_line(row) for row in a if row not in b] for a, b in ((left, right), (right, left)))
    return f"{'; '.join(more)} in place of {'; '.join(less)}"


def _fields(text: str, suffix: str) -> list[results.Row]:
    table = csv.reader(io.StringIO(text)) if suffix == ".csv" else (line.split("\t") for line in text.splitlines())
    names, *rows = (row for row in table if row)
    return [{n.lstrip("?"): _field(f) for n, f in zip(names, row, strict=True)} for row in rows]


def _field(text: str) -> ox.BlankNode | ox.Literal:
    return ox.BlankNode(text[2:]) if text.startswith("_:") else ox.Literal(text)


def _line(row: results.Row) -> str:
    return " ".join(f"{n}={f.value if isinstance(f, ox.Literal) else f}" for n, f in sorted(row.items()))
