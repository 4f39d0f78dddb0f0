"""Update evaluation, through ``GraphStore.update``; tests of LOAD and SERVICE are refused by design.

The engine makes a graph that becomes empty go on existing, others drop it: only quads are compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyoxigraph as ox

from kgfuse.errors import KgfuseError
from kgfuse.graph.store import GraphStore
from tests.benchmarks.w3c_suite import results
from tests.benchmarks.w3c_suite.manifest import Suite, Test
from tests.benchmarks.w3c_suite.outcome import Outcome, judged


def run(suite: Suite, tests: Sequence[Test]) -> Iterator[Outcome]:
    """Run the tests."""
    for test in tests:
        yield _one(suite, test)


def _one(suite: Suite, test: Test) -> Outcome:
    before = suite.quads(test.dataset(test.action))
    after = suite.quads(test.dataset(test.expected))
    text = f"BASE <{test.request}>\n{suite.text(test.request)}"

    def compared(store: ox.Store) -> str:
        same = results.isomorphic([_row(q) for q in store], [_row(q) for q in after])
        return "" if same else f"another dataset: {results.only(list(store), after)}"

    def locally() -> str:
        store = GraphStore()
        store.add_quads(before)
        try:
            store.update(text)
        except KgfuseError as error:
            return error.message
        return compared(store.raw)

    def alone() -> str:
        store = ox.Store()
        store.extend(before)
        try:
            store.update(text)
        except (SyntaxError, RuntimeError, OSError) as error:
            return f"{type(error).__name__}: {error}"
        return compared(store)

    wrong = locally()
    if "is not allowed" in wrong:
        return Outcome(test.label, "refused", wrong.partition(" is")[0] + " is refused by design")
    return judged(test, lambda: wrong, alone)


def _row(quad: ox.Quad) -> results.Row:
    graph = quad.graph_name
    named = {} if isinstance(graph, ox.DefaultGraph) else {"g": graph}
    return {"s": quad.subject, "p": quad.predicate, "o": quad.object, **named}
