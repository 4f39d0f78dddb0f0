"""Search for settings: trials on the same folds, the default first, the best checked once more."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Collection
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import numpy as np

from kgfuse.errors import TrainingError
from kgfuse.fuse.config import TrainConfig
from kgfuse.fuse.data import FusionData, Split, check_data
from kgfuse.fuse.search.budget import Search
from kgfuse.fuse.search.folds import Losses, Plan, losses, make_plan
from kgfuse.fuse.search.result import Gain, SearchResult, Tried, difference
from kgfuse.fuse.search.space import Space, built_in, describe, space_of, value_of
from kgfuse.fuse.search.trials import Trial, Trials, opened, start
from kgfuse.fuse.train import fingerprint

PROTOCOL: Final = 1
"""Changes when trials are judged in another way, so that old ones are not mixed with new ones."""
_BEHIND: Final = 2.0
"""Standard errors behind the best trial from which on a trial is stopped before its last fold."""


def search(
    data: FusionData,
    split: Split,
    base: TrainConfig,
    asked: Search,
    *,
    pinned: Collection[str] = (),
    file: Path | None = None,
    learned_features: bool = False,
    on_trial: Callable[[Tried], None] | None = None,
) -> SearchResult:
    """Look for settings with less log-loss than ``base`` has; the labels of ``split.test`` are not read.

    The first trial is ``base`` itself. Each trial fits on the folds of :class:`~kgfuse.fuse.search.folds.Plan` and is
    stopped early where it is clearly worse than the best so far. A trial that fails is noted, and the search goes on.
    In the end the best trial and ``base`` meet once more on judges dealt anew; only what is beyond noise is chosen.

    Args:
        data: items, graph, targets.
        split: of the run.
        base: settings to start from.
        asked: budget and space.
        pinned: settings that the built-in space leaves alone.
        file: SQLite file (an Optuna study) that keeps the trials; ``None`` keeps them in memory.
        learned_features: see :func:`~kgfuse.fuse.search.folds.make_plan`.
        on_trial: called after each trial.

    Raises:
        TrainingError: the data are too few, or the default settings fail.
        UsageError: the search space does not fit.
        ModelError: the file is damaged.
    """
    check_data(data, split)
    space = space_of(asked.space, base, {*pinned, *_without_effect(data, split, base)})
    plan = make_plan(data, split, base.seed, learned_features=learned_features)
    about = {"space": describe(space), "base": base.model_dump(mode="json"), "way": plan.way, "kgfuse": _version()}
    key = hashlib.sha256(json.dumps([fingerprint(data, split, base), about], sort_keys=True).encode()).hexdigest()
    with opened(file, f"{data.targets[0].name} {key[:16]}", about) as trials:
        run_ = _Run(data, base, space, plan, trials)
        run_.go(asked, on_trial)
        best, gain = run_.judged()
        config = base
        if gain is not None and gain.beyond_noise:
            config = run_.config(trials.all[best])
        return SearchResult(
            study=f"{data.targets[0].name} {key[:16]}",
            way=plan.way,
            items=plan.items,
            trials=tuple(run_.shown(number) for number in range(len(trials.all))),
            best=best,
            gain=gain,
            importance=trials.importance(space),
            config=config,
        )


class _Run:
    def __init__(self, data: FusionData, base: TrainConfig, space: Space, plan: Plan, trials: Trials) -> None:
        self.data, self.base, self.space, self.plan, self.trials = data, base, space, plan, trials

    def go(self, asked: Search, on_trial: Callable[[Tried], None] | None) -> None:
        """Trials until a limit is reached or nothing new turns up; what the last comparison will take is kept back."""
        began, longest = time.monotonic(), 0.0
        while asked.trials is None or len(self.trials.all) < asked.trials:
            since = time.monotonic()
            left = float("inf") if asked.seconds is None else asked.seconds - (since - began)
            if self.trials.all and left <= 2 * longest:
                break
            trial = self._first() if not self.trials.all else self._next()
            if trial is None:
                break
            self.trials.add(trial, self.space)
            longest = max(longest, time.monotonic() - since)
            if on_trial is not None:
                on_trial(self.shown(len(self.trials.all) - 1))

    def _first(self) -> Trial:
        try:
            found = np.concatenate([losses(self.data, fold, self.base, self.plan) for fold in self.plan.folds])
        except TrainingError as error:
            raise TrainingError(
                f"the default settings cannot be judged: {error.what}",
                remedy="label more items, or train without a search",
            ) from error
        return Trial("complete", self._start(), found, len(self.plan.folds), float(found.mean()))

    def _start(self) -> dict[str, Any]:
        return start({name: _setting(self.base, name) for name in self.space}, self.space)

    def _next(self) -> Trial | None:
        drawn = self.trials.propose(self.space, self._start(), self.base.seed)
        if drawn is None:
            return None
        default, best = self.trials.all[0].losses, self._best().losses
        found = np.zeros(0)
        for number, fold in enumerate(self.plan.folds, start=1):
            try:
                config = self._config(drawn)
                found = np.concatenate([found, losses(self.data, fold, config, self.plan)])
            except Exception as error:  # whatever a setting does to a fit, the others are tried all the same
                said = error.message if isinstance(error, TrainingError) else f"{type(error).__name__}: {error}"
                return Trial("failed", drawn, np.zeros(0), 0, float("inf"), " ".join(said.split())[:300])
            lead, error_ = difference(best[: len(found)], found, self.plan.groups)
            if number < len(self.plan.folds) and lead < -_BEHIND * error_:
                gain, _ = difference(default[: len(found)], found)
                return Trial("stopped", drawn, found, number, float(default.mean()) - gain)
        return Trial("complete", drawn, found, len(self.plan.folds), float(found.mean()))

    def _best(self) -> Trial:
        return min((t for t in self.trials.all if t.state == "complete"), key=lambda t: t.score)

    def judged(self) -> tuple[int, Gain | None]:
        """Number of the best trial, and how it does against the default where neither was chosen."""
        best = self._best()
        number = self.trials.all.index(best)
        if number == 0:
            return 0, None
        default, found = self._again(0, self.base), self._again(number, self.config(best))
        mean, error = difference(default, found, self.plan.groups_again)
        return number, Gain(float(found.mean()), float(default.mean()), mean, error)

    def _again(self, number: int, config: TrainConfig) -> Losses:
        kept = self.trials.recall(f"again {number}")
        if kept is None:
            other = config.model_copy(update={"seed": config.seed + 1})
            kept = np.concatenate([losses(self.data, fold, other, self.plan) for fold in self.plan.again])
            self.trials.note(f"again {number}", kept)
        return kept

    def config(self, trial: Trial) -> TrainConfig:
        """The settings of a trial."""
        return self._config(trial.drawn)

    def _config(self, drawn: Any) -> TrainConfig:
        return self.base.with_overrides({name: value_of(self.space[name], value) for name, value in drawn.items()})

    def shown(self, number: int) -> Tried:
        """A trial for people."""
        trial = self.trials.all[number]
        settings = {name: value_of(self.space[name], value) for name, value in trial.drawn.items()}
        if number == 0:
            settings = {name: _setting(self.base, name) for name in self.space}
        if trial.state == "failed":
            return Tried(number, trial.state, settings, None, None, None, trial.error)
        gain, error = difference(self.trials.all[0].losses[: len(trial.losses)], trial.losses, self.plan.groups)
        return Tried(number, trial.state, settings, trial.score, gain, error)


def _without_effect(data: FusionData, split: Split, base: TrainConfig) -> set[str]:
    """Settings of the built-in space that cannot matter, since no item has what they are about."""
    has = {
        "text": bool(data.text_mask[split.train].any()),
        "image": bool(data.image_mask[split.train].any()),
        "graph": bool(len(data.graph.edges)),
    }
    there = tuple(name for name in base.modalities if has[name])
    dead = set(built_in(base)) - set(built_in(base.model_copy(update={"modalities": there})))
    described = any(t.classes.text_mask.any() or t.classes.image_mask.any() for t in data.targets)
    return dead if described else {*dead, "matching"}


def _setting(config: TrainConfig, name: str) -> Any:
    value: Any = config.model_dump(mode="json")
    for part in name.split("."):
        value = value[part]
    return value


def _version() -> str:
    try:
        return f"{metadata.version('kgfuse')}/{PROTOCOL}"
    except metadata.PackageNotFoundError:
        return f"?/{PROTOCOL}"
