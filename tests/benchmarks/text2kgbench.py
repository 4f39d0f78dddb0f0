"""Text2KGBench: relation extraction with 29 ontologies, trained or zero-shot, by the official and by a strict score.

``python -m tests.benchmarks.text2kgbench --data DIR --out DIR [--zero-shot] [--only NAME,…] [--model DIR] [--seeds N]``

Trains on the training sentences of every ontology in DIR; thresholds and every choice come from development sentences
taken from them; nothing is fitted on test. ``--zero-shot`` trains on the odd-numbered ontologies of both families and
reads the even-numbered ones, then the reverse. Writes ``OUT/<family>/<ontology>_output.jsonl`` with one line for every
test sentence, and ``OUT/result.json``. The published figures beside are of language models with few examples, not
trained: another setting.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch

from kgfuse.errors import KgfuseError
from kgfuse.extract.learned.artefact import RelationReader
from kgfuse.extract.learned.corpus import Annotated
from kgfuse.extract.learned.fitting import fit
from kgfuse.extract.learned.locate import is_anaphor
from kgfuse.extract.learned.training import TrainSettings
from tests.benchmarks import common
from tests.benchmarks.text2kg.data import FAMILIES, Ontology, read_all
from tests.benchmarks.text2kg.scoring import Score, Triple, mean_over, score

PUBLISHED = {"wikidata_tekgen": 0.35, "dbpedia_webnlg": 0.30}
"""Official F1 of Vicuna-13B with few examples (Mihindukulasooriya et al. 2023), which are not trained on the data."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    p = common.parser(__doc__ or "", data=True)
    p.add_argument("--zero-shot", action="store_true", help="read each ontology with a reader trained on the others")
    p.add_argument("--only", default="", help="names of ontologies, with commas")
    p.add_argument("--model", type=Path, help="a trained extractor to read with, instead of training")
    p.add_argument("--epochs", type=int, default=TrainSettings().epochs)
    p.add_argument("--save", type=Path, help="folder to keep the trained extractor in")
    options = p.parse_args(arguments)
    torch.set_num_threads(common.environment()["cores"])
    try:
        ontologies = read_all(options.data, [n for n in options.only.split(",") if n])
        runs = [_run(options, ontologies, seed) for seed in range(options.seeds)]
    except KgfuseError as error:
        print(error, file=sys.stderr)
        return 1
    _report(options, ontologies, runs)
    return 0


def _run(options: argparse.Namespace, ontologies: Sequence[Ontology], seed: int) -> dict[str, Any]:
    began = time.perf_counter()
    predicted: dict[str, list[list[Triple]]] = {}
    record: dict[str, Any] = {"seed": seed}
    if options.zero_shot:
        for fold in (1, 0):
            known = [o for o in ontologies if o.number % 2 == fold]
            new = [o for o in ontologies if o.number % 2 != fold]
            if not new:
                continue
            reader = _reader(options, known, seed, f"fold-{fold}")
            predicted |= {_name(o): _read(reader, o) for o in new}
        record["labels_in_both_folds"] = _shared(ontologies)
    else:
        reader = _reader(options, ontologies, seed, "")
        predicted = {_name(o): _read(reader, o) for o in ontologies}
        record["development"] = {k: dict(v.scores) for k, v in reader.learned.items() if k.startswith("style:")}
        record["thresholds"] = {k: v.threshold for k, v in reader.learned.items() if k.startswith("style:")}
    record["seconds"] = round(time.perf_counter() - began, 1)
    if seed == 0 and options.out:
        _write(options.out, ontologies, predicted)
    record["scores"] = {_name(o): s.to_dict() for o in ontologies if (s := _score(o, predicted[_name(o)]))}
    record["families"] = {}
    for family in FAMILIES:
        scores = [s for o in ontologies if o.family == family and (s := _score(o, predicted[_name(o)]))]
        if scores:
            record["families"][family] = mean_over(scores).to_dict()
    if options.zero_shot:
        record["apart"] = _apart(ontologies, predicted, set(record["labels_in_both_folds"]))
    return record


def _reader(options: argparse.Namespace, ontologies: Sequence[Ontology], seed: int, part: str) -> RelationReader:
    if options.model:
        return RelationReader.load(options.model / part)
    annotated = [Annotated(o.schema, o.train, o.family) for o in ontologies if o.train]
    settings = TrainSettings(epochs=options.epochs, seed=seed, unseen=options.zero_shot)
    reader = fit(annotated, settings, on_step=_progress(f"{part} seed {seed}"))
    if options.save and seed == 0:
        reader.save(options.save / part)
    return reader


def _progress(name: str) -> Any:
    began, lost = time.perf_counter(), [0.0, 0]

    def on_step(step: int, total: int, loss: float) -> None:
        lost[0] += loss
        lost[1] += 1
        if step % 200 == 0 or step == total:
            seconds = time.perf_counter() - began
            print(f"{name} step {step} of {total}, loss {lost[0] / lost[1]:.2f}, {seconds:.0f} s", file=sys.stderr)
            lost[:] = [0.0, 0]

    return on_step


def _read(reader: RelationReader, ontology: Ontology) -> list[list[Triple]]:
    """Triples of every test sentence; a subject that only a pronoun speaks of has no name to give."""
    sentences = [sentence for _, sentence in ontology.test]
    found: list[list[Triple]] = []
    rows = reader.read(sentences, ontology.schema, ontology.family, stating=True)
    for sentence, row in zip(sentences, rows, strict=True):
        named = [f for f in row if not is_anaphor(sentence[slice(*f.subject)])]
        found.append(list(dict.fromkeys((f.subject_label, f.relation.label, f.object_label) for f in named)))
    return found


def _name(ontology: Ontology) -> str:
    return f"{ontology.family}/{ontology.name}"


def _score(ontology: Ontology, predicted: Sequence[Sequence[Triple]], labels: set[str] | None = None) -> Score | None:
    """Score of an ontology; ``labels`` restricts gold and predictions, and the sentences to those with such gold."""
    if ontology.gold is None or not ontology.test:
        return None
    gold = [(sentence, ontology.gold.get(key, [])) for key, sentence in ontology.test]
    if labels is not None:
        kept = [
            (s, [t for t in g if t[1] in labels], [t for t in p if t[1] in labels])
            for (s, g), p in zip(gold, predicted, strict=True)
        ]
        kept = [k for k in kept if k[1]]
        if not kept:
            return None
        gold, predicted = [(s, g) for s, g, _ in kept], [p for _, _, p in kept]
    return score(gold, predicted, {r.label for r in ontology.schema.relations})


def _shared(ontologies: Iterable[Ontology]) -> list[str]:
    """Relation labels of both folds: in zero-shot these are new ontologies' old relations."""
    sides: tuple[set[str], set[str]] = (set(), set())
    for o in ontologies:
        sides[o.number % 2].update(r.label for r in o.schema.relations)
    return sorted(sides[0] & sides[1])


def _apart(
    ontologies: Sequence[Ontology], predicted: dict[str, list[list[Triple]]], shared: set[str]
) -> dict[str, Any]:
    """Zero-shot scores over labels seen in the other fold, and over labels that are wholly new."""
    found: dict[str, Any] = {}
    for family in FAMILIES:
        for name, wanted in (("seen labels", True), ("new labels", False)):
            scores = []
            for o in ontologies:
                labels = {r.label for r in o.schema.relations if (r.label in shared) == wanted}
                if o.family == family and (s := _score(o, predicted[_name(o)], labels)):
                    scores.append(s)
            if scores:
                found[f"{family}, {name}"] = mean_over(scores).to_dict()
    return found


def _write(out: Path, ontologies: Sequence[Ontology], predicted: dict[str, list[list[Triple]]]) -> None:
    for o in ontologies:
        file = out / o.family / f"{o.name}_output.jsonl"
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("w", encoding="utf-8") as lines:
            for (key, _), triples in zip(o.test, predicted[_name(o)], strict=True):
                record = {"id": key, "triples": [{"sub": s, "rel": r, "obj": t} for s, r, t in triples]}
                lines.write(json.dumps(record, ensure_ascii=False) + "\n")


def _report(options: argparse.Namespace, ontologies: Sequence[Ontology], runs: Sequence[dict[str, Any]]) -> None:
    for family in FAMILIES:
        scored = [r["families"][family] for r in runs if family in r["families"]]
        if not scored:
            continue
        rows = [
            (name, common.shown([s[key] for s in scored]))
            for name, key in (
                ("official F1", "official_f1"), ("strict F1", "strict_f1"), ("strict precision", "strict_precision"),
                ("strict recall", "strict_recall"), ("conformance", "conformance"),
                ("subject not in the sentence as written", "subject_hallucination"),
                ("object not in the sentence as written", "object_hallucination"), ("coverage", "coverage"),
            )
        ]  # fmt: skip
        rows.append(("Vicuna-13B, few-shot, official F1 (published)", f"{PUBLISHED[family]:.2f}"))
        setting = "trained on the other fold's ontologies" if options.zero_shot else "trained"
        common.table(f"{family}, {setting}, {len(runs)} seed(s)", rows)
        for o in ontologies:
            if o.family == family and _name(o) in runs[0]["scores"]:
                each = [r["scores"][_name(o)] for r in runs]
                official = common.shown([s["official_f1"] for s in each])
                print(f"    {o.name:30} official {official}  strict {common.shown([s['strict_f1'] for s in each])}")
    for name in runs[0].get("apart", {}):
        each = [r["apart"][name] for r in runs if name in r["apart"]]
        common.table(name, [(k, common.shown([s[k] for s in each])) for k in ("official_f1", "strict_f1")])
    print(f"\nseconds a run: {common.shown([r['seconds'] for r in runs], 0)}")
    name = "text2kgbench zero-shot" if options.zero_shot else "text2kgbench"
    common.write(options.out, name, {"runs": list(runs), "published": PUBLISHED})


if __name__ == "__main__":
    raise SystemExit(main())
