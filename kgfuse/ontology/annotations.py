"""Checks of the files that stand beside an ontology: patterns, annotated examples, and picture tags."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from kgfuse.errors import PackError
from kgfuse.ontology.pack import Pack, read_toml
from kgfuse.ontology.rdf import read_text
from kgfuse.ontology.vocabulary import Vocabulary

Fault: TypeAlias = tuple[Literal["error", "warning"], Path, int, str, str]
Checker: TypeAlias = Callable[[Pack, Vocabulary], Iterator[Fault]]

REL_OPS: Final = frozenset(
    (
        *("<", ">", "<<", ">>", ".", ".*", ";", ";*", "$+", "$-", "$++", "$--"),
        *(">+", ">-", ">++", ">--", "<+", "<-", "<++", "<--"),
    )
)
"""Operators of spaCy's DependencyMatcher, https://spacy.io/api/dependencymatcher#operators."""


def check_patterns(pack: Pack, vocabulary: Vocabulary) -> Iterator[Fault]:
    """Each line: a known property, a well-formed ``pattern`` (dependencies) or ``tokens``, object and subject in it."""
    file = pack.file("patterns.jsonl")
    if file is None:
        return
    for line, record in pack.records("patterns.jsonl"):
        faults = [*_property(record.get("property"), vocabulary), *_pattern(record)]
        yield from (("error", file, line, *fault) for fault in faults)


def _pattern(record: dict[str, Any]) -> Iterator[tuple[str, str]]:
    see = "see https://spacy.io/usage/rule-based-matching"
    names: Collection[str | int]
    if ("pattern" in record) == ("tokens" in record):
        yield ("a pattern needs either 'pattern' or 'tokens'", see)
        return
    if "pattern" in record:
        names, faults = _dependency(record["pattern"], see)
    else:
        names, faults = _tokens(record["tokens"], see)
    yield from faults
    if faults:
        return
    for role in ("object", "subject"):
        if record.get(role) not in names and (role == "object" or record.get(role) is not None):
            what = "RIGHT_ID" if "pattern" in record else "place (from 0)"
            remedy = f"use one of {', '.join(map(str, names))}"
            if role == "subject":
                remedy += ", or null: then the subject of the clause, else the item, is meant"
            yield (f"{role} {record.get(role)!r} is no {what} of the pattern", remedy)
    confidence = record.get("confidence", 0.85)
    if isinstance(confidence, bool) or not isinstance(confidence, int | float) or not 0 <= confidence <= 1:
        yield (f"confidence {confidence!r} is not a number from 0 to 1", "leave it out for 0.85")


def _tokens(pattern: Any, see: str) -> tuple[list[int], list[tuple[str, str]]]:
    if not isinstance(pattern, list) or not pattern or not all(isinstance(n, dict) for n in pattern):
        return [], [("'tokens' must be a list of token objects", see)]
    return list(range(len(pattern))), []


def _dependency(pattern: Any, see: str) -> tuple[list[str], list[tuple[str, str]]]:
    """RIGHT_IDs of a pattern, and what is wrong with it."""
    if not isinstance(pattern, list) or not pattern or not all(isinstance(n, dict) for n in pattern):
        return [], [("'pattern' must be a list of token objects", see)]
    ids: list[str] = []
    faults: list[tuple[str, str]] = []
    for number, node in enumerate(pattern):
        wanted = {"RIGHT_ID", "RIGHT_ATTRS"} | ({"LEFT_ID", "REL_OP"} if number else set())
        if set(node) != wanted:
            faults.append((f"token {number + 1} of the pattern must have {', '.join(sorted(wanted))} and no more", see))
            continue
        if number and node["LEFT_ID"] not in ids:
            faults.append((f"LEFT_ID {node['LEFT_ID']!r} is not the RIGHT_ID of an earlier token", see))
        if number and node["REL_OP"] not in REL_OPS:
            faults.append((f"unknown REL_OP {node['REL_OP']!r}", f"use one of {' '.join(sorted(REL_OPS))}"))
        if not isinstance(node["RIGHT_ATTRS"], dict):
            faults.append((f"RIGHT_ATTRS of token {number + 1} must be an object", see))
        if node["RIGHT_ID"] in ids:
            faults.append((f"RIGHT_ID {node['RIGHT_ID']!r} is given twice", "give each token its own"))
        ids.append(str(node["RIGHT_ID"]))
    return ids, faults


def check_examples(pack: Pack, vocabulary: Vocabulary) -> Iterator[Fault]:
    """Each line: ``text`` and ``triples`` whose subject and object stand in it, with known properties."""
    file = pack.file("examples.jsonl")
    if file is None:
        return
    form = '{"text": "…", "triples": [{"subject": "…", "property": "…", "object": "…"}]}'
    for line, record in pack.records("examples.jsonl"):
        text, triples = record.get("text"), record.get("triples")
        if not isinstance(text, str) or not isinstance(triples, list) or not all(isinstance(t, dict) for t in triples):
            yield ("error", file, line, "an example needs a text and a list of triples", form)
            continue
        for triple in triples:
            yield from (("error", file, line, *f) for f in _property(triple.get("property"), vocabulary))
            for role in ("subject", "object"):
                yield from (("error", file, line, *f) for f in _span(text, triple, role, form))


def _span(text: str, triple: dict[str, Any], role: str, form: str) -> Iterator[tuple[str, str]]:
    words, span = triple.get(role), triple.get(f"{role}_span")
    if words is None and role == "subject":
        return
    if not isinstance(words, str) or not words:
        yield (f"the {role} of a triple must be a text", form)
    elif span is None and words not in text:
        yield (f"the {role} {words!r} does not stand in the text", "copy it from the text, character for character")
    elif span is not None:
        is_pair = isinstance(span, list) and len(span) == 2 and all(type(n) is int and n >= 0 for n in span)
        if not is_pair or text[span[0] : span[1]] != words:
            yield (f"{role}_span {span} is not where {words!r} stands", "give [start, end] in Unicode code points")


def check_visual(pack: Pack, vocabulary: Vocabulary) -> Iterator[Fault]:
    """Each tag is one that the detector has, each class one that an ontology declares."""
    file = pack.file("visual.toml")
    if file is None:
        return
    tables = read_toml(file)
    lines = read_text(file).split("\n")
    for section, tags in tables.items():
        names = _detector_names(section)
        if names is None:
            line = _line_with(lines, f"[{section}]")
            yield ("warning", file, line, f"no detector has the vocabulary {section!r}", "use [imagenet] or [coco]")
        if not isinstance(tags, dict):
            yield ("error", file, 0, f"{section!r} is not a section", "write [imagenet] above the tags")
            continue
        for tag, name in tags.items():
            line = _line_with(lines, tag)
            if names is not None and tag not in names:
                close = difflib.get_close_matches(tag, names, n=1, cutoff=0.5)
                remedy = f"did you mean {close[0]!r}?" if close else "see torchvision's meta['categories']"
                yield ("error", file, line, f"{section} has no class {tag!r}", remedy)
            yield from (("error", file, line, *f) for f in _class(name, pack, vocabulary, file))


def _class(name: Any, pack: Pack, vocabulary: Vocabulary, file: Path) -> Iterator[tuple[str, str]]:
    if not isinstance(name, str):
        yield (f"{name!r} is not a class name", 'write "tag" = "prefix:Class"')
        return
    try:
        iri = pack.expand(name, file)
    except PackError as error:
        yield (error.what, error.remedy)
        return
    if iri not in vocabulary.classes:
        yield (f"class {name} does not exist", _close(name, vocabulary, list(vocabulary.classes)))


def _property(name: Any, vocabulary: Vocabulary) -> Iterator[tuple[str, str]]:
    if not isinstance(name, str):
        yield ("'property' is missing or not a text", 'write "property": "prefix:name"')
        return
    prefix = name.partition(":")[0]
    if ":" not in name or (prefix not in vocabulary.prefixes and "//" not in name):
        yield (f"{name!r} has no known prefix", "declare it under [prefixes] in pack.toml")
    elif vocabulary.expand(name) not in vocabulary.properties:
        yield (f"property {name} does not exist", _close(name, vocabulary, list(vocabulary.properties)))


def _close(name: str, vocabulary: Vocabulary, iris: list[str]) -> str:
    close = difflib.get_close_matches(name, [vocabulary.shrink(i) for i in iris], n=1)
    return f"did you mean {close[0]}?" if close else "declare it in the ontology, or import its pack"


def _line_with(lines: list[str], words: str) -> int:
    quoted = (f'"{words}"', f"'{words}'", words)
    return next((n for q in quoted for n, text in enumerate(lines, start=1) if text.lstrip().startswith(q)), 0)


@lru_cache
def _detector_names(section: str) -> frozenset[str] | None:
    """Class names of a detector's vocabulary; ``None`` where the vocabulary is unknown."""
    if section == "imagenet":
        from torchvision.models import EfficientNet_B0_Weights

        return frozenset(EfficientNet_B0_Weights.DEFAULT.meta["categories"])
    if section == "coco":
        from torchvision.models.detection import FasterRCNN_ResNet50_FPN_Weights

        return frozenset(FasterRCNN_ResNet50_FPN_Weights.DEFAULT.meta["categories"])
    return None
