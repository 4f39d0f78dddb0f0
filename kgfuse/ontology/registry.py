"""Which packs there are: those registered under the entry-point group ``kgfuse.ontologies``, and any path.

An entry point resolves to a callable that returns a path, to a path, or to a module whose folder holds ``pack.toml``.
"""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from importlib.resources import files
from pathlib import Path
from types import ModuleType
from typing import Final

from kgfuse.errors import KgfuseError, PackError
from kgfuse.ontology.pack import Pack, load_pack

GROUP: Final = "kgfuse.ontologies"
CORE: Final = "general"
SHIPPED: Final = {
    "general": "kgfuse.ontology.shipped:general",
    "field-guide": "kgfuse.ontology.shipped:field_guide",
    "retail": "kgfuse.ontology.shipped:retail",
}


@dataclass(frozen=True, slots=True)
class PackInfo:
    """One registered name; ``error`` says why it cannot be used, and is empty where it can."""

    name: str
    version: str
    description: str
    licence: str
    distribution: str
    folder: Path | None
    error: str = ""


def available() -> dict[str, PackInfo]:
    """Every registered pack by name; one that is broken or named twice is listed with its error."""
    return {name: _info(name, points) for name, points in sorted(_registered().items())}


def resolve(spec: str | Path) -> Pack:
    """The pack of a registered name, or at a path (folder or file).

    Raises:
        PackError: nothing has that name, two distributions do, or the pack is broken.
    """
    name = str(spec)
    registered = _registered()
    if isinstance(spec, str) and name in registered:
        return _load(name, registered[name])
    if Path(spec).exists():
        return load_pack(spec)
    close = difflib.get_close_matches(name, registered, n=1)
    guess = f"did you mean {close[0]!r}? " if close else ""
    raise PackError(
        f"there is no ontology pack or file {name!r}",
        remedy=f"{guess}registered packs: {', '.join(sorted(registered))}; or give the path of an OWL file or folder",
    )


def load_all(specs: Sequence[str | Path]) -> list[Pack]:
    """The packs with all they import, each once: ``general`` first, imports before those that import them.

    Raises:
        PackError: a pack is missing or broken, or two different packs have one name.
    """
    found: dict[str, Pack] = {}
    waiting: set[str] = set()

    def add(pack: Pack) -> None:
        if pack.name in waiting:
            return
        if (known := found.get(pack.name)) is not None:
            if known.path.resolve() != pack.path.resolve():
                raise PackError(
                    f"two packs are named {pack.name!r}: {known.path} and {pack.path}", remedy="rename one of them"
                )
            return
        waiting.add(pack.name)
        for name in pack.imports:
            add(imported(pack, name))
        waiting.discard(pack.name)
        found[pack.name] = pack

    for spec in (CORE, *specs):
        add(resolve(spec))
    return list(found.values())


def imported(pack: Pack, name: str) -> Pack:
    """The pack that another imports by registered name or by a path relative to its own folder.

    Raises:
        PackError: there is none; names the pack that asks for it.
    """
    if pack.folder is not None and name not in _registered() and (pack.folder / name).exists():
        return load_pack((pack.folder / name).resolve())
    try:
        return resolve(name)
    except PackError as error:
        raise PackError(f"import {name!r}: {error.what}", where=pack.path, remedy=error.remedy) from error


def _registered() -> dict[str, list[EntryPoint]]:
    """Entry points by name; the shipped packs also where kgfuse runs from a checkout that is not installed."""
    found: defaultdict[str, list[EntryPoint]] = defaultdict(list)
    for point in entry_points(group=GROUP):
        if all((p.value, _distribution(p)) != (point.value, _distribution(point)) for p in found[point.name]):
            found[point.name].append(point)
    for name, value in SHIPPED.items():
        if all(p.value != value for p in found[name]):
            found[name].append(EntryPoint(name, value, GROUP))
    return dict(found)


def _load(name: str, points: Sequence[EntryPoint]) -> Pack:
    if len(points) > 1:
        owners = " and ".join(f"{_distribution(p)} ({p.value})" for p in points)
        raise PackError(
            f"two distributions register an ontology pack named {name!r}: {owners}",
            remedy="uninstall one of them, or give the path of the pack that you mean",
        )
    point = points[0]
    where = f"{_distribution(point)} ({point.value})"
    try:
        folder = _folder(point.load())
    except KgfuseError:
        raise
    except Exception as error:  # a stranger's module may fail in any way; the others must stay usable
        raise PackError(
            f"the pack {name!r} cannot be imported: {type(error).__name__}: {error}",
            where=where,
            remedy="repair or remove it",
        ) from error
    pack = load_pack(folder)
    if pack.folder is not None and pack.name != name:
        raise PackError(
            f"registered as {name!r}, but its pack.toml says {pack.name!r}", where=pack.path, remedy="use one name"
        )
    return pack


def _folder(target: object) -> Path:
    if isinstance(target, ModuleType):
        name = target.__name__ if hasattr(target, "__path__") else target.__name__.rpartition(".")[0]
        return Path(str(files(name)))
    if callable(target):
        target = target()
    if isinstance(target, str | Path):
        return Path(target)
    raise PackError(
        f"an entry point of {GROUP} must be a path, a function that returns one, or a module beside a pack.toml, "
        f"not {type(target).__name__}"
    )


def _info(name: str, points: Sequence[EntryPoint]) -> PackInfo:
    owner = " and ".join(_distribution(p) for p in points)
    try:
        pack = _load(name, points)
        about = (pack.version, pack.description, pack.licence, owner, pack.folder)
        try:
            _ = pack.triples
        except PackError as error:
            return PackInfo(name, *about, error=error.message)
        return PackInfo(name, *about)
    except PackError as error:
        return PackInfo(name, "", "", "", owner, None, error=error.message)


def _distribution(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else "kgfuse (checkout)"
