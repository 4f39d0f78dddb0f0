"""The trials of a search, kept where a killed one left them: an Optuna study in an SQLite file."""

from __future__ import annotations

import json
import sqlite3
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState, create_trial

from kgfuse.errors import ModelError
from kgfuse.fuse.search.folds import Losses
from kgfuse.fuse.search.space import Choices, Range, Space

State: TypeAlias = Literal["complete", "stopped", "failed"]
_STATES: dict[State, TrialState] = {
    "complete": TrialState.COMPLETE,
    "stopped": TrialState.PRUNED,
    "failed": TrialState.FAIL,
}
_RANDOM_TRIALS = 8
_CHANGED = 1 / 3
_ATTEMPTS = 50


@dataclass(frozen=True, eq=False, slots=True)
class Trial:
    """One finished trial.

    Args:
        state: ``stopped`` where it was clearly worse than the best one after some of the folds.
        drawn: setting → value in the terms of the study (choices as JSON); settings of the first trial that lie
            outside the space are not there.
        losses: of the items that have judged, fold by fold.
        folds: how many.
        score: mean loss; of a stopped trial what it comes to if the default's loss on the other folds stands in.
        error: what went wrong.
    """

    state: State
    drawn: Mapping[str, Any]
    losses: Losses
    folds: int
    score: float
    error: str = ""


@contextmanager
def opened(path: Path | None, name: str, about: Mapping[str, Any]) -> Iterator[Trials]:
    """The study of this name, made where there is none; without a path it is kept in memory only.

    Raises:
        ModelError: the file is damaged.
    """
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    storage: optuna.storages.RDBStorage | None = None
    try:
        try:
            if path is not None:
                # The URL alone would read "?" in a folder's name as the beginning of options.
                settings = {"creator": lambda: sqlite3.connect(path, timeout=60, check_same_thread=False)}
                storage = optuna.storages.RDBStorage("sqlite:///searches", settings)
            study = optuna.create_study(storage=storage, study_name=name, direction="minimize", load_if_exists=True)
            for key, value in about.items():
                study.set_user_attr(key, value)
            trials = Trials(study, path)
        except Exception as error:
            raise ModelError(
                f"the trials of earlier searches cannot be read: {' '.join(str(error).split())[:200]}",
                where=path or "",
                remedy="delete the file; the next search begins anew",
            ) from error
        yield trials
    finally:
        if storage is not None:
            storage.remove_session()
            storage.engine.dispose()
        optuna.logging.set_verbosity(before)


class Trials:
    """Finished trials of one study, in order. A trial is written in one transaction when it is over.

    So nothing of a trial that was killed is there, and what comes next depends on what is there alone.
    """

    def __init__(self, study: optuna.Study, file: Path | None) -> None:
        self._study, self._file = study, file or ""
        self.all: list[Trial] = [_read(trial) for trial in study.get_trials(deepcopy=False)]

    def add(self, trial: Trial, space: Space) -> None:
        """Keep a finished trial."""
        kept = {
            "losses": trial.losses.tolist(),
            "folds": trial.folds,
            "score": trial.score if trial.state != "failed" else None,
            "error": trial.error,
        }
        finished = create_trial(
            state=_STATES[trial.state],
            value=trial.score if trial.state == "complete" else None,
            params=dict(trial.drawn),
            distributions={name: distribution(space[name]) for name in trial.drawn},
            user_attrs=kept,
        )
        try:
            self._study.add_trial(finished)
        except optuna.exceptions.OptunaError as error:
            raise ModelError(
                f"a trial cannot be kept: {' '.join(str(error.__cause__ or error).split())[:200]}",
                where=self._file,
                remedy="free some space, then search again; finished trials are kept",
            ) from error
        self.all.append(trial)

    def recall(self, key: str) -> Losses | None:
        """Losses that were noted under this key."""
        found = self._study.user_attrs.get(key)
        return None if found is None else np.array(found, np.float64)

    def note(self, key: str, losses: Losses) -> None:
        """Keep losses that belong to no trial."""
        self._study.set_user_attr(key, losses.tolist())

    def propose(self, space: Space, default: Mapping[str, Any], seed: int) -> dict[str, Any] | None:
        """The next settings to try, by the tree-structured Parzen estimator (Bergstra et al. 2011, multivariate).

        The first few change about a third of the default's settings each, at random: to change all at once nearly
        always ends far from what is known to be good. A function of the finished trials and the seed, so that a search
        that was taken up again goes the same way.

        Args:
            space: what may change.
            default: the first trial's settings, in the terms of the study.
            seed: of the search.

        Returns:
            settings that were not tried yet, or ``None`` where none turns up: a small space is exhausted.
        """
        rng = np.random.default_rng([seed, len(self.all), 20261130])
        tried = {_key(trial.drawn) for trial in self.all}
        study = _in_memory(self.all, space)
        for _ in range(_ATTEMPTS):
            found = self._proposal(study, space, default, rng)
            if _key(found) not in tried:
                return found
        return None

    def _proposal(
        self, study: optuna.Study, space: Space, default: Mapping[str, Any], rng: np.random.Generator
    ) -> dict[str, Any]:
        study.sampler = optuna.samplers.TPESampler(n_startup_trials=_RANDOM_TRIALS, seed=int(rng.integers(2**32)))
        proposal = study.ask(_distributions(space))
        study.tell(proposal, state=TrialState.FAIL)  # so that the next attempt does not shy away from it
        if sum(trial.state != "failed" for trial in self.all) >= _RANDOM_TRIALS:
            return {name: proposal.params[name] for name in space}
        changed = rng.random(len(space)) < _CHANGED
        changed[rng.integers(len(space))] = True
        return {
            name: proposal.params[name] if change or name not in default else default[name]
            for name, change in zip(space, changed, strict=True)
        }

    def importance(self, space: Space) -> dict[str, float]:
        """Share of each setting in what tells good trials from the others (PED-ANOVA, Watanabe et al. 2023).

        Empty with fewer than three trials a setting: they would tell chance.
        """
        usable = [trial for trial in self.all if trial.state != "failed" and len(trial.drawn) == len(space)]
        if len(usable) < max(2 * _RANDOM_TRIALS, 3 * len(space)) or len(space) < 2:
            return {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            evaluator = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=0.25)
            found = optuna.importance.get_param_importances(_in_memory(usable, space), evaluator=evaluator)
        return {name: round(float(share), 4) for name, share in found.items()}


def distribution(domain: Range | Choices) -> BaseDistribution:
    """The domain in Optuna's terms."""
    if isinstance(domain, Choices):
        return CategoricalDistribution(domain.values)
    if domain.whole:
        return IntDistribution(int(domain.low), int(domain.high), log=domain.log, step=int(domain.step or 1))
    return FloatDistribution(domain.low, domain.high, log=domain.log, step=domain.step)


def start(values: Mapping[str, Any], space: Space) -> dict[str, Any]:
    """The settings of the first trial in the terms of the study, as far as they lie in the space."""
    return {
        name: json.dumps(values[name]) if isinstance(domain, Choices) else values[name]
        for name, domain in space.items()
        if values[name] in domain
    }


def _distributions(space: Space) -> dict[str, BaseDistribution]:
    return {name: distribution(domain) for name, domain in space.items()}


def _key(drawn: Mapping[str, Any]) -> str:
    return json.dumps(dict(drawn), sort_keys=True)


def _in_memory(trials: Sequence[Trial], space: Space) -> optuna.Study:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(0), direction="minimize")
    for trial in trials:
        failed = trial.state == "failed"
        study.add_trial(
            create_trial(
                state=TrialState.FAIL if failed else TrialState.COMPLETE,
                value=None if failed else trial.score,
                params=dict(trial.drawn),
                distributions={name: distribution(space[name]) for name in trial.drawn},
            )
        )
    return study


def _read(kept: optuna.trial.FrozenTrial) -> Trial:
    states = {state: name for name, state in _STATES.items()}
    own = kept.user_attrs
    score = float("inf") if own["score"] is None else float(own["score"])
    return Trial(
        states[kept.state], kept.params, np.array(own["losses"], np.float64), int(own["folds"]), score, own["error"]
    )
