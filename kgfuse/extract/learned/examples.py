"""Annotated sentences: what an extractor is trained on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kgfuse.errors import PackError
from kgfuse.ontology.rdf import read_text

_NAMES: Final = (("subject", "sub"), ("property", "rel"), ("object", "obj"))


@dataclass(frozen=True, slots=True)
class Triple:
    """What a sentence is said to state, in the words of whoever annotated it.

    Args:
        subject: a label.
        relation: a relation's IRI or label, as the ontology at hand names it.
        object: a label or a literal.
        subject_span: code points ``[start, end)`` of the text, where the annotation gives them.
        object_span: likewise.
    """

    subject: str
    relation: str
    object: str
    subject_span: tuple[int, int] | None = None
    object_span: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """A text and its triples.

    Args:
        text: one sentence or a few.
        triples: what it states.
        rejected: what it does not state, as a reviewer said.
        complete: every triple of the ontology that the text states is given; otherwise what is missing proves nothing.
    """

    text: str
    triples: tuple[Triple, ...]
    rejected: tuple[Triple, ...] = ()
    complete: bool = True


def read_examples(file: Path) -> list[Example]:
    """Read JSON Lines of ``{"text", "triples": [{"subject", "property", "object", "subject_span"?, "object_span"?}]}``.

    ``sub``, ``rel`` and ``obj`` are other names of the three; spans are ``[start, end]``, or ``sub_start`` and
    ``sub_end``; ``rejected`` is a list like ``triples``; ``"complete": false`` says that only some triples of the text
    are given, as does an example that comes ``from`` a review.

    Raises:
        PackError: the file cannot be read, is not UTF-8, or has a line that is no JSON object of this form; names file
            and line.
    """
    return list(parse_examples(read_text(file).split("\n"), file))


def parse_examples(lines: Iterable[str], file: Path | str) -> Iterator[Example]:
    """The examples of these lines; ``file`` is for messages."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        where = f"{file}:{number}"
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise PackError(f"not JSON: {error}", where=where, remedy="one JSON object a line") from error
        yield example_of(record, where)


def example_of(record: Any, where: str) -> Example:
    """One example from its JSON object.

    Raises:
        PackError: it has no text, or a triple without subject, property or object, or a span outside the text.
    """
    if not isinstance(record, dict) or not isinstance(record.get("text"), str):
        raise PackError('an example needs a "text"', where=where, remedy='{"text": "…", "triples": [...]}')
    text = record["text"]
    given, rejected = (
        tuple(_triple(t, text, where) for t in _list(record.get(name, []), name, where))
        for name in ("triples", "rejected")
    )
    origin = record.get("from")
    is_review = isinstance(origin, Mapping) and origin.get("review") is True
    return Example(text, given, rejected, bool(record.get("complete", not is_review)))


def _list(value: Any, name: str, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise PackError(f'"{name}" is a list, not {type(value).__name__}', where=where)
    return value


def _triple(record: Any, text: str, where: str) -> Triple:
    if not isinstance(record, Mapping):
        raise PackError(f"a triple is an object, not {type(record).__name__}", where=where)
    found = [next((record[n] for n in names if isinstance(record.get(n), str)), None) for names in _NAMES]
    for value, names in zip(found, _NAMES, strict=True):
        if value is None:
            raise PackError(
                f'a triple has no "{names[0]}"', where=where, remedy="subject, property and object are text"
            )
    spans = [_span(_given_span(record, role), text, where) for role in ("subject", "object")]
    return Triple(str(found[0]), str(found[1]), str(found[2]), *spans)


def _given_span(record: Mapping[str, Any], role: str) -> Any:
    """A span as a list of two, however the record writes it."""
    start, end = (record.get(f"{role[:3]}_{side}") for side in ("start", "end"))
    return [start, end] if start is not None and end is not None else record.get(f"{role}_span")


def _span(value: Any, text: str, where: str) -> tuple[int, int] | None:
    if value is None:
        return None
    if (
        isinstance(value, list)
        and len(value) == 2
        and all(isinstance(v, int) for v in value)
        and 0 <= value[0] < value[1] <= len(text)
    ):
        return value[0], value[1]
    raise PackError(
        f"a span is [start, end] within the text's {len(text)} characters, not {value!r}", where=where,
        remedy="offsets count Unicode code points; the end is exclusive",
    )  # fmt: skip
