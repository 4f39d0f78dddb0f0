"""Syntax tests: queries over HTTP (400 is a refusal to parse), updates through the local API.

What parses may still fail to run: only a complaint of the parser counts. SERVICE and LOAD are refused before the engine
sees them, so the tests that are about them are refused by design.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import httpx
import pyoxigraph as ox

from kgfuse.errors import KgfuseError, QueryError
from kgfuse.graph.store import GraphStore
from tests.benchmarks.w3c_suite.endpoint import endpoint
from tests.benchmarks.w3c_suite.manifest import Suite, Test
from tests.benchmarks.w3c_suite.outcome import Outcome, judged

_REFUSED = "is not allowed"


def queries(suite: Suite, tests: Sequence[Test]) -> Iterator[Outcome]:
    """Run the tests of the query language."""
    with endpoint(()) as client:
        for test in tests:
            yield _query(suite, test, client)


def updates(suite: Suite, tests: Sequence[Test]) -> Iterator[Outcome]:
    """Run the tests of the update language."""
    for test in tests:
        yield _update(suite, test)


def _query(suite: Suite, test: Test, client: httpx.Client) -> Outcome:
    text, wrong = suite.path(test.query).read_bytes(), test.kind.startswith("Negative")
    answer = client.post("/sparql", content=text, headers={"Content-Type": "application/sparql-query"})
    if answer.status_code == 403:
        return Outcome(test.label, "refused", "SERVICE is refused by design")

    def alone() -> str:
        try:
            ox.Store().query(text.decode(), base_iri=test.query)
        except (SyntaxError, UnicodeDecodeError):
            return "" if wrong else "does not parse"
        except RuntimeError:
            pass  # it parses, and asks for a function that is not there
        return "parses" if wrong else ""

    def ask() -> str:
        if wrong:
            return "" if answer.status_code == 400 else f"HTTP {answer.status_code}, not 400"
        return "" if answer.status_code != 400 else f"HTTP {answer.status_code}: {answer.text.strip()[:200]}"

    return judged(test, ask, alone)


def _update(suite: Suite, test: Test) -> Outcome:
    text, wrong = f"BASE <{test.request}>\n{suite.text(test.request)}", test.kind.startswith("Negative")
    complaint = ""
    try:
        GraphStore().update(text)
    except QueryError as error:
        complaint = error.message
    except KgfuseError:
        pass  # it parses, and names a graph that is not there
    if _REFUSED in complaint:
        return Outcome(test.label, "refused", complaint.partition(":")[0] + " by design")

    def alone() -> str:
        try:
            ox.Store().update(text)
        except SyntaxError:
            return "" if wrong else "does not parse"
        except (RuntimeError, OSError):
            pass
        return "parses" if wrong else ""

    return judged(test, lambda: ("" if complaint else "parses") if wrong else complaint, alone)
