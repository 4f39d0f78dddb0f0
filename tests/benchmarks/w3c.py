"""The W3C SPARQL test suites: the endpoint over HTTP, the rest through the local API.

``python -m tests.benchmarks.w3c --data rdf-tests [--out DIR]``, where the folder is a checkout of
github.com/w3c/rdf-tests or its ``sparql/sparql11``. About two minutes on two cores.

A real uvicorn on loopback serves each test's data from a store's folder, and real HTTP requests ask: protocol tests
that do not update, service description, the graph-store steps that only read, query evaluation without entailment and
SERVICE, query syntax, CSV and TSV. Updates (evaluation, syntax, the seven of the protocol) run through
``GraphStore.update``. Queries of the entailment tests run over HTTP, on the closure. SERVICE and LOAD are refused by
design. The module of each kind in ``w3c_suite`` says what was decided there, and how results are compared.

Where a test fails, the engine alone runs it in this process: the exit code is 1 if anything of ours fails that the
engine passes. SPARQL 1.0's query and syntax tests, the neighbours, are run too.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

from tests.benchmarks import common
from tests.benchmarks.w3c_suite import (
    entailment,
    graph_store,
    protocol,
    queries,
    service_description,
    syntax,
    updates,
)
from tests.benchmarks.w3c_suite.entailment import Entailed
from tests.benchmarks.w3c_suite.manifest import Suite, Test
from tests.benchmarks.w3c_suite.outcome import Outcome
from tests.benchmarks.w3c_suite.reasons import why

_COLUMNS: Final = ("tests", "passed", "failed", "engine too", "refused")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the suites, print the table, write the result."""
    options = common.parser(__doc__ or "", data=True).parse_args(arguments)
    suite, began = Suite(options.data), time.monotonic()
    kinds = {name: list(outcomes) for name, outcomes in _kinds(suite)}
    entailed = entailment.run(suite, [t for t in suite.tests() if t.folder == "entailment"])
    seconds = round(time.monotonic() - began, 1)
    _print(kinds, entailed)
    print(f"\n{seconds:.0f} s")
    every = [o for outcomes in kinds.values() for o in outcomes] + [e.outcome for e in entailed]
    failures = [o for o in every if o.ours]
    result = {
        "seconds": seconds,
        "kinds": {name: _counts(outcomes) for name, outcomes in kinds.items()},
        "entailment": {name: _counts([e.outcome for e in members]) for name, members in _regimes(entailed).items()},
        "not_passed": [
            {"test": o.test, "status": o.status, "engine_passes": o.engine, "why": why(o.test), "found": o.reason}
            for o in every
            if o.status != "passed"
        ],
        "needed_trivial_triples": [e.outcome.test for e in entailed if e.trivial],
    }
    common.write(options.out, "w3c", result)
    if failures:
        print(f"\n{len(failures)} fail that the engine passes", file=sys.stderr)
    return 1 if failures else 0


def _kinds(suite: Suite) -> Iterable[tuple[str, Iterable[Outcome]]]:
    tests, old = suite.tests(), suite.tests("sparql10")

    def of(*kinds: str, among: Sequence[Test] = tests) -> list[Test]:
        return [test for test in among if test.kind in kinds]

    asked = of("ProtocolTest")
    evaluated = of("QueryEvaluationTest", "CSVResultFormatTest")
    plain = [test for test in evaluated if test.folder not in ("entailment", "service")]
    federated = [test for test in evaluated if test.folder == "service"]
    yield "protocol, HTTP", protocol.run(suite, [t for t in asked if not protocol.updates(t)])
    yield "protocol, updates, local", protocol.run_updates([t for t in asked if protocol.updates(t)])
    yield "service description, HTTP", service_description.run(of("ServiceDescriptionTest"))
    yield "graph store, steps that read, HTTP", graph_store.run(of("GraphStoreProtocolTest"))
    yield "query evaluation, HTTP", queries.run(suite, [t for t in plain if t.kind == "QueryEvaluationTest"])
    yield "CSV results, HTTP", queries.run(suite, [t for t in plain if t.kind == "CSVResultFormatTest"])
    yield "SERVICE, HTTP", queries.refused(suite, federated)
    yield "query syntax, HTTP", syntax.queries(suite, of("PositiveSyntaxTest11", "NegativeSyntaxTest11"))
    yield "update syntax, local", syntax.updates(suite, of("PositiveUpdateSyntaxTest11", "NegativeUpdateSyntaxTest11"))
    yield "update evaluation, local", updates.run(suite, of("UpdateEvaluationTest"))
    yield "SPARQL 1.0 query evaluation, HTTP", queries.run(suite, of("QueryEvaluationTest", among=old))
    yield "SPARQL 1.0 syntax, HTTP", syntax.queries(suite, of("PositiveSyntaxTest", "NegativeSyntaxTest", among=old))


def _print(kinds: dict[str, list[Outcome]], entailed: list[Entailed]) -> None:
    print(f"\n{'':36}" + "".join(f"{name:>12}" for name in _COLUMNS))
    for name, outcomes in kinds.items():
        print(f"{name:36}" + "".join(f"{_counts(outcomes)[column]:>12}" for column in _COLUMNS))
    print(f"\n{'entailment, HTTP':36}{'tests':>12}{'passed':>12}{'as stored':>12}{'+ trivial':>12}{'beyond':>12}")
    for name, members in _regimes(entailed).items():
        counts = Counter(e.outcome.status for e in members)
        trivial = sum(e.trivial for e in members)
        row = (len(members), counts["passed"], counts["passed"] - trivial, trivial, counts["beyond"])
        print(f"{name:36}" + "".join(f"{n:>12}" for n in row))
    print("  (a test counts under each of its regimes; + trivial: passes once triples such as ?c subClassOf ?c and the")
    print("   class expressions of its query, which kgfuse leaves out on purpose, are written out)")
    for status, title in (
        ("failed", "failed"),
        ("refused", "refused by design"),
        ("beyond", "entailment beyond RDFS and OWL 2 RL, not passed"),
    ):
        found = [o for outcomes in kinds.values() for o in outcomes if o.status == status]
        found += [e.outcome for e in entailed if e.outcome.status == status]
        if found:
            print(f"\n{title}:")
            for outcome in found:
                print(f"  {outcome.test}: {why(outcome.test) or outcome.reason}")


def _counts(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    counts = Counter(o.status for o in outcomes)
    both = sum(o.status == "failed" and o.engine is False for o in outcomes)
    return {
        "tests": len(outcomes),
        "passed": counts["passed"],
        "failed": counts["failed"],
        "engine too": both,
        "refused": counts["refused"],
        "beyond": counts["beyond"],
    }


def _regimes(entailed: list[Entailed]) -> dict[str, list[Entailed]]:
    """Tests by regime; first those that RDFS or OWL 2 RL are enough for."""
    groups = {"ours: RDF, RDFS, D, OWL with RL": [e for e in entailed if e.ours]}
    groups |= {name: [e for e in entailed if name in e.regimes] for name in entailment.REGIMES}
    return groups | {"all": entailed}


if __name__ == "__main__":
    raise SystemExit(main())
