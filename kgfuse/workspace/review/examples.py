"""``examples.jsonl``: what people decided, as examples for training: a passage, what it states, and what it does not.

A line is ``{"text", "triples": [{"sub", "rel", "obj", "sub_start", "sub_end", "obj_start", "obj_end"}], "rejected":
[…], "from": {"source", "start", "review": true}}``. Offsets count code points of ``text`` and are left out where an end
has no words; ``rejected`` are negative examples of the same form. What nobody decided on stands in neither.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from kgfuse.extract.documents import literal_place
from kgfuse.terms.mentions import Mention, Statement, TextSpan, Value
from kgfuse.workspace.parts import Parts
from kgfuse.workspace.review.decisions import Decision, end_text

FILE: Final = "examples.jsonl"


def write_examples(parts: Parts, held: Iterable[Decision]) -> Path:
    """Write the examples of the decisions that hold; lines that people added themselves stay as they are."""
    path = parts.folder / FILE
    before = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    own = [line for line in before if line.strip() and not _is_ours(line)]
    lines = [*own, *(json.dumps(e, ensure_ascii=False) for e in examples(parts, held))]
    content = "".join(f"{line}\n" for line in lines)
    if lines or path.exists():
        temporary = path.with_suffix(".part")
        temporary.write_text(content, encoding="utf-8", newline="\n")
        os.replace(temporary, path)  # noqa: PTH105 (Path.replace is the same call)
    return path


def examples(parts: Parts, held: Iterable[Decision]) -> list[dict[str, Any]]:
    """Examples by source and place; only decisions on texts become one."""
    texts: dict[str, str] = {}
    found: dict[tuple[str, int, int], dict[str, Any]] = {}
    for d in held:
        row = parts.catalog.source(d.row.source)
        if row is None or row.text_sha256 is None:
            continue
        text = texts.setdefault(row.name, parts.blobs.read_text(row.text_sha256))
        for statement, kind in _said(d):
            window = _window(statement)
            if window is None:
                continue
            start, end = window
            example = found.setdefault(
                (row.name, start, end),
                {
                    "text": text[start:end],
                    "triples": [],
                    "rejected": [],
                    "from": {"source": row.name, "start": start, "review": True},
                },
            )
            example[kind].append(_triple(statement, start, end))
    return [found[key] for key in sorted(found)]


def _said(d: Decision) -> list[tuple[Statement, str]]:
    if d.row.decision == "accepted":
        return [(d.statement, "triples")]
    away = [(d.statement, "rejected")]
    return [*away, (d.replacement, "triples")] if d.replacement else away


def _window(statement: Statement) -> tuple[int, int] | None:
    """The sentence of a statement, made wide enough for both ends."""
    spans = [m.selector for m in statement.evidence if isinstance(m.selector, TextSpan)]
    if not spans:
        return None
    sentence = max(spans, key=lambda s: (s.end - s.start, -s.start))
    ends = [s for s in (_place(statement.subject), _object_place(statement)) if s is not None]
    return min(s.start for s in (sentence, *ends)), max(s.end for s in (sentence, *ends))


def _triple(statement: Statement, start: int, end: int) -> dict[str, Any]:
    made: dict[str, Any] = {
        "sub": end_text(statement.subject),
        "rel": statement.predicate,
        "obj": end_text(statement.object),
    }
    for name, place in (("sub", _place(statement.subject)), ("obj", _object_place(statement))):
        if place is not None and start <= place.start and place.end <= end:
            made[f"{name}_start"], made[f"{name}_end"] = place.start - start, place.end - start
    return made


def _object_place(statement: Statement) -> TextSpan | None:
    if not isinstance(statement.object, Value):
        return _place(statement.object)
    place = literal_place(statement)
    return place if isinstance(place, TextSpan) else None


def _place(node: Mention | str | Value) -> TextSpan | None:
    return node.selector if isinstance(node, Mention) and isinstance(node.selector, TextSpan) else None


def _is_ours(line: str) -> bool:
    try:
        found = json.loads(line)
    except ValueError:
        return False
    return isinstance(found, dict) and isinstance(found.get("from"), dict) and found["from"].get("review") is True
