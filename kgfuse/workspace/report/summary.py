"""What a demo run made and found, as the page shows it: counts, times, ablation, answers by class."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup

from kgfuse.errors import KgfuseError
from kgfuse.fuse.ablation import Difference, Row
from kgfuse.workspace.report.ablation_plot import ablation_plot
from kgfuse.workspace.report.pictures import inline
from kgfuse.workspace.report.sources import item_pictures

if TYPE_CHECKING:
    from kgfuse.workspace.build import BuildReport
    from kgfuse.workspace.demo import DemoResult
    from kgfuse.workspace.workspace import Workspace

_THUMBNAIL: Final = 56
_MOST_THUMBNAILS: Final = 120
_COUNTS: Final = ("sources", "items", "asserted", "inferred", "statements", "mentions", "entities")
_MEANT: Final = {
    "sources": "texts, pictures and manifests",
    "items": "things to classify",
    "asserted": "triples that sources state",
    "inferred": "triples that follow (OWL 2 RL and rules)",
    "statements": "triples found by extraction, each with its evidence",
    "mentions": "places in texts and pictures",
    "entities": "things named only in texts",
}


@dataclass(frozen=True, slots=True)
class Count:
    """A number with its meaning."""

    name: str
    number: int
    meaning: str


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """Statements that one rule of the gate kept out, with one of them as an example."""

    rule: str
    number: int
    example: str
    reason: str


@dataclass(frozen=True, slots=True)
class Compared:
    """The ablation of one target: plot, rows, differences to the fusion by row name; ``on``: which items, in words."""

    target: str
    plot: Markup
    rows: tuple[Row, ...]
    against: dict[str, Difference]
    runs: int
    on: str
    seeds: tuple[int, ...]
    conclusion: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One line of the list of answers."""

    name: str
    picture: str
    truth: str
    label: str
    probability: float
    right: bool | None
    runner_up: str


def counts(build: BuildReport) -> list[Count]:
    """What the graph holds."""
    return [Count(name, int(getattr(build, name)), _MEANT[name]) for name in _COUNTS]


def turned_away(ws: Workspace, build: BuildReport) -> list[TurnedAway]:
    """What the gate kept out, by rule, most frequent first; also that of an earlier build that still stands."""
    records = _rejected(ws, build)
    by: dict[str, list[dict[str, Any]]] = {}
    for record in records:
        by.setdefault(str(record["rule"]), []).append(record)
    order = sorted(by, key=lambda rule: (-len(by[rule]), rule))
    return [TurnedAway(r, len(by[r]), _said(ws, by[r][0]), str(by[r][0]["reason"])) for r in order]


def tags_turned_away(ws: Workspace, build: BuildReport) -> TurnedAway | None:
    """Picture tags that the gate kept out, with one of them as an example."""
    depicts = ws.vocabulary.expand("kgf:depicts")
    records = [r for r in _rejected(ws, build) if r["predicate"] == depicts]
    if not records:
        return None
    return TurnedAway(str(records[0]["rule"]), len(records), _said(ws, records[0]), str(records[0]["reason"]))


def _rejected(ws: Workspace, build: BuildReport) -> list[dict[str, Any]]:
    from kgfuse.workspace.build import rejected_record

    if build.rejected or not build.unchanged:
        return [rejected_record(r) for r in build.rejected]
    kept: list[dict[str, Any]] = json.loads(ws._parts.catalog.get_state("rejected") or "[]")
    return kept


def _said(ws: Workspace, record: dict[str, Any]) -> str:
    return " · ".join(_readable(ws, str(record[k])) for k in ("subject", "predicate", "object"))


def violations(ws: Workspace, build: BuildReport) -> list[TurnedAway]:
    """SHACL results by message, most frequent first."""
    by = Counter((v.severity.rpartition("#")[2], v.message) for v in build.violations)
    first = {(v.severity.rpartition("#")[2], v.message): v.focus for v in reversed(build.violations)}
    order = sorted(by, key=lambda k: (-by[k], k))
    return [TurnedAway(k[0], by[k], _readable(ws, first[k]), _readable(ws, k[1])) for k in order]


def _readable(ws: Workspace, message: str) -> str:
    """A message with names in place of IRIs."""
    return re.sub(r"(?:https?|urn):[^\s<>\"]*[\w/#]", lambda found: ws.graph.label(found[0]), message)


def compared(
    ws: Workspace, ablation: Mapping[str, Any], frequent: Mapping[str, float], on: str, resplit: bool | None
) -> list[Compared]:
    """The ablation of every target.

    Args:
        ws: the workspace.
        ablation: what :meth:`kgfuse.fuse.ablation.Ablation.to_dict` gave, as a model keeps it.
        frequent: target → accuracy of always giving the most frequent class, where known.
        on: ``test`` or ``validation``: the items that judge.
        resplit: whether each run split the items anew; ``None`` where that is not known.
    """
    low, high = min(ablation["items"]), max(ablation["items"])
    judged = f"{low if low == high else f'{low} to {high}'} {on} items"
    own_split = {True: " of its own random split", False: " of the same split, with its own seed", None: ""}[resplit]
    made = []
    for n, (target, own) in enumerate(ablation["targets"].items()):
        rows = tuple(Row(r["name"], tuple(r["scores"]), (), ()) for r in own["rows"])
        differences = tuple(
            Difference(d["row"], d["against"], d["mean"], d["sd"], d["margin"]) for d in own["differences"]
        )
        made.append(
            Compared(
                target=ws.graph.label(target),
                plot=ablation_plot(rows, frequent.get(target), f"ablation-{n}"),
                rows=rows,
                against={d.against: d for d in differences},
                runs=len(ablation["seeds"]),
                on=judged + own_split,
                seeds=tuple(ablation["seeds"]),
                conclusion=_conclusion(differences),
            )
        )
    return made


def _conclusion(differences: tuple[Difference, ...]) -> str:
    """What may be claimed, and what may not."""
    better = [d.against for d in differences if not d.inside_noise and d.mean > 0]
    worse = [d.against for d in differences if not d.inside_noise and d.mean < 0]
    open_ = [d.against for d in differences if d.inside_noise]
    said = []
    if better:
        said.append(f"Graph-aware fusion is better than {_listed(better)} by more than the noise.")
    if worse:
        said.append(f"It is worse than {_listed(worse)} by more than the noise.")
    if open_:
        said.append(f"Between it and {_listed(open_)} the data do not decide: the difference lies inside the noise.")
    return " ".join(said)


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def frequent_share(ws: Workspace) -> float | None:
    """Accuracy of always giving the most frequent class, over all labelled items."""
    found = Counter(c for i in ws.items() for values in i.labels.values() for c in values)
    return max(found.values()) / found.total() if found else None


def answers(ws: Workspace, result: DemoResult) -> list[Answer]:
    """Every answer on the test items: wrong ones first, then by probability."""
    truth = _truth(ws)
    files = item_pictures(ws)
    made = []
    for n, p in enumerate(
        sorted(result.predictions, key=lambda p: (p.label_iri in truth.get(p.item, ()), -p.probability))
    ):
        picture = ""
        if p.item in files and n < _MOST_THUMBNAILS:
            try:
                picture = inline(files[p.item], p.name, _THUMBNAIL).uri
            except KgfuseError:
                picture = ""
        own = truth.get(p.item, frozenset())
        made.append(
            Answer(
                name=p.name,
                picture=picture,
                truth=", ".join(sorted(_class(ws, c) for c in own)),
                label=p.label or "no answer",
                probability=p.probability,
                right=p.label_iri in own if own else None,
                runner_up=f"{p.ranking[1].label} {p.ranking[1].probability:.0%}" if len(p.ranking) > 1 else "",
            )
        )
    return made


def flat(settings: Mapping[str, Any], above: str = "") -> list[tuple[str, str]]:
    """Settings as names with dots, in the order of their names.

    >>> flat({"gnn": {"layers": 2}, "epochs": 9})
    [('epochs', '9'), ('gnn.layers', '2')]
    """
    found: list[tuple[str, str]] = []
    for name, value in settings.items():
        inner = isinstance(value, Mapping) and value
        found += flat(value, f"{above}{name}.") if inner else [(above + name, str(value))]
    return sorted(found)


def _truth(ws: Workspace) -> dict[str, frozenset[str]]:
    return {i.iri: frozenset(c for values in i.labels.values() for c in values) for i in ws.items() if i.labels}


def _class(ws: Workspace, name: str) -> str:
    return ws.graph.label(name) if ":" in name else name
