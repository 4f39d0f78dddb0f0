"""``--set key=value``: dotted names to nested settings, checked by name so that a slip is told with the nearest."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

from kgfuse.errors import UsageError

_OPEN = ("extract.plugins.",)


def nested(pairs: Iterable[str], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Nested settings from ``key=value`` texts; values are read as TOML, else as text.

    Args:
        pairs: such as ``extract.text.noun_chunks=true``.
        defaults: every setting there is, nested.

    Raises:
        UsageError: not ``key=value``, or no such setting.

    >>> nested(["a.b=2"], {"a": {"b": 1}})
    {'a': {'b': 2}}
    """
    known = list(_names(defaults))
    values: dict[str, Any] = {}
    for pair in pairs:
        key, equals, raw = (part.strip() for part in pair.partition("="))
        if not equals or not key:
            raise UsageError(f"--set {pair}: not key=value", remedy="write for example --set seed=1")
        if key not in known and not key.startswith(_OPEN):
            raise UsageError(f"there is no setting {key!r}", where="--set", remedy=_near(key, known))
        table = values
        *sections, name = key.split(".")
        for section in sections:
            table = table.setdefault(section, {})
        table[name] = _value(raw)
    return values


def _value(raw: str) -> Any:
    try:
        return tomllib.loads(f"value = {raw}")["value"]
    except tomllib.TOMLDecodeError:
        return None if raw.lower() in ("none", "null") else raw


def _names(values: Mapping[str, Any], prefix: str = "") -> Iterable[str]:
    for key, value in values.items():
        name = prefix + key
        if isinstance(value, Mapping) and value:
            yield from _names(value, f"{name}.")
        else:
            yield name


def _near(key: str, known: list[str]) -> str:
    last = {name.rsplit(".", 1)[-1]: name for name in reversed(known)}
    near = difflib.get_close_matches(key, [*known, *last], n=1, cutoff=0.5)
    return f"did you mean {last.get(near[0], near[0])}?" if near else f"there are: {', '.join(known)}"
