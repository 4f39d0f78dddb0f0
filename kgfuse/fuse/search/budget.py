"""What a caller asks of a search: how long, how many trials, over which settings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kgfuse.errors import UsageError

_SECONDS: Final[Mapping[str, float]] = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3_600, "d": 86_400}


@dataclass(frozen=True, slots=True)
class Search:
    """A search for settings.

    A search goes on where an earlier one on the same data and settings stopped or was killed. It also ends when a small
    space holds nothing that was not tried.

    Args:
        seconds: time budget of this call, to which the trial that is running and the last comparison with the default
            may add; ``None`` for none. How many trials fit in depends on the machine.
        trials: how many there are in the end, with those of earlier searches and that of the default; ``None`` for no
            limit. With this alone the outcome depends on data, settings and seed only.
        space: what may change: a TOML file, or its tables; ``None`` for the built-in space.

    Raises:
        UsageError: neither limit is given, or one is not positive.
    """

    seconds: float | None = None
    trials: int | None = None
    space: str | Path | Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if self.seconds is None and self.trials is None:
            raise UsageError("a search without end", where="search", remedy="give a time budget or a number of trials")
        if self.seconds is not None and not 0 < self.seconds < float("inf"):
            raise UsageError(f"a time budget of {self.seconds} s", where="search", remedy="give more than 0 seconds")
        if self.trials is not None and self.trials < 1:
            raise UsageError(f"{self.trials} trials", where="search", remedy="give at least 1")


def seconds_of(text: str) -> float:
    """Seconds in a span of time such as ``90s``, ``10m``, ``1h30m``; a plain number is seconds.

    Raises:
        UsageError: it is none.

    >>> seconds_of("1h30m"), seconds_of("45")
    (5400.0, 45.0)
    """
    parts = re.findall(r"(\d+(?:\.\d+)?)\s*(min|[smhd]|)", text.strip())
    if not parts or "".join(number + unit for number, unit in parts) != re.sub(r"\s", "", text):
        raise UsageError(f"{text!r} is no span of time", where="--search", remedy="write for example 90s, 10m or 1h30m")
    if any(not unit for _, unit in parts[:-1]) or (len(parts) > 1 and not parts[-1][1]):
        raise UsageError(f"{text!r} lacks a unit", where="--search", remedy="write for example 1h30m")
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)
