"""The OWL 2 RL closure: the engine beside owlrl and the plain rule table, renewing beside computing anew, and scaling.

    python -m tests.benchmarks.closure [--data DIR] [--out DIR] [--seeds N] [--triples N]

``--data`` holds ``lubm/univ-bench.owl`` and ``obo/*.owl.ttl.gz``; without it the packs and a small university ontology
are all there is. Each comparison ends with a check that both infer the same; what is set aside is listed with its
reason. Times are of the machine; the ratios are what to look at.
"""

from __future__ import annotations

import gzip
import multiprocessing
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyoxigraph as ox

from kgfuse.ontology import load_all
from kgfuse.reason.closure import closure, plain_closure
from kgfuse.reason.engine import close, renew
from tests.benchmarks import common
from tests.reason.alignment import compare_rows, owlrl_closure
from tests.reason.university import Campus, ontology, university

COMPARED = 8_000
CHANGED = (1, 10, 100, 1000)
SCALES = (10_000, 100_000, 1_000_000, 10_000_000)


def univ_bench(folder: Path | None) -> list[ox.Triple]:
    """LUBM's ontology where the data are, else the small one that ships with the tests."""
    path = None if folder is None else folder / "lubm" / "univ-bench.owl"
    if path is None or not path.exists():
        return ontology()
    base = "http://swat.cse.lehigh.edu/onto/univ-bench.owl"
    return [q.triple for q in ox.parse(path.read_bytes(), format=ox.RdfFormat.RDF_XML, base_iri=base)]


def graphs(folder: Path | None, seed: int) -> dict[str, list[ox.Triple]]:
    """What is compared, by name."""
    campus = Campus(univ_bench(folder))
    found = {"universities": campus.triples(university(campus, COMPARED, seed))}
    for pack in ("general", "field-guide", "retail"):
        found[f"pack {pack}"] = sorted({t for p in load_all([pack]) for t in p.triples}, key=str)
    for path in sorted((folder / "obo").glob("*.ttl.gz")) if folder else []:
        text = gzip.decompress(path.read_bytes())
        found[path.name.split(".")[0]] = [q.triple for q in ox.parse(text, format=ox.RdfFormat.TURTLE)]
    return found


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds that a call takes, and what it gives."""
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


def compared(folder: Path | None, seeds: int) -> tuple[dict[str, dict[str, Any]], Counter[str]]:
    """Engine, owlrl and plain table on each graph."""
    times: dict[str, dict[str, list[float]]] = {}
    sizes: dict[str, tuple[int, int]] = {}
    differing: Counter[str] = Counter()
    aside: Counter[str] = Counter()
    closure(ontology())
    for seed in range(seeds):
        for name, graph in graphs(folder, seed).items():
            ours, inferred = timed(lambda g=graph: closure(g))
            plain, same = timed(lambda g=graph: plain_closure(g))
            theirs, (rows, back) = timed(lambda g=graph: owlrl_closure(g))
            missing, too_many, reasons = compare_rows(inferred, set(graph), rows, back)
            differing[name] += len(missing) + len(too_many) + len(inferred ^ same)
            aside += reasons
            kept = times.setdefault(name, {"engine": [], "owlrl": [], "plain": []})
            for key, value in (("engine", ours), ("owlrl", theirs), ("plain", plain)):
                kept[key].append(value)
            sizes[name] = len(graph), len(inferred)
    found: dict[str, dict[str, Any]] = {}
    for name, kept in times.items():
        ratios = {
            other: [a / b for a, b in zip(kept[other], kept["engine"], strict=True)] for other in ("owlrl", "plain")
        }
        found[name] = {
            "triples": sizes[name][0],
            "inferred": sizes[name][1],
            "seconds": {k: common.summary(v) for k, v in kept.items()},
            "times_faster_than": {k: common.summary(v) for k, v in ratios.items()},
            "differing": differing[name],
        }
    return found, aside


def renewed(size: int, seed: int) -> list[dict[str, Any]]:
    """Taking away and giving back a few triples, beside computing anew."""
    campus = Campus(ontology())
    rows = university(campus, size, seed)
    inferred = close(rows, campus)
    random = np.random.default_rng(seed)
    data = np.flatnonzero(rows[:, 0] >= campus.base)
    found = []
    for many in CHANGED:
        left = np.delete(rows, random.choice(data, many, replace=False), axis=0)
        anew, without = timed(lambda rest=left: close(rest, campus))
        removing, removed = timed(lambda rest=left: renew(rest, rows, inferred, campus))
        adding, added = timed(lambda rest=left, old=without: renew(rows, rest, old, campus))
        equal = np.array_equal(removed, without) and np.array_equal(added, inferred)
        found.append({"changed": many, "remove": anew / removing, "add": anew / adding, "anew_s": anew, "equal": equal})
    return found


def _peak_mb() -> float:
    """Largest resident set of this program; `getrusage` would count that of the process that started it."""
    status = Path("/proc/self/status")
    if not status.exists():
        return common.peak_memory_mb()
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return round(int(line.split()[1]) / 1024, 1)


def scaled(size: int, seed: int) -> dict[str, Any]:
    """The engine alone; run in a process of its own, so that the memory is its own."""
    campus = Campus(ontology())
    rows = university(campus, size, seed)
    before = _peak_mb()
    seconds, inferred = timed(lambda: close(rows, campus))
    return {
        "triples": len(rows),
        "inferred": len(inferred),
        "seconds": seconds,
        "microseconds_per_triple": seconds / len(rows) * 1e6,
        "peak_mb": _peak_mb(),
        "peak_mb_before": before,
    }


def _scales(largest: int) -> list[int]:
    return [n for n in SCALES if n < largest] + [largest]


def main() -> None:
    """Run the benchmark."""
    parser = common.parser(__doc__ or "")
    parser.add_argument("--data", type=Path, help="folder with lubm/ and obo/")
    parser.add_argument("--triples", type=int, default=10_000_000, help="how far to scale")
    options = parser.parse_args()
    comparison, aside = compared(options.data, options.seeds)
    common.table(
        f"times faster than owlrl, and than the plain table; {options.seeds} runs",
        [
            (
                f"{name} ({c['triples']:,} + {c['inferred']:,})",
                f"{common.shown(c['times_faster_than']['owlrl']['values'], 1)}   "
                f"{common.shown(c['times_faster_than']['plain']['values'], 1)}   "
                + ("equal" if not c["differing"] else f"{c['differing']} DIFFER"),
            )
            for name, c in comparison.items()
        ],
    )
    common.table("set aside before comparing with owlrl", [(f"{n:,}", why) for why, n in aside.most_common()])
    size = min(options.triples, 1_000_000)
    changes = [renewed(size, seed) for seed in range(options.seeds)]
    common.table(
        f"renewing {size:,} triples: times faster than computing anew, removing and adding",
        [
            (
                f"{rows[0]['changed']:,} triples",
                f"{common.shown([r['remove'] for r in rows], 1)}   {common.shown([r['add'] for r in rows], 1)}   "
                + ("equal" if all(r["equal"] for r in rows) else "DIFFERENT"),
            )
            for rows in zip(*changes, strict=True)
        ],
    )
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        scales = [pool.apply(scaled, (n, 0)) for n in _scales(options.triples)]
    common.table(
        "the engine alone: seconds, microseconds a triple, peak memory",
        [
            (
                f"{s['triples']:,} + {s['inferred']:,}",
                f"{s['seconds']:.2f} s   {s['microseconds_per_triple']:.2f} µs   {s['peak_mb']:,.0f} MB",
            )
            for s in scales
        ],
    )
    result = {"compared": comparison, "set_aside": dict(aside), "renewed": changes, "scaled": scales}
    common.write(options.out, "closure", result)


if __name__ == "__main__":
    main()
