"""Extractors by name, from the entry-point group ``kgfuse.extractors``; built-ins are entry points like any other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from inspect import signature
from typing import TYPE_CHECKING, Any, Final, cast

from kgfuse.errors import PackError, UsageError
from kgfuse.extract.protocol import Extractor, Factory
from kgfuse.extract.settings import ExtractSettings

if TYPE_CHECKING:
    from kgfuse.ontology.vocabulary import Vocabulary

GROUP: Final = "kgfuse.extractors"
BUILT_IN: Final = (
    EntryPoint("text", "kgfuse.extract.text:build", GROUP),
    EntryPoint("relations", "kgfuse.extract.learned:build", GROUP),
    EntryPoint("table", "kgfuse.extract.tables:build", GROUP),
    EntryPoint("image", "kgfuse.extract.image:build", GROUP),
)


@dataclass(frozen=True, slots=True)
class ExtractorInfo:
    """A registered extractor that has not been loaded yet.

    Args:
        name: what settings call it.
        value: ``module:callable``.
        distribution: the package that brings it.
        clashes: other packages that use the same name for something else.
    """

    name: str
    value: str
    distribution: str
    clashes: tuple[str, ...] = ()


def available() -> dict[str, ExtractorInfo]:
    """List the registered extractors without importing any."""
    found: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for point in (*BUILT_IN, *entry_points(group=GROUP)):
        package = point.dist.name if point.dist is not None else "kgfuse"
        found[point.name].setdefault(point.value, package)
    infos = {}
    for name in sorted(found):
        (value, package), *others = found[name].items()
        infos[name] = ExtractorInfo(name, value, package, tuple(f"{o} ({v})" for v, o in others))
    return infos


def load(name: str, vocabulary: Vocabulary, settings: ExtractSettings, **resources: Any) -> Extractor:
    """Return the extractor with this name.

    Args:
        name: a registered name.
        vocabulary: what it may say.
        settings: all settings; it reads its own part.
        resources: what the workspace has open already (``encoder``, ``features``); a factory is given those that it
            has parameters for.

    Raises:
        UsageError: no extractor has this name.
        PackError: two packages use the name, or the extractor cannot be imported.
    """
    found = _load(name, vocabulary, settings, **resources)
    if found is None:
        raise UsageError(
            f"the extractor {name!r} has nothing to work with here",
            remedy="train one: kgfuse ontologies train, or name another under the setting 'extractors'",
        )
    return found


def _load(name: str, vocabulary: Vocabulary, settings: ExtractSettings, **resources: Any) -> Extractor | None:
    infos = available()
    if name not in infos:
        raise UsageError(f"no extractor is called {name!r}", remedy=f"registered are: {', '.join(infos)}")
    info = infos[name]
    if info.clashes:
        both = ", ".join((f"{info.distribution} ({info.value})", *info.clashes))
        raise PackError(f"two extractors are called {name!r}: {both}", remedy="uninstall one of the packages")
    try:
        factory = cast(Factory, EntryPoint(info.name, info.value, GROUP).load())
    except (ImportError, AttributeError) as error:
        raise PackError(
            f"the extractor {name!r} of {info.distribution} cannot be imported: {error}",
            where=info.value,
            remedy="repair or uninstall that package, or leave the name out of the setting 'extractors'",
        ) from error
    known = signature(factory).parameters
    return factory(vocabulary, settings, **{k: v for k, v in resources.items() if k in known})


def build_all(vocabulary: Vocabulary, settings: ExtractSettings, **resources: Any) -> tuple[Extractor, ...]:
    """Return the extractors that the settings name, or every registered one, in that order."""
    if settings.extractors is not None:
        return tuple(load(name, vocabulary, settings, **resources) for name in settings.extractors)
    return load_some(available(), vocabulary, settings, **resources)


def load_some(
    names: Iterable[str], vocabulary: Vocabulary, settings: ExtractSettings, **resources: Any
) -> tuple[Extractor, ...]:
    """Return those of the named extractors that have something to work with, in that order."""
    found = (_load(name, vocabulary, settings, **resources) for name in names)
    return tuple(extractor for extractor in found if extractor is not None)
