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


def over_http(suite: Suite, test: Test, client: httpx.Client, quads: Sequence[ox.Quad]) -> Outcome:
    """Run one test against an endpoint that has its data."""
    text, base = suite.text(test.query), test.query
    suffix = suite.path(str(test.expected)).suffix
    exact = test.folder == "csv-tsv-res"
    wanted = results.expected(suite, str(test.expected)) if suffix != ".csv" else Result()
    ordered = bool(_ORDERED.search(text))

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
        return results.difference(results.parsed(answer.content, format_), wanted, ordered=ordered)

    def alone() -> str:
        store = ox.Store()
        store.extend(quads)
        try:
            found = store.query(text, base_iri=base)
            if exact:
                data = found.serialize(format=results.FORMATS[suffix][1])  # type: ignore[union-attr]
                return serialisation((data or b"").decode(), suite.text(str(test.expected)), suffix)
            return results.difference(results.executed(found), wanted, ordered=ordered)
        except (SyntaxError, ValueError, RuntimeError, OSError) as error:
            return f"{type(error).__name__}: {error}"[:200]

    return judged(test, ask, alone)


def serialisation(got: str, wanted: str, suffix: str) -> str:
    """What is wrong with a CSV or TSV text: field by field as it is written, but for line ends, the order of rows and
    labels of blank nodes."""
    fields = [_fields(text, suffix) for text in (got, wanted)]
    if fields[0][0] != fields[1][0]:
        return f"header {fields[0][0]}, not {fields[1][0]}"
    rows = [[{str(i): _field(f) for i, f in enumerate(row)} for row in table[1:]] for table in fields]
    if len(rows[0]) == len(rows[1]) and results.isomorphic(*rows):
        return ""
    more, less = ([r for r in a[1:] if r not in b] for a, b in (fields, fields[::-1]))
    return f"{more} in place of {less}"


def _fields(text: str, suffix: str) -> list[list[str]]:
    if suffix == ".csv":
        return [row for row in csv.reader(io.StringIO(text)) if row]
    return [line.split("\t") for line in text.splitlines()]


def _field(text: str) -> ox.BlankNode | ox.Literal:
    return ox.BlankNode(text[2:]) if text.startswith("_:") else ox.Literal(text)
