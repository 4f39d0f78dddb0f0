"""The W3C SHACL test suite: pySHACL on a plain rdflib graph beside kgfuse on its own store.

``python -m tests.benchmarks.shacl --data FOLDER`` with the folder that holds the suite's ``manifest.ttl`` (or its
``tests/`` folder). A test passes when conformance and every result agree with the expected report: focus node, path,
value, component and severity, each as often as expected. Literals are compared in
the store's lexical form: it keeps one form a value, so ``"007"^^xsd:integer`` is read back as ``7``.

Exit code 1 when kgfuse fails a test that pySHACL passes.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pyoxigraph as ox
import pyshacl
import rdflib
from rdflib.collection import Collection

from kgfuse.errors import KgfuseError
from kgfuse.graph.nodes import stored
from kgfuse.graph.store import GraphStore
from kgfuse.ontology.rdf import to_rdflib
from kgfuse.reason.shapes import validate
from kgfuse.reason.shapes_terms import path_text
from kgfuse.terms.namespaces import SH, source_iri
from tests.benchmarks import common

MF = rdflib.Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#")
SHT = rdflib.Namespace("http://www.w3.org/ns/shacl-test#")
Result = tuple[str, str, str, str, str]
"""Focus node, path, value, component, severity."""


@dataclass(frozen=True)
class Case:
    """One test of the suite.

    Args:
        name: its path below the suite's folder.
        group: ``core`` or ``sparql``.
        data: what is validated.
        shapes: what it is validated against.
        expected: the results; ``None`` where validation itself must be refused.
    """

    name: str
    group: str
    data: tuple[ox.Triple, ...]
    shapes: tuple[ox.Triple, ...]
    expected: Counter[Result] | None


def cases(folder: Path) -> Iterator[Case]:
    """Every test below a folder, also those that no manifest includes, in order of their paths."""
    root = folder / "tests" if (folder / "tests").is_dir() else folder
    for file in sorted(root.rglob("*.ttl")):
        graph = to_rdflib(_read(file))
        for listed in graph.objects(None, MF.entries):
            for entry in Collection(graph, listed):
                yield _case(graph, entry, root)


def _case(graph: rdflib.Graph, entry: rdflib.term.Node, root: Path) -> Case:
    action, result = graph.value(entry, MF.action), graph.value(entry, MF.result)
    data, shapes = (_read(_path(graph.value(action, part))) for part in (SHT.dataGraph, SHT.shapesGraph))
    name = _path(entry).relative_to(root).as_posix()
    expected = None if result == SHT.Failure else _results(graph, result)
    return Case(name, name.partition("/")[0], data, shapes, expected)


def _path(iri: rdflib.term.Node | None) -> Path:
    return Path(unquote(urlsplit(str(iri)).path))


def _read(path: Path) -> tuple[ox.Triple, ...]:
    """The file's triples; its blank nodes keep their names, by which reports refer to them."""
    base = path.resolve().as_uri()
    return tuple(quad.triple for quad in ox.parse(path.read_bytes(), format=ox.RdfFormat.TURTLE, base_iri=base))


def _results(graph: rdflib.Graph, report: rdflib.term.Node | None) -> Counter[Result]:
    """The results of a report; a path is compared as it is written in SPARQL."""

    def text(node: rdflib.term.Node | None) -> str:
        if node is None:
            return ""
        if isinstance(node, rdflib.Literal):
            datatype = None if node.language else ox.NamedNode(str(node.datatype)) if node.datatype else None
            return str(stored(ox.Literal(str(node), language=node.language, datatype=datatype)))
        return f"_:{node}" if isinstance(node, rdflib.BNode) else str(node)

    found: Counter[Result] = Counter()
    for result in graph.objects(report, rdflib.URIRef(SH + "result")):
        path = graph.value(result, rdflib.URIRef(SH + "resultPath"))
        focus, value, component, severity = (
            text(graph.value(result, rdflib.URIRef(SH + part)))
            for part in ("focusNode", "value", "sourceConstraintComponent", "resultSeverity")
        )
        where = "" if path is None else path_text(graph, path)
        found[focus, where, value, component.removeprefix(SH), severity.removeprefix(SH)] += 1
    return found


def by_pyshacl(case: Case) -> Counter[Result] | None:
    """What pySHACL finds in a plain rdflib graph; ``None`` where it refuses."""
    data, shapes = to_rdflib(case.data), to_rdflib(case.shapes)
    _, report, _ = pyshacl.validate(data, shacl_graph=shapes, inference="none")
    if not isinstance(report, rdflib.Graph):
        return None
    (node,) = report.subjects(rdflib.RDF.type, rdflib.URIRef(SH + "ValidationReport"))
    return _results(report, node)


def by_kgfuse(case: Case) -> Counter[Result] | None:
    """What kgfuse finds in its store, where the data is a source; ``None`` where it refuses."""
    store = GraphStore()
    store.replace_graph(source_iri("data.ttl"), case.data)
    try:
        found = validate(store, to_rdflib(case.shapes))
    except KgfuseError as error:
        if case.expected is None:
            return None
        raise RuntimeError(f"is refused: {error}") from error
    return Counter((v.focus, v.path or "", v.value or "", v.component, v.severity) for v in found)


def difference(found: Counter[Result] | None, expected: Counter[Result] | None) -> str:
    """What is wrong, in a line; empty where nothing is."""
    if found == expected:
        return ""
    if expected is None:
        return "must be refused"
    if found is None:
        return "is refused"
    parts = [f"missing {' '.join(r)}" for r in expected - found] + [f"extra {' '.join(r)}" for r in found - expected]
    return "; ".join(parts)


def attempt(engine: object, case: Case) -> str:
    """Why the engine fails the case; empty where it passes."""
    try:
        return difference(engine(case), case.expected)  # type: ignore[operator]
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def main() -> int:
    """Run the suite."""
    args = common.parser(__doc__ or "", data=True).parse_args()
    began = time.perf_counter()
    rows = [(c, attempt(by_pyshacl, c), attempt(by_kgfuse, c)) for c in cases(args.data.resolve())]
    groups = sorted({case.group for case, _, _ in rows})
    counts = {
        group: {
            "tests": sum(c.group == group for c, _, _ in rows),
            "pyshacl": sum(c.group == group and not a for c, a, _ in rows),
            "kgfuse": sum(c.group == group and not b for c, _, b in rows),
        }
        for group in groups
    }
    common.table(
        "W3C SHACL suite: tests passed",
        [("", "tests  pySHACL  kgfuse")]
        + [(g, f"{n['tests']:5}  {n['pyshacl']:7}  {n['kgfuse']:6}") for g, n in counts.items()],
    )
    failures = [{"test": c.name, "pyshacl": a, "kgfuse": b} for c, a, b in rows if a or b]
    if failures:
        common.table(
            "Failed",
            [(f["test"], f"pySHACL: {f['pyshacl'] or 'passes'} | kgfuse: {f['kgfuse'] or 'passes'}") for f in failures],
        )
    worse = [c.name for c, a, b in rows if b and not a]
    print(f"\n{len(rows)} tests in {time.perf_counter() - began:.1f} s; kgfuse fails {len(worse)} that pySHACL passes")
    common.write(args.out, "shacl", {"counts": counts, "failures": failures, "worse": worse})
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
