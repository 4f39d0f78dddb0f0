"""What a search found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import tomli_w

from kgfuse.fuse.config import TrainConfig, changed_settings
from kgfuse.fuse.data import IntArray
from kgfuse.fuse.groups import standard_error

NOISE: Final = 1.645
"""Standard errors by which the best trial must better the default on judges dealt anew: chance does so in 5 of 100."""


@dataclass(frozen=True, slots=True)
class Tried:
    """A trial, for people and JSON.

    Args:
        number: 0 is the default, that is the settings that the search was given.
        state: ``complete``, ``stopped`` (clearly worse after some folds) or ``failed``.
        settings: dotted name → value.
        loss: mean log-loss of the judging items, ``None`` where it failed.
        gain: by how much it is less than the default's, on the same items.
        error: standard error of that difference, paired over the items or their groups.
        note: what went wrong.
    """

    number: int
    state: str
    settings: Mapping[str, Any]
    loss: float | None
    gain: float | None
    error: float | None
    note: str = ""

    def line(self) -> str:
        """How it went, for a line of progress."""
        name = "default settings" if self.number == 0 else f"trial {self.number}"
        if self.loss is None or self.gain is None:
            return f"{name}: failed: {self.note}"
        if self.number == 0:
            return f"{name}: log-loss {self.loss:.4f}"
        better = f"{abs(self.gain):.4f} ± {self.error:.4f} {'better' if self.gain > 0 else 'worse'} than the default"
        if self.state == "stopped":
            return f"{name}: stopped early, {better}"
        return f"{name}: log-loss {self.loss:.4f}, {better}"


@dataclass(frozen=True, slots=True)
class Gain:
    """The best trial against the default, on judges dealt anew and with another seed: neither chose the other.

    Args:
        loss: of the best trial.
        default: of the default.
        mean: how much less the first is.
        error: standard error of that, paired over items.
    """

    loss: float
    default: float
    mean: float
    error: float

    @property
    def beyond_noise(self) -> bool:
        """Whether it is more than chance would give."""
        return self.mean > NOISE * self.error


@dataclass(frozen=True, slots=True)
class SearchResult:
    """A search, its trials and what came of it.

    Args:
        study: name under which its trials are kept.
        way: how trials are judged: ``cross-validation`` or ``validation halves``.
        items: how many items judge.
        trials: all, in order.
        best: number of the trial with the least loss.
        gain: how it does against the default on judges dealt anew; ``None`` where the default itself is the best.
        importance: setting → share of what tells good trials from the others; empty with few trials.
        config: what to train with: the best trial's if its gain is beyond noise, else the default.
    """

    study: str
    way: str
    items: int
    trials: tuple[Tried, ...]
    best: int
    gain: Gain | None
    importance: Mapping[str, float]
    config: TrainConfig

    @property
    def chosen(self) -> int:
        """Number of the trial whose settings are used; 0 where the default is kept."""
        return self.best if self.gain is not None and self.gain.beyond_noise else 0

    def ranking(self, count: int = 5) -> tuple[Tried, ...]:
        """The best complete trials, and the default."""
        done = sorted((t for t in self.trials if t.state == "complete"), key=lambda t: (t.loss or 0.0, t.number))
        return tuple(t for place, t in enumerate(done) if place < count or t.number == 0)

    def verdict(self) -> str:
        """One sentence: what is used, and why."""
        if self.gain is None:
            return "no trial was better than the default settings, which are kept"
        g = self.gain
        against = f"log-loss {g.loss:.4f}, the default {g.default:.4f}, on judges dealt anew"
        between = f"{g.mean:+.4f} ± {g.error:.4f}"
        if g.beyond_noise:
            return f"trial {self.best} is used: {against}; the difference, {between}, is outside the noise"
        return (
            f"the default settings are kept: trial {self.best}, the best, has {against}; {between} is inside the noise"
        )

    def toml(self) -> str:
        """The chosen settings, as far as they differ from kgfuse's own, as a file for ``--config``."""
        return tomli_w.dumps(changed_settings(self.config))

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            "study": self.study,
            "way": self.way,
            "items": self.items,
            "trials": [asdict(t) | {"settings": dict(t.settings)} for t in self.trials],
            "best": self.best,
            "chosen": self.chosen,
            "gain": None if self.gain is None else asdict(self.gain) | {"beyond_noise": self.gain.beyond_noise},
            "verdict": self.verdict(),
            "importance": dict(self.importance),
            "settings": changed_settings(self.config),
        }


def difference(default: Any, other: Any, groups: IntArray | None = None) -> tuple[float, float]:
    """Mean of ``default`` − ``other`` over items, and its standard error over items or, where given, their groups."""
    fall = default - other
    return float(fall.mean()), standard_error(fall, None if groups is None else groups[: len(fall)])
