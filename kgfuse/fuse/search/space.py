"""What a search may change: ranges and choices of settings, built in or from a TOML file."""

from __future__ import annotations

import difflib
import json
import math
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from kgfuse.errors import UsageError
from kgfuse.fuse.config import TrainConfig, check_name, setting_names

_RANGE_KEYS: Final = ("low", "high", "log", "step")
_WITHOUT_EFFECT: Final = "it changes no trial's loss, or is not a matter of the data"
_LEFT_ALONE: Final[Mapping[str, str]] = {
    "seed": "one seed serves all trials, so that their difference is that of their settings",
    "refit": "whether to learn from the validation items in the end depends on test items being there",
    **dict.fromkeys(("device", "amp", "checkpoint_every", "calibrate", "thresholds"), _WITHOUT_EFFECT),
    **dict.fromkeys(("abstain", "risk", "risk_confidence"), _WITHOUT_EFFECT),
}


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers from ``low`` to ``high``, both included.

    Args:
        low: the least.
        high: the greatest.
        log: drawn evenly on a logarithmic scale.
        step: distance between neighbours; ``None`` for any number (whole ones: 1).
        whole: only whole numbers.
    """

    low: float
    high: float
    log: bool = False
    step: float | None = None
    whole: bool = False

    def __contains__(self, value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, int | float) or not self.low <= value <= self.high:
            return False
        steps = (value - self.low) / self.step if self.step else 0.0
        return abs(steps - round(steps)) < 1e-9


@dataclass(frozen=True, slots=True)
class Choices:
    """Some values, each written as JSON, so that lists and texts are kept alike."""

    values: tuple[str, ...]

    def __contains__(self, value: object) -> bool:
        return json.dumps(value) in self.values


Space: TypeAlias = Mapping[str, Range | Choices]


def _choices(*values: Any) -> Choices:
    return Choices(tuple(json.dumps(value) for value in values))


DEFAULT_SPACE: Final[Space] = {
    "lr": Range(5e-4, 1e-2, log=True),
    "weight_decay": Range(2e-3, 0.2, log=True),
    "dropout": Range(0.0, 0.6),
    "width": _choices(64, 128, 192, 256),
    "modality_dropout": Range(0.0, 0.4),
    "matching": Range(0.0, 1.0),
    "label_smoothing": Range(0.0, 0.2),
    "class_weights": _choices("none", "sqrt", "balanced"),
    "accept": _choices(0.0, 0.5, 1.0, 2.0),
    "bag.hops": _choices(1, 2),
    "bag.rank": _choices(64, 128, 256, 512),
    "bag.min_items": Range(1, 5, whole=True),
    "linear.strengths": _choices([3.0, 30.0], [0.3, 3.0], [30.0, 300.0], [0.3, 3.0, 30.0, 300.0]),
    "gnn.layers": Range(1, 3, whole=True),
    "gnn.width": _choices(16, 32, 64),
    "gnn.lr": Range(5e-3, 5e-2, log=True),
    "gnn.weight_decay": Range(5e-4, 5e-2, log=True),
    "gnn.dropout": Range(0.0, 0.6),
}


def built_in(base: TrainConfig, pinned: Collection[str] = ()) -> Space:
    """The built-in space, without what ``base`` switches off and without settings that a person has pinned."""
    dead = set(pinned)
    graph = "graph" in base.modalities
    if not base.gnn.enabled or not graph or base.head == "linear":
        dead |= {name for name in DEFAULT_SPACE if name.startswith("gnn.")}
    if not graph:
        dead |= {name for name in DEFAULT_SPACE if name.startswith("bag.")}
    if base.head == "linear":
        dead |= {"lr", "weight_decay", "dropout", "width", "modality_dropout", "matching", "label_smoothing", "accept"}
    if len(base.modalities) == 1:
        dead.add("modality_dropout")
    return {name: domain for name, domain in DEFAULT_SPACE.items() if name not in dead}


def space_of(given: str | Path | Mapping[str, Any] | None, base: TrainConfig, pinned: Collection[str] = ()) -> Space:
    """The space that is meant: a TOML file's, that of tables, or for ``None`` the built-in one.

    Raises:
        UsageError: it does not fit, or nothing is left of it.
    """
    if isinstance(given, str | Path):
        return load_space(Path(given), base)
    if given is not None:
        return parse_space(given, base)
    space = built_in(base, pinned)
    if not space:
        raise UsageError("no setting is left to search", remedy="pin fewer settings, or give a search space")
    return space


def load_space(path: Path, base: TrainConfig) -> Space:
    """Read a space from TOML: ``name = [choices]`` or ``name = {low = …, high = …, log = …, step = …}``.

    Raises:
        UsageError: the file is missing, is not TOML, or names a setting or values that do not fit.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UsageError("no such search-space file", where=path, remedy="check the path") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"not readable as TOML: {error}", where=path, remedy="correct the file") from error
    return parse_space(values, base, where=str(path))


def parse_space(values: Mapping[str, Any], base: TrainConfig, where: str = "search space") -> Space:
    """Build a space from nested tables; see :func:`load_space`.

    >>> parse_space({"lr": {"low": 1e-3, "high": 1e-2, "log": True}}, TrainConfig())["lr"].log
    True
    """
    found: dict[str, Range | Choices] = {}
    for name, given in _leaves(values, where):
        if name.startswith("image."):
            raise UsageError(
                f"{name!r} cannot be searched: picture features are computed once, before the search",
                where=where,
                remedy="leave it out; set it with --set or --config",
            )
        if name in _LEFT_ALONE:
            raise UsageError(f"{name!r} cannot be searched: {_LEFT_ALONE[name]}", where=where, remedy="leave it out")
        domain = _range(name, given, where) if isinstance(given, Mapping) else _listed(name, given, where)
        ends = (
            [json.loads(value) for value in domain.values] if isinstance(domain, Choices) else [domain.low, domain.high]
        )
        for end in ends:
            base.with_overrides({name: end}, where=where)
        found[name] = domain
    if not found:
        raise UsageError("the search space is empty", where=where, remedy="write for example dropout = [0.1, 0.3]")
    return found


def value_of(domain: Range | Choices, drawn: Any) -> Any:
    """The setting's value that a drawn one stands for."""
    return json.loads(drawn) if isinstance(domain, Choices) else drawn


def describe(space: Space) -> dict[str, Any]:
    """Plain values, ready for JSON."""
    return {
        name: [json.loads(value) for value in domain.values]
        if isinstance(domain, Choices)
        else {"low": domain.low, "high": domain.high, "log": domain.log, "step": domain.step}
        for name, domain in space.items()
    }


def _leaves(values: Mapping[str, Any], where: str, prefix: str = "") -> Iterator[tuple[str, Any]]:
    known = setting_names()
    for key, value in values.items():
        name = prefix + key
        if isinstance(value, Mapping) and name not in known and any(own.startswith(f"{name}.") for own in known):
            yield from _leaves(value, where, f"{name}.")
        else:
            check_name(name, where)
            yield name, value


def _listed(name: str, given: Any, where: str) -> Choices:
    if not isinstance(given, list):
        raise UsageError(
            f"{name!r} = {given!r} leaves nothing to choose",
            where=where,
            remedy="give a list of values, or a range such as {low = 0.1, high = 0.5}; one value goes into --set",
        )
    values = tuple(dict.fromkeys(json.dumps(value, default=str) for value in given))
    if len(values) < 2:
        raise UsageError(f"{name!r} has fewer than two values to choose from", where=where, remedy="list some more")
    return Choices(values)


def _range(name: str, given: Mapping[str, Any], where: str) -> Range:
    for key in given:
        if key not in _RANGE_KEYS:
            near = difflib.get_close_matches(key, _RANGE_KEYS, n=1)
            remedy = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(_RANGE_KEYS)}"
            raise UsageError(f"{name!r}: unknown key {key!r} of a range", where=where, remedy=remedy)
    default = _default(name)
    if isinstance(default, bool) or not isinstance(default, int | float):
        raise UsageError(f"{name!r} is no number, so it has no range", where=where, remedy="give a list of its values")
    whole, log = isinstance(default, int), given.get("log")
    low, high = _number(name, given, "low", whole, where), _number(name, given, "high", whole, where)
    step = _number(name, given, "step", whole, where) if "step" in given else None
    if not isinstance(log, bool | None):
        raise UsageError(f"{name!r}: log = {log!r} is neither true nor false", where=where, remedy="log = true")
    if not low < high:
        raise UsageError(f"{name!r}: low {low} is not below high {high}", where=where, remedy="swap or widen them")
    if log and (low <= 0 or step is not None):
        remedy = "raise low, or drop log" if low <= 0 else "drop step or log"
        raise UsageError(f"{name!r}: a logarithmic range needs low above 0, and no step", where=where, remedy=remedy)
    if step is not None and not 0 < step <= high - low:
        raise UsageError(f"{name!r}: step {step} does not fit into the range", where=where, remedy="make it smaller")
    return Range(low, high, bool(log), step, whole)


def _number(name: str, given: Mapping[str, Any], key: str, whole: bool, where: str) -> float:
    number, kind = given.get(key), "a whole number" if whole else "a number"
    if isinstance(number, bool) or not isinstance(number, int if whole else int | float) or not math.isfinite(number):
        said = f"{key} = {number!r} is not {kind}" if key in given else f"a range without {key!r}"
        raise UsageError(f"{name!r}: {said}", where=where, remedy=f"give {key} as {kind}")
    return number


def _default(name: str) -> Any:
    value: Any = TrainConfig()
    for part in name.split("."):
        value = getattr(value, part)
    return value
