"""The graph against the engine beneath it and against rdflib: loading, queries, views, closure, scale.

Each measurement runs in a process of its own, so that its peak of memory is its own. Data are generated: things with a
type, a label, a number and seven links each.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyoxigraph as ox

from tests.benchmarks.common import parser, peak_memory_mb, shown, summary, table, write

EX = "http://example.org/"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"
XSD = "http://www.w3.org/2001/XMLSchema#"
SOURCE = "https://w3id.org/kgfuse/source/data.nt"
RDFLIB_MOST = 200_000  # rdflib's memory takes minutes beyond
FACTS_A_SOURCE = 100
QUERIES = {
    "point": "SELECT ?p ?o {{ <http://example.org/e/{middle}> ?p ?o }}",
    "2-star": "SELECT ?s ?a {{ ?s a ex:C7 ; ex:age ?a }}",
    "3-star count": "SELECT (COUNT(*) AS ?n) {{ ?s a ex:C7 ; ex:age ?a ; ex:p3 ?o }}",
    "path": "SELECT ?o {{ <http://example.org/e/{middle}> ex:p0/ex:p1/ex:p2/ex:p3 ?o }}",
    "group-by": "SELECT ?c (AVG(?a) AS ?mean) {{ ?s a ?c ; ex:age ?a }} GROUP BY ?c",
    "optional + filter": "SELECT ?s ?l {{ ?s ex:age ?a OPTIONAL {{ ?s rdfs:label ?l }} FILTER(?a > 97) }}",
    "text search": 'SELECT ?s ?l {{ ?s rdfs:label ?l FILTER(CONTAINS(?l, "of 77")) }}',
}
HEAVY = ("3-star count", "group-by", "optional + filter", "text search")


def generate(path: Path, triples: int, seed: int) -> None:
    """Write N-Triples."""
    rng, things = random.Random(seed), max(1, triples // 10)
    with path.open("w", encoding="utf-8") as out:
        for i in range(things):
            s = f"<{EX}e/{i}>"
            out.write(f"{s} <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <{EX}C{i % 50}> .\n")
            out.write(f'{s} <{RDFS}label> "thing number {i} of {rng.randrange(10_000)}" .\n')
            out.write(f'{s} <{EX}age> "{rng.randrange(100)}"^^<{XSD}integer> .\n')
            for k in range(7):
                out.write(f"{s} <{EX}p{k}> <{EX}e/{rng.randrange(things)}> .\n")


def seconds(act: Callable[[], Any]) -> float:
    """How long it takes once."""
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def best(act: Callable[[], Any], *, least: float = 0.5, most: int = 50) -> float:
    """Median of several runs after one that does not count."""
    act()
    found: list[float] = []
    while len(found) < 3 or (sum(found) < least and len(found) < most):
        found.append(seconds(act))
    return sorted(found)[len(found) // 2]


# what child processes measure


def load_kgfuse(data: Path, folder: Path) -> dict[str, float]:
    """Import a file as a source of its own, columns and default graph included."""
    from kgfuse.catalog import SourceRow
    from kgfuse.graph.store import GraphStore
    from kgfuse.graph.writing import Writer
    from kgfuse.workspace.facts import rdf_lines

    row = SourceRow("data.nt", str(data), "rdf", "application/n-triples", "0" * 64)
    store = GraphStore(folder / "graph")

    def act() -> None:
        with Writer(store) as writer:
            writer.replace(SOURCE, rdf_lines(data, row))
            writer.finish()
        store.flush()

    _ = store.columns  # imports do not count
    return {"seconds": seconds(act), "triples": store.columns.graphs[SOURCE].height, "memory": peak_memory_mb()}


def load_raw(data: Path, folder: Path) -> dict[str, float]:
    """The engine's own bulk loader, one copy."""
    store = ox.Store(str(folder / "raw"))

    def act() -> None:
        form = ox.RdfFormat.N_QUADS if data.suffix == ".nq" else ox.RdfFormat.N_TRIPLES
        store.bulk_load(path=str(data), format=form)
        store.flush()

    return {"seconds": seconds(act), "quads": len(store), "memory": peak_memory_mb()}


def facts_of(n: int, source: int, seed: int) -> list[Any]:
    """Made-up facts of one source, each with a mention of its own."""
    from kgfuse.terms.mentions import Fact, Mention, TextSpan
    from kgfuse.terms.namespaces import source_iri

    rng, iri = random.Random(f"{seed}-{source}"), source_iri(f"text/{source}.txt")
    found = []
    for i in range(n):
        word = f"word{rng.randrange(1000)}"
        mention = Mention(iri, TextSpan(i * 20, i * 20 + len(word), word), word, "text.lexicon", entity=f"{EX}e/{i}")
        s, o = f"{EX}e/{source * n + i}", f"{EX}e/{rng.randrange(10 * n)}"
        confidence = rng.randrange(50, 100) / 100
        run = "https://w3id.org/kgfuse/run/1"
        found.append(Fact(s, f"{EX}p{i % 7}", o, iri, (mention,), "text.pattern", confidence, "a pattern", run))
    return found


def statements(count: int, folder: Path, seed: int) -> dict[str, float]:
    """Write extracted facts with their statement nodes, source by source."""
    from kgfuse.graph.provenance_lines import fact_lines
    from kgfuse.graph.store import GraphStore
    from kgfuse.graph.writing import Writer
    from kgfuse.terms.namespaces import GRAPH_PROVENANCE
    from kgfuse.workspace.facts import fact_triple, lines

    store = GraphStore(folder / "graph")
    spent = 0.0
    writer = Writer(store)  # imports do not count
    for source in range(count // FACTS_A_SOURCE):
        facts = facts_of(FACTS_A_SOURCE, source, seed)  # making them up does not count
        began = time.perf_counter()
        writer.replace(
            facts[0].source,
            [lines(map(fact_triple, facts))],
            confidence=[f.confidence for f in facts],
            provenance="".join(fact_lines(facts)).encode(),
        )
        spent += time.perf_counter() - began
    spent += seconds(writer.finish) + seconds(store.flush)
    writer.__exit__()
    memory = peak_memory_mb()
    provenance = store.size(GRAPH_PROVENANCE)
    if count <= RDFLIB_MOST:
        store.raw.dump(str(folder / "statements.nq"), ox.RdfFormat.N_QUADS)
    return {"seconds": spent, "quads": provenance + 2 * count, "statements": count, "memory": memory}


def queries(folder: Path, things: int) -> dict[str, dict[str, float]]:
    """Milliseconds of each query shape through kgfuse, the engine, oxrdflib and rdflib's memory."""
    import rdflib

    from kgfuse.graph.store import GraphStore
    from kgfuse.graph.views import KnowledgeGraph

    store = GraphStore(folder / "graph", {"ex": EX})
    prefix = f"PREFIX ex: <{EX}> PREFIX rdfs: <{RDFS}> "
    over = KnowledgeGraph(store).rdflib
    memory = rdflib.Graph()
    if store.size() <= RDFLIB_MOST:
        memory.parse(data=store.raw.dump(format=ox.RdfFormat.N_TRIPLES, from_graph=ox.DefaultGraph()), format="nt")
    found: dict[str, dict[str, float]] = {}
    for name, text in QUERIES.items():
        query = text.format(middle=things // 2)
        times = {
            "kgfuse": best(lambda q=query: store.query(q)),
            "engine": best(lambda q=query: list(store.raw.query(prefix + q))),
            "oxrdflib": best(lambda q=query: list(over.query(prefix + q)), most=5),
        }
        if len(memory):
            times["rdflib"] = best(lambda q=query: list(memory.query(prefix + q)), most=3)
        found[name] = {side: 1000 * value for side, value in times.items()}
    return found


def views(folder: Path) -> dict[str, float]:
    """Seconds of PyG and NetworkX from the columns, and from oxrdflib triple by triple."""
    import networkx
    import torch

    from kgfuse.graph.store import GraphStore
    from kgfuse.graph.views import KnowledgeGraph

    kg = KnowledgeGraph(GraphStore(folder / "graph"))
    kg.to_pyg()  # imports
    reopened = KnowledgeGraph(kg.store)
    found = {"to_pyg": best(lambda: reopened.to_pyg(), most=5), "to_networkx": best(reopened.to_networkx, most=3)}

    def rows() -> Iterator[tuple[Any, Any, Any]]:
        yield from kg.rdflib.triples((None, None, None))

    def pyg() -> torch.Tensor:
        nodes: dict[Any, int] = {}
        relations: dict[Any, int] = {}
        edges = [
            (nodes.setdefault(s, len(nodes)), relations.setdefault(p, len(relations)), nodes.setdefault(o, len(nodes)))
            for s, p, o in rows()
        ]
        return torch.tensor(edges)

    def graph() -> networkx.MultiDiGraph:
        made = networkx.MultiDiGraph()
        for s, p, o in rows():
            made.add_edge(s, o, key=p)
        return made

    found["pyg through oxrdflib"] = seconds(pyg)
    found["networkx through oxrdflib"] = seconds(graph)
    return found


STEPS: dict[str, Callable[..., Any]] = {
    "load_kgfuse": lambda data, folder: load_kgfuse(Path(data), Path(folder)),
    "load_raw": lambda data, folder: load_raw(Path(data), Path(folder)),
    "statements": lambda count, folder, seed: statements(int(count), Path(folder), int(seed)),
    "queries": lambda folder, things: queries(Path(folder), int(things)),
    "views": lambda folder: views(Path(folder)),
}


def measured(step: str, *arguments: object) -> Any:
    """Run a step in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.graph", "--step", step, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{step}: {done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def compare(triples: int, seed: int) -> dict[str, Any]:
    """One size, every comparison."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = folder / "data.nt"
        generate(data, triples, seed)
        ours, raw = measured("load_kgfuse", data, folder), measured("load_raw", data, folder)
        count = max(FACTS_A_SOURCE, triples // 10)
        other = folder / "statements"
        other.mkdir()
        said = measured("statements", count, other, seed)
        plain = measured("load_raw", other / "statements.nq", other) if count <= RDFLIB_MOST else None
        return {
            "load": {"kgfuse": ours, "engine": raw, "ratio": ours["seconds"] / raw["seconds"]},
            "statements": {
                "kgfuse": said,
                "engine": plain,
                "ratio a quad": plain
                and (said["seconds"] / said["quads"]) / (plain["seconds"] / max(1, plain["quads"])),
            },
            "queries_ms": measured("queries", folder, triples // 10),
            "views_s": measured("views", folder),
        }


def scaling(most: int, seed: int) -> list[dict[str, Any]]:
    """Import and statements over sizes: seconds and memory."""
    rows = []
    size = 10_000
    while size <= most:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            generate(folder / "data.nt", size, seed)
            loaded = measured("load_kgfuse", folder / "data.nt", folder)
            (folder / "s").mkdir()
            said = measured("statements", size // 10, folder / "s", seed)
        rows.append({"triples": size, "load": loaded, "statements": said})
        size *= 10
    return rows


def plot(rows: list[dict[str, Any]], path: Path) -> None:
    """Microseconds a triple and memory over size."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4))
    for name, count in (("load", "triples"), ("statements", "quads")):
        sizes = [row[name][count] for row in rows]
        left.plot(sizes, [1e6 * row[name]["seconds"] / row[name][count] for row in rows], marker="o", label=name)
        right.plot(sizes, [row[name]["memory"] for row in rows], marker="o", label=name)
    left.set(xscale="log", ylim=(0, None), xlabel="triples, or quads of statements", ylabel="µs each")
    right.set(xscale="log", ylim=(0, None), xlabel="triples, or quads of statements", ylabel="MB at the peak")
    left.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=120)


def main() -> None:
    """Run it."""
    if sys.argv[1:2] == ["--step"]:
        print(json.dumps(STEPS[sys.argv[2]](*sys.argv[3:])))
        return
    options = parser(__doc__ or "")
    options.add_argument("--triples", type=int, default=100_000, help="triples of the comparisons")
    options.add_argument("--scale", type=int, default=0, help="also import 10,000 to so many triples")
    chosen = options.parse_args()
    runs = [compare(chosen.triples, seed) for seed in range(chosen.seeds)]
    loads, said = [r["load"]["ratio"] for r in runs], [r["statements"]["ratio a quad"] for r in runs]
    rows = [("import, kgfuse ÷ bulk_load (two copies against one)", shown(loads, 2))]
    if all(said):
        rows.append(("statement nodes, a quad, kgfuse ÷ bulk_load", shown(said, 2)))
    table(f"Writing {chosen.triples:,} triples", rows)
    rows = []
    for name in QUERIES:
        times = [r["queries_ms"][name] for r in runs]
        ratios = [f"÷ engine {shown([t['kgfuse'] / t['engine'] for t in times], 2)}"]
        for side in ("oxrdflib", "rdflib"):
            if all(side in t for t in times):
                ratios.append(f"{side} ÷ kgfuse {shown([t[side] / t['kgfuse'] for t in times], 1)}")
        rows.append((name, f"{shown([t['kgfuse'] for t in times], 2)} ms; " + "; ".join(ratios)))
    table("Queries", rows)
    rows = []
    for ours, theirs in (("to_pyg", "pyg through oxrdflib"), ("to_networkx", "networkx through oxrdflib")):
        factor = [r["views_s"][theirs] / r["views_s"][ours] for r in runs]
        rows.append(
            (ours, f"{shown([r['views_s'][ours] for r in runs])} s, {shown(factor, 1)} × as fast as by oxrdflib")
        )
    table("Views", rows)
    result: dict[str, Any] = {
        "triples": chosen.triples,
        "runs": runs,
        "summary": {"load": summary(loads), "statements": summary(said) if all(said) else None},
    }
    if chosen.scale:
        result["scale"] = scaling(chosen.scale, 0)
        table(
            "Scale: µs a triple and MB at the peak; µs a quad of statements and MB",
            [
                (
                    f"{row['triples']:,} triples, {row['statements']['statements']:,} statements",
                    f"{1e6 * row['load']['seconds'] / row['load']['triples']:.1f} µs, {row['load']['memory']:,.0f} MB; "
                    f"{1e6 * row['statements']['seconds'] / row['statements']['quads']:.1f} µs, "
                    f"{row['statements']['memory']:,.0f} MB",
                )
                for row in result["scale"]
            ],
        )
        if chosen.out:
            chosen.out.mkdir(parents=True, exist_ok=True)
            plot(result["scale"], chosen.out / "scale.png")
    write(chosen.out, "graph", result)


if __name__ == "__main__":
    main()
