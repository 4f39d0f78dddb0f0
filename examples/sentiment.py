"""Text sentiment end to end: rated sentences, a lexicon as background knowledge, a trained model beside the baselines.

    python -m pip download --no-deps --no-binary :all: -d data-sentiment vaderSentiment==3.3.2
    python -m examples.sentiment --archive data-sentiment/vaderSentiment-3.3.2.tar.gz --out data-sentiment

Takes 600 sentences (a few minutes); ``--limit 0`` takes all, ``--part`` another part, ``--data reviews.csv`` your own.
See ``sentiment_data`` for the sentences, ``sentiment_baselines`` for what is compared with.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from examples.sentiment_baselines import baselines, measures
from examples.sentiment_data import Example, arguments, describe, load, write_manifest, write_pack
from kgfuse import Workspace
from kgfuse.cli.progress import OnEvent, progress_bars
from kgfuse.errors import KgfuseError
from kgfuse.terms.namespaces import item_iri, local_name

TARGET = "senti:Sentiment"
LIMIT = 600
WORDS = """
SELECT ?word ?valence (COUNT(?text) AS ?texts)
WHERE { ?text senti:mentionsWord ?w . ?w skos:prefLabel ?word ; senti:valence ?valence }
GROUP BY ?word ?valence ORDER BY DESC(?texts) ?word LIMIT 5
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the run found.

    Args:
        counts: labels in each split.
        reached: share of the texts in which a sentiment word was found.
        words: the most frequent of these words, with valence and number of texts.
        test: accuracy and macro F1 on the test split, by method.
        ablation: the table of what text and graph are worth.
        example: an answer led back to the words it rests on.
    """

    counts: dict[str, dict[str, int]]
    reached: float
    words: list[dict[str, str]]
    test: dict[str, dict[str, float]]
    ablation: str
    example: list[str]

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return {name: getattr(self, name) for name in ("counts", "reached", "words", "test", "ablation", "example")}


def run(examples: Sequence[Example], out: Path, on_event: OnEvent, *, runs: int = 3) -> Outcome:
    """Build, train and classify in ``out/sentiment.kg``; a workspace from an earlier run is gone on with.

    Args:
        examples: sentences with labels.
        out: folder for manifest, pack and workspace.
        on_event: told about progress.
        runs: seeds that the ablation goes over.
    """
    out.mkdir(parents=True, exist_ok=True)
    write_manifest(examples, out / "manifest.jsonl")
    write_pack(out / "pack")
    place = out / "sentiment.kg"
    with Workspace.open(place) if place.exists() else Workspace.create(place, ontologies=[str(out / "pack")]) as ws:
        ws.add(out / "manifest.jsonl", on_event=on_event)
        ws.build(on_event=on_event)
        reached = len(ws.query("SELECT DISTINCT ?text WHERE { ?text senti:mentionsWord ?word }")) / len(examples)
        trained = ws.train(TARGET, runs=runs, name="sentiment", on_event=on_event)
        predictions = ws.classify(on_event=on_event)
        found = {p.item: local_name(p.label_iri) == "Positive" for p in predictions}
        test = [e for e in examples if e.split == "test"]
        truth = np.array([e.label == "positive" for e in test])
        answers = np.array([found[item_iri(e.id)] for e in test])
        surest = max(predictions, key=lambda p: (p.probability, p.item)).explain()
        text = next(e.text for e in test if item_iri(e.id) == surest.item)
        return Outcome(
            counts=describe(examples),
            reached=reached,
            words=list(ws.query(WORDS)),
            test={**baselines(examples), "kgfuse: text and graph": measures(truth, answers)},
            ablation=trained.ablation.table() if trained.ablation else "",
            example=[
                f"“{text}”: {surest.label}, probability {surest.probability:.2f}",
                *(f"{s.text}: {s.effect:+.3f} without it; {_places(s)}" for s in surest.statements if s.places),
            ],
        )


def _places(statement: Any) -> str:
    return ", ".join(f"“{p.exact}” at {p.start}–{p.end}" for p in statement.places)


def options_parser() -> argparse.ArgumentParser:
    """The options of ``sentiment_data``, with a sample by default, and the number of runs."""
    parser = arguments()
    parser.description = __doc__
    parser.set_defaults(limit=LIMIT)
    parser.add_argument("--runs", type=int, default=3, help="seeds that the ablation goes over")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, and write ``result.json``."""
    options = options_parser().parse_args(argv)
    options.limit = options.limit or None
    try:
        examples = load(options)
        with progress_bars(Console(stderr=True)) as on_event:
            outcome = run(examples, options.out, on_event, runs=options.runs)
    except KgfuseError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    (options.out / "result.json").write_text(json.dumps(outcome.to_dict(), indent=2) + "\n", encoding="utf-8")
    for split, labels in outcome.counts.items():
        print(f"{split:10} {labels['positive']:6} positive {labels['negative']:6} negative")
    print(f"\nA sentiment word was found in {outcome.reached:.0%} of the texts; most often:")
    for word in outcome.words:
        print(f"  {word['word']:12} valence {word['valence']:>6}  {word['texts']} texts")
    print(f"\n{outcome.ablation}\n\nTest split")
    for name, row in outcome.test.items():
        print(f"  {name:32} accuracy {row['accuracy']:.3f}  macro F1 {row['macro_f1']:.3f}")
    print("\nThe surest answer")
    for line in outcome.example:
        print(f"  {line}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
