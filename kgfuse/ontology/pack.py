"""An ontology pack: a folder with ``pack.toml``, or one bare OWL, RDFS or SKOS file."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import quote

from kgfuse.errors import PackError
from kgfuse.ontology.rdf import RDF_SUFFIXES, RdfFile, read_rdf, read_text, to_rdflib
from kgfuse.terms.namespaces import BASE, PREFIXES, digest

if TYPE_CHECKING:
    import pyoxigraph as ox
    import rdflib

KEYS: Final = ("name", "version", "description", "licence", "ontology", "imports", "entry_classes", "prefixes")
REQUIRED: Final = ("name", "version", "description", "licence")
NAME: Final = re.compile(r"[a-z0-9][a-z0-9_.-]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Property:
    """A property as extraction and gate read it; ``domain`` and ``range`` are alternatives, empty where open.

    ``triggers`` are the phrases that state it (label, synonyms, ``kgf:trigger``); ``parents`` are all properties
    above it.
    """

    iri: str
    label: str
    triggers: tuple[str, ...]
    definition: str
    domain: tuple[str, ...]
    range: tuple[str, ...]
    kind: Literal["object", "data", "annotation"]
    mention_suffices: bool
    reveals_label: bool
    functional: bool
    parents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Class:
    """A class; ``parents`` and ``disjoint`` as stated directly; ``ner``: the spaCy entity labels that mean it."""

    iri: str
    label: str
    definition: str
    parents: tuple[str, ...]
    disjoint: tuple[str, ...]
    display_colour: str | None = None
    ner: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Term:
    """An entry of the lexicon: a class or an individual with all its names."""

    iri: str
    label: str
    names: tuple[str, ...]
    types: tuple[str, ...]
    kind: Literal["class", "individual"]
    srgb: str | None = None


@dataclass(frozen=True, slots=True)
class VisualMap:
    """Picture tags to class IRIs, by the detector's vocabulary (``imagenet``, ``coco``)."""

    sections: Mapping[str, Mapping[str, str]]

    @property
    def imagenet(self) -> Mapping[str, str]:
        """ImageNet class name to class IRI."""
        return self.sections.get("imagenet", MappingProxyType({}))


class Pack:
    """One ontology pack. Files are read when asked for, and their faults raised then, with file and line.

    Attributes:
        name: as in ``pack.toml``, or the stem of a bare file.
        folder: of the pack; ``None`` for a bare file.
        files: what the machine reads (not the README), in a fixed order; the hash runs over these.
    """

    def __init__(self, path: Path, settings: Mapping[str, Any], *, folder: Path | None, ontology: tuple[Path, ...]):
        self.path = path
        self.folder = folder
        self.name: str = settings["name"]
        self.version: str = settings["version"]
        self.licence: str = settings["licence"]
        self.description: str = settings["description"]
        self.imports: tuple[str, ...] = tuple(settings.get("imports", ()))
        self.ontology_files = ontology
        self._declared: dict[str, str] = dict(settings.get("prefixes", {}))
        self._entry_classes: tuple[str, ...] = tuple(settings.get("entry_classes", ()))
        beside = () if folder is None else ("shapes.ttl", "rules.rq", "patterns.jsonl", "examples.jsonl", "visual.toml")
        self.files: tuple[Path, ...] = (
            *([path] if folder is not None else []),
            *ontology,
            *(folder / n for n in beside if folder is not None and (folder / n).is_file()),
        )

    def __repr__(self) -> str:
        return f"Pack({self.name!r}, {str(self.path)!r})"

    @cached_property
    def sha256(self) -> str:
        """Hash over every file that the machine reads, with its name."""
        h = hashlib.sha256()
        for file in self.files:
            try:
                data = file.read_bytes()
            except OSError as error:
                raise PackError(f"cannot be read: {error.strerror or error}", where=file) from error
            h.update(digest(file.name, hashlib.sha256(data).hexdigest()).encode())
        return h.hexdigest()

    @cached_property
    def rdf(self) -> Mapping[Path, RdfFile]:
        """Each ontology file, parsed."""
        return {file: self.parse(file) for file in self.ontology_files}

    def parse(self, file: Path) -> RdfFile:
        """Parse one RDF file of this pack."""
        return read_rdf(file, base=BASE + "pack/" + quote(self.name), scope=f"{self.name}/{file.name}")

    @cached_property
    def triples(self) -> tuple[ox.Triple, ...]:
        """The ontology's triples in file order, each once."""
        return tuple(dict.fromkeys(t for parsed in self.rdf.values() for t in parsed.triples))

    @cached_property
    def prefixes(self) -> dict[str, str]:
        """Those of ``pack.toml`` first, then those the ontology files declare (their ``:`` under the pack's name).

        A bare file without prefixes lends its name to the namespace that most of its terms are in.
        """
        found = dict(self._declared)
        for parsed in self.rdf.values():
            for prefix, namespace in parsed.prefixes.items():
                key = prefix or self._own_prefix
                if key not in PREFIXES:
                    found.setdefault(key, namespace)
        if self.folder is None and not found and self._own_prefix not in PREFIXES:
            from kgfuse.ontology.reading import main_namespace

            if namespace := main_namespace(self.triples):
                found[self._own_prefix] = namespace
        return found

    @property
    def _own_prefix(self) -> str:
        return re.sub(r"[^A-Za-z0-9_-]+", "-", self.name).strip("-_") or "pack"

    @property
    def declared_prefixes(self) -> Mapping[str, str]:
        """Those that ``pack.toml`` itself declares."""
        return MappingProxyType(self._declared)

    @cached_property
    def entry_classes(self) -> tuple[str, ...]:
        """IRIs of the classes to start from: as listed, else the top classes that the files declare."""
        if self._entry_classes:
            return tuple(self.expand(c, self.path) for c in self._entry_classes)
        from kgfuse.ontology.reading import top_classes

        return top_classes(self.triples)

    @cached_property
    def graph(self) -> rdflib.Graph:
        """The ontology as an rdflib graph."""
        graph = to_rdflib(self.triples)
        for prefix, namespace in {**PREFIXES, **self.prefixes}.items():
            graph.bind(prefix, namespace, replace=True)
        return graph

    @cached_property
    def shapes(self) -> rdflib.Graph | None:
        """SHACL shapes of ``shapes.ttl``, or ``None``."""
        file = self.file("shapes.ttl")
        return None if file is None else to_rdflib(self.parse(file).triples)

    @cached_property
    def rules(self) -> str | None:
        """SPARQL CONSTRUCT rules of ``rules.rq``, or ``None``."""
        file = self.file("rules.rq")
        return None if file is None else read_text(file)

    @cached_property
    def patterns(self) -> list[dict[str, Any]]:
        """Dependency patterns, one a line of ``patterns.jsonl``."""
        return [record for _, record in self.records("patterns.jsonl")]

    @cached_property
    def examples(self) -> list[dict[str, Any]]:
        """Annotated sentences, one a line of ``examples.jsonl``."""
        return [record for _, record in self.records("examples.jsonl")]

    def records(self, name: str) -> list[tuple[int, dict[str, Any]]]:
        """Line number and object of each line of a JSON Lines file of this pack; empty where there is no such file."""
        file = self.file(name)
        if file is None:
            return []
        found: list[tuple[int, dict[str, Any]]] = []
        for number, line in enumerate(read_text(file).split("\n"), start=1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
            except (json.JSONDecodeError, RecursionError) as error:
                raise PackError(f"not valid JSON: {error}", where=f"{file}:{number}") from error
            if not isinstance(record, dict):
                raise PackError("each line must be a JSON object", where=f"{file}:{number}")
            found.append((number, record))
        return found

    @cached_property
    def visual(self) -> VisualMap | None:
        """Picture tags to classes, from ``visual.toml``, or ``None``."""
        file = self.file("visual.toml")
        if file is None:
            return None
        sections: dict[str, Mapping[str, str]] = {}
        for section, tags in read_toml(file).items():
            if not isinstance(tags, dict) or not all(isinstance(v, str) for v in tags.values()):
                raise PackError(
                    f"[{section}] must map tags to class names", where=file, remedy='such as "banana" = "retail:Fruit"'
                )
            sections[section] = MappingProxyType({tag: self.expand(c, file) for tag, c in tags.items()})
        return VisualMap(MappingProxyType(sections))

    def expand(self, name: str, where: Path) -> str:
        """IRI of a prefixed name as this pack's files write it."""
        return expand(name, {**self.prefixes, **PREFIXES}, where=where)

    def file(self, name: str) -> Path | None:
        """The file of this name beside ``pack.toml``, or ``None``."""
        return next((f for f in self.files if self.folder is not None and f == self.folder / name), None)


def load_pack(path: Path | str) -> Pack:
    """Load a pack from its folder or from one bare OWL, RDFS or SKOS file.

    Only ``pack.toml`` is read now; the other files when they are asked for.

    Raises:
        PackError: nothing there, no ``pack.toml``, or one that breaks its schema.
    """
    path = Path(path)
    if path.is_dir():
        return _load_folder(path)
    if not path.exists():
        raise PackError("there is no such ontology pack or file", where=path)
    if path.name == "pack.toml":
        return _load_folder(path.parent)
    if path.suffix.lower() not in RDF_SUFFIXES:
        raise PackError(
            f"{path.suffix or 'a file without suffix'} is not an ontology format",
            where=path,
            remedy="use one of " + ", ".join(sorted(RDF_SUFFIXES)),
        )
    name = path.with_suffix("").stem if path.suffix.lower() == ".gz" else path.stem
    about = {"name": name, "version": "0", "description": f"the file {path.name}", "licence": "not stated"}
    return Pack(path, about, folder=None, ontology=(path,))


def _load_folder(folder: Path) -> Pack:
    file = folder / "pack.toml"
    if not file.is_file():
        raise PackError("the folder has no pack.toml", where=folder, remedy="kgfuse ontologies new makes a skeleton")
    settings = read_toml(file)
    for key in REQUIRED:
        value = settings.get(key)
        if not isinstance(value, str) or not value.strip():
            raise PackError(f"{key!r} is missing or not a text", where=file, remedy=f'add {key} = "…"')
    if not NAME.fullmatch(settings["name"]):
        raise PackError(f"{settings['name']!r} is not a name", where=file, remedy="use letters, digits, - _ and .")
    for key in ("imports", "entry_classes"):
        value = settings.get(key, [])
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            raise PackError(f"{key!r} must be a list of texts", where=file)
    prefixes = settings.get("prefixes", {})
    if not isinstance(prefixes, dict) or not all(isinstance(v, str) for v in prefixes.values()):
        raise PackError("[prefixes] must map prefixes to namespaces", where=file)
    for prefix, namespace in prefixes.items():
        if PREFIXES.get(prefix, namespace) != namespace:
            raise PackError(f"prefix {prefix!r} stands for {PREFIXES[prefix]} everywhere in kgfuse", where=file)
    listed = settings.get("ontology", "ontology.ttl")
    names = [listed] if isinstance(listed, str) else listed
    if not isinstance(names, list) or not names or not all(isinstance(n, str) for n in names):
        raise PackError("'ontology' must be a file name or a list of them", where=file)
    for name in names:
        if not (folder / name).resolve().is_relative_to(folder.resolve()):
            raise PackError(f"{name!r} lies outside the pack", where=file)
        if not (folder / name).is_file():
            raise PackError(f"the ontology file {name!r} is not there", where=file)
    return Pack(file, settings, folder=folder, ontology=tuple(folder / n for n in names))


def expand(name: str, prefixes: Mapping[str, str], *, where: str | Path = "") -> str:
    """IRI of ``prefix:name``, ``<iri>`` or an absolute IRI.

    Raises:
        PackError: the prefix is not declared.
    """
    if name.startswith("<") and name.endswith(">"):
        return name[1:-1]
    prefix, colon, local = name.partition(":")
    if colon and prefix in prefixes and not local.startswith("//"):
        return prefixes[prefix] + local
    if colon and (local.startswith("//") or prefix == "urn"):
        return name
    known = ", ".join(sorted(prefixes))
    raise PackError(
        f"{name!r} has no known prefix" if not colon else f"prefix {prefix!r} of {name!r} is not declared",
        where=where,
        remedy=f"declare it under [prefixes] or use one of {known}",
    )


def read_toml(file: Path) -> dict[str, Any]:
    """Parse a TOML file; a fault names file and line."""
    try:
        return tomllib.loads(read_text(file))
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"\(at line (\d+)", str(error))
        raise PackError(f"not valid TOML: {error}", where=f"{file}:{at[1]}" if at else file) from error
