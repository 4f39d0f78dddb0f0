"""Extraction: speed beside bare spaCy, by relations, terms and workers; entity resolution; what batch sizes change.

    python -m tests.benchmarks.extract [--data DIR] [--out DIR] [--seeds N] [--quick]

``--data`` holds ``.txt`` files or Text2KGBench; without it sentences are drawn from a seed. The neural reader has heads
as drawn, as slow as trained ones. Each part runs in a process of its own; ``--quick`` is for seeing that it runs.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks import common
from tests.benchmarks import extract_parts as parts
from tests.benchmarks.extract_texts import documents, given, sentences


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured."""

    documents: int = 600
    sentences: int = 400
    relations: tuple[int, ...] = (10, 50, 100, 500)
    terms: tuple[int, ...] = (1_000, 10_000, 100_000, 1_000_000)
    mentions: int = 100_000
    worker_documents: int = 1_500


QUICK = Sizes(24, 16, (10,), (1_000,), 2_000, 24)


def alone(work: Callable[..., Any], *arguments: Any) -> Any:
    """The result of a call in a fresh process."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work, *arguments).result()


def _mb(value: float | None) -> str:
    return "?" if value is None else f"{value:,.0f} MB"


def measure(sizes: Sizes, data: Path | None, seeds: int) -> dict[str, Any]:
    """Run all parts, and print each as it is ready."""
    texts = given(data)
    docs = texts[: sizes.documents] or documents(sizes.documents)
    lines = texts[: sizes.sentences] or sentences(sizes.sentences)
    result: dict[str, Any] = {"texts": "given" if texts else "drawn", "seeds": seeds}

    text = result["text"] = alone(parts.text_speed, docs, seeds)
    common.table(
        f"text extractor, {len(docs):,} documents, {seeds} runs",
        [
            ("bare spacy.pipe", f"{common.shown(text['bare_per_s'], 1)} documents/s   {_mb(text['bare_mb'])}"),
            ("text extractor", f"{common.shown(text['ours_per_s'], 1)} documents/s   {_mb(text['ours_mb'])}"),
            ("ratio (target 0.8)", common.shown(text["ratio"])),
        ],
    )
    result["relations"] = [alone(parts.relation_speed, lines, n, seeds) for n in sizes.relations]
    common.table(
        f"neural reader, sentences a second, {len(lines):,} sentences (target 20 at 10 relations)",
        [
            (f"{r['relations']} relations", f"{common.shown(r['per_s'], 1)}   {_mb(r['peak_mb'])}")
            for r in result["relations"]
        ],
    )
    learned = result["learned"] = alone(parts.learned_speed, lines, seeds)
    common.table(
        f"neural extractor, one thread, texts of one sentence a second, {learned['relations']} relations",
        [
            ("one by one", common.shown(learned["alone_per_s"], 1)),
            ("in batches", common.shown(learned["together_per_s"], 1)),
            ("statements", "equal" if learned["equal"] else "DIFFERENT"),
        ],
    )
    result["lexicon"] = [alone(parts.lexicon_speed, docs[: max(1, len(docs) // 3)], n) for n in sizes.terms]
    common.table(
        "lexicon: seconds to build, memory for it, documents a second",
        [
            (f"{r['terms']:,} terms", f"{r['build_s']:.2f} s   {_mb(r['grown_mb'])}   {r['per_s']:.1f}")
            for r in result["lexicon"]
        ],
    )
    solved = result["resolution"] = alone(parts.resolution, sizes.mentions)
    common.table(
        "entity resolution",
        [
            (
                f"{solved['mentions']:,} mentions",
                f"{solved['seconds']:.1f} s   {_mb(solved['before_mb'])} before, {_mb(solved['peak_mb'])} at most   "
                f"{solved['entities']:,} entities, {solved['facts']:,} facts",
            )
        ],
    )
    sized = result["batches"] = alone(parts.batch_sizes, lines)
    common.table(
        f"batch sizes beside 1: of {sized['triples']:,} triples, differing; of these beyond 1e-4; largest move",
        [
            (f"{r['size']} sentences", f"{r['differing']}   {r['beyond_1e-4']}   {r['largest_move']:.1e}")
            for r in sized["relations"]
        ]
        + [("text extractor", f"{sized['text_differing']} of {sized['sentences']} sentences differ")],
    )
    many = texts[: sizes.worker_documents] or documents(sizes.worker_documents)
    worked = result["workers"] = alone(parts.worker_speed, many)
    common.table(
        f"workers, {worked['documents']:,} documents: documents a second, loading included",
        [(f"{n} workers", f"{speed:.1f}") for n, speed in worked["per_s"].items()]
        + [("graphs", "equal" if worked["equal"] else "DIFFERENT")],
    )
    return result


def main() -> None:
    """Run the benchmark."""
    parser = common.parser(__doc__ or "")
    parser.add_argument("--data", type=Path, help="folder of texts, or of Text2KGBench")
    parser.add_argument("--quick", action="store_true", help="sizes that take about a minute")
    options = parser.parse_args()
    result = measure(QUICK if options.quick else Sizes(), options.data, options.seeds)
    result["text"] |= {n: common.summary(result["text"][n]) for n in ("bare_per_s", "ours_per_s", "ratio")}
    result["learned"] |= {n: common.summary(result["learned"][n]) for n in ("alone_per_s", "together_per_s")}
    for row in result["relations"]:
        row["per_s"] = common.summary(row["per_s"])
    common.write(options.out, "extract", result)


if __name__ == "__main__":
    main()
