"""What is broken or doubtful in a pack, each with file, line and remedy."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, Protocol, TypeVar

import pyoxigraph as ox

from kgfuse.errors import PackError
from kgfuse.ontology import reading, registry
from kgfuse.ontology.annotations import Checker, check_examples, check_patterns, check_visual
from kgfuse.ontology.pack import Pack, load_pack
from kgfuse.ontology.rdf import line_of, read_text
from kgfuse.ontology.reading import Index
from kgfuse.ontology.vocabulary import Vocabulary
from kgfuse.terms.namespaces import OWL, PREFIXES, RDFS, SH, label_key

T = TypeVar("T")
_WELL_KNOWN: Final = (*(n for p, n in PREFIXES.items() if p not in ("kgf", "item", "ent", "src")), "http://schema.org/")


class RuleParser(Protocol):
    """Reads a file of CONSTRUCT rules."""

    def __call__(self, text: str, *, where: str, prefixes: dict[str, str]) -> object:
        """Parse the rules; raises `PackError` where they are broken."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault. An ``error`` keeps the pack or a part of it from working; a ``warning`` is likely a slip.

    ``line`` counts from 1; 0 where the fault has no line.
    """

    severity: Literal["error", "warning"]
    file: Path
    line: int
    message: str
    remedy: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else str(self.file)
        return f"{place}: {self.severity}: {self.message}" + (f" ({self.remedy})" if self.remedy else "")


def check(path_or_pack: Path | str | Pack, *, parse_rules: RuleParser | None = None) -> list[Finding]:
    """Check a pack: a folder, a bare ontology file, or a pack that is loaded already.

    Args:
        path_or_pack: what to check.
        parse_rules: reads ``rules.rq`` and raises ``PackError`` (`kgfuse.reason.construct.parse_rules`); without it,
            only a file of one CONSTRUCT query is checked.

    Returns:
        Findings by file and line; empty where all is well. Nothing is raised for a broken pack.
    """
    if isinstance(path_or_pack, Pack):
        pack = path_or_pack
    else:
        try:
            pack = load_pack(path_or_pack)
        except PackError as error:
            return [_finding(error, Path(path_or_pack))]
    found = list(_check_pack(pack, parse_rules))
    order = {file: n for n, file in enumerate(pack.files)}
    return sorted(dict.fromkeys(found), key=lambda f: (order.get(f.file, len(order)), f.line, f.message))


def _check_pack(pack: Pack, parse_rules: RuleParser | None) -> Iterator[Finding]:
    broken = _failures(pack.parse, pack.ontology_files)
    yield from (_finding(e, pack.path) for e in broken)
    others: dict[str, Pack] = {}
    for error in _gather(pack, others):
        yield _finding(error, pack.path)
    yield from _check_shapes(pack)
    yield from _check_rules(pack, parse_rules)
    yield from (_finding(e, pack.path) for e in _failures(pack.records, ("patterns.jsonl", "examples.jsonl")))
    if broken:
        return
    try:
        vocabulary = Vocabulary([*others.values(), pack])
    except PackError as error:
        yield _finding(error, pack.path)
        return
    yield from _check_entry_classes(pack, vocabulary)
    yield from _check_ontology(pack, vocabulary)
    checks: tuple[Checker, ...] = (check_patterns, check_examples, check_visual)
    for part in checks:
        try:
            yield from (
                Finding(severity, f, line, what, remedy) for severity, f, line, what, remedy in part(pack, vocabulary)
            )
        except PackError as error:
            yield _finding(error, pack.path)


def _gather(pack: Pack, found: dict[str, Pack]) -> Iterator[PackError]:
    """Collect the packs that this one stands on, once each; yields the errors of those that cannot be had."""
    waiting = [(pack, name) for name in (*([] if pack.name == registry.CORE else [registry.CORE]), *pack.imports)]
    seen = {pack.name}
    while waiting:
        owner, name = waiting.pop(0)
        if name in seen:
            continue
        seen.add(name)
        try:
            other = registry.imported(owner, name)
            _ = other.triples
        except PackError as error:
            yield error
            continue
        found[other.name] = other
        waiting += [(other, deeper) for deeper in other.imports]


def _check_shapes(pack: Pack) -> Iterator[Finding]:
    file = pack.file("shapes.ttl")
    if file is None:
        return
    try:
        shapes = pack.shapes
    except PackError as error:
        yield _finding(error, file)
        return
    parsed = Index(pack.parse(file).triples)
    for shape in parsed.subjects(SH + "property"):
        for inner in parsed.nodes(shape, SH + "property"):
            if not parsed.nodes(inner, SH + "path"):
                line = line_of(_quiet_text(file), shape, {**PREFIXES, **pack.declared_prefixes})
                message = "a SHACL property shape has no sh:path"
                yield Finding("error", file, line, message, "say which property it is about")
    import rdflib
    from pyshacl import validate
    from pyshacl.errors import ConstraintLoadError, ReportableRuntimeError, ShapeLoadError

    try:
        validate(rdflib.Graph(), shacl_graph=shapes)
    except (ShapeLoadError, ConstraintLoadError, ReportableRuntimeError, ValueError) as error:
        message = " ".join(str(getattr(error, "message", error)).split())
        yield Finding("error", file, 0, f"not a SHACL shape: {message}", "see https://www.w3.org/TR/shacl/")


def _check_rules(pack: Pack, parse_rules: RuleParser | None) -> Iterator[Finding]:
    file = pack.file("rules.rq")
    if file is None:
        return
    try:
        text = read_text(file)
        if parse_rules is not None:
            parse_rules(text, where=str(file), prefixes={**PREFIXES, **pack.declared_prefixes})
        elif len(re.findall(r"^\s*CONSTRUCT\b", text, re.IGNORECASE | re.MULTILINE)) == 1:
            ox.Store().query(text, prefixes={**PREFIXES, **pack.declared_prefixes})
    except PackError as error:
        yield _finding(error, file)
    except SyntaxError as error:
        at = re.search(r"error at (\d+):", str(error.msg))
        line = error.lineno or (int(at[1]) if at else 0)
        yield Finding("error", file, line, f"not valid SPARQL: {error.msg}", "see the CONSTRUCT form of SPARQL")


def _check_entry_classes(pack: Pack, vocabulary: Vocabulary) -> Iterator[Finding]:
    try:
        entries = pack.entry_classes
    except PackError as error:
        yield _finding(error, pack.path)
        return
    for iri in entries:
        if iri not in vocabulary.classes:
            shown = vocabulary.shrink(iri)
            line = _line(pack.path, iri, vocabulary, shown)
            yield Finding("error", pack.path, line, f"entry class {shown} does not exist", "declare it as owl:Class")
    if not entries:
        yield Finding("warning", pack.path, 0, "there are no entry classes", "declare a class, or list entry_classes")


def _check_ontology(pack: Pack, vocabulary: Vocabulary) -> Iterator[Finding]:
    whole = Index(t for p in vocabulary.packs for t in p.triples)
    for file, parsed in pack.rdf.items():
        index = Index(parsed.triples)
        prefixes = {**vocabulary.prefixes, **parsed.prefixes}
        text = _quiet_text(file)

        def at(iri: str, file: Path = file, text: str = text, prefixes: dict[str, str] = prefixes) -> tuple[Path, int]:
            return file, line_of(text, iri, prefixes)

        for iri in reading.properties_of(index):
            if not index.nodes(iri, reading.TYPE):
                continue
            if not whole.texts(iri, *reading.LABELS):
                message = f"property {vocabulary.shrink(iri)} has no label"
                yield Finding("warning", *at(iri), message, "add rdfs:label: extraction looks for it in texts")
            if len(index.nodes(iri, RDFS + "domain")) > 1:
                message = f"property {vocabulary.shrink(iri)} has several rdfs:domain, which means all of them at once"
                yield Finding("warning", *at(iri), message, "use owl:unionOf for alternatives")
            yield from _undeclared(iri, index, vocabulary, at)
        for s in index.subjects(OWL + "imports"):
            for o in index.nodes(s, OWL + "imports"):
                if OWL + "Ontology" in whole.nodes(o, reading.TYPE):
                    continue
                remedy = "give that ontology to the workspace as well"
                yield Finding("warning", *at(o), f"owl:imports <{o}> is not followed: nothing is fetched", remedy)
        yield from _cycles(index, vocabulary, at)
        yield from _twins(index, vocabulary, at)


def _undeclared(
    iri: str, index: Index, vocabulary: Vocabulary, at: Callable[[str], tuple[Path, int]]
) -> Iterator[Finding]:
    for side, predicates in (("domain", reading.DOMAINS), ("range", reading.RANGES)):
        for expression in index.nodes(iri, *predicates):
            for cls in index.named(expression):
                known = cls in vocabulary.classes or reading.is_datatype(cls, index) or cls.startswith(_WELL_KNOWN)
                if not known:
                    message = (
                        f"the {side} of {vocabulary.shrink(iri)}, {vocabulary.shrink(cls)}, is not declared anywhere"
                    )
                    yield Finding(
                        "warning", *at(iri), message, "declare it as owl:Class, import its pack, or correct it"
                    )


def _cycles(index: Index, vocabulary: Vocabulary, at: Callable[[str], tuple[Path, int]]) -> Iterator[Finding]:
    """Classes that stand above themselves; equivalence that is stated as such is no cycle."""
    told: set[str] = set()
    for iri in sorted(set(index.subjects(reading.SUBCLASS))):
        if iri.startswith("_:") or iri in told:
            continue
        above = [p for p in index.nodes(iri, reading.SUBCLASS) if not p.startswith("_:")]
        ring = [p for p in above if p == iri or iri in vocabulary.ancestors(p)]
        equal = set(index.nodes(iri, OWL + "equivalentClass"))
        ring = [p for p in ring if p not in equal and iri not in index.nodes(p, OWL + "equivalentClass")]
        if ring:
            told.update(c for c in vocabulary.ancestors(iri) if iri in vocabulary.ancestors(c))
            message = f"class {vocabulary.shrink(iri)} is below itself, through {vocabulary.shrink(ring[0])}"
            yield Finding(
                "error", *at(iri), message, "remove one rdfs:subClassOf of the ring, or use owl:equivalentClass"
            )


def _twins(index: Index, vocabulary: Vocabulary, at: Callable[[str], tuple[Path, int]]) -> Iterator[Finding]:
    """Two terms of one kind with the same preferred label."""
    by_label: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for iri in dict.fromkeys(index.subjects(reading.TYPE)):
        term = vocabulary.terms.get(iri)
        if term is not None:
            by_label[label_key(term.label), term.kind].append(iri)
    for (_, kind), twins in sorted(by_label.items()):
        if kind == "individual" and len({vocabulary.terms[t].types for t in twins}) == len(twins):
            continue
        for other in twins[1:]:
            label = vocabulary.terms[other].label
            message = f"{vocabulary.shrink(other)} has the label {label!r} of {vocabulary.shrink(twins[0])}"
            yield Finding("warning", *at(other), message, "give each its own label, or merge the two")


def _failures(read: Callable[[T], object], things: Iterable[T]) -> list[PackError]:
    found = []
    for thing in things:
        try:
            read(thing)
        except PackError as error:
            found.append(error)
    return found


def _finding(error: PackError, default: Path) -> Finding:
    """A finding from an error, whose place is ``file`` or ``file:line``."""
    file, _, line = error.where.rpartition(":")
    if file and line.isdigit():
        return Finding("error", Path(file), int(line), error.what, error.remedy)
    return Finding("error", Path(error.where) if error.where else default, 0, error.what, error.remedy)


def _line(file: Path, iri: str, vocabulary: Vocabulary, shown: str) -> int:
    text = _quiet_text(file)
    return line_of(text, shown, {}) or line_of(text, iri, vocabulary.prefixes)


def _quiet_text(file: Path) -> str:
    try:
        return read_text(file)
    except PackError:
        return ""
