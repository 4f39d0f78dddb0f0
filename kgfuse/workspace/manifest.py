"""Manifests: JSON Lines or CSV that say which texts and pictures make up which item, and what is known of it.

One line an item: ``id, name, type, text | text_path, images, audio, label, split, group, links``. ``label`` is a class
(or a list of classes, or ``{property: value}`` for further targets); ``links`` is ``{property: [ids or literals]}``.
Items of one ``group`` (one author, patient, shelf) are alike beyond their class: training keeps them together.
"""

from __future__ import annotations

import codecs
import csv
import difflib
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from kgfuse.errors import ManifestError

Scalar = str | int | float | bool
MANIFEST_SUFFIXES = frozenset({".jsonl", ".csv"})
_LIST_COLUMNS = ("images", "audio")
_MAX_LINE = 10_000_000
_LOOK = 20


class Entry(BaseModel):
    """One line of a manifest, checked."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: str = Field(min_length=1, max_length=2000)
    name: str | None = None
    type: str | None = None
    text: str | None = None
    text_path: str | None = None
    images: tuple[str, ...] = ()
    audio: tuple[str, ...] = ()
    label: str | tuple[str, ...] | dict[str, str | tuple[str, ...]] | None = None
    split: str | None = None
    group: str | None = None
    links: dict[str, tuple[Scalar, ...]] = Field(default_factory=dict)
    line: int = 0

    @field_validator("id", "group", mode="before")
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        return str(value) if isinstance(value, int) else value

    @field_validator("group")
    @classmethod
    def _no_blank_group(cls, value: str | None) -> str | None:
        return value or None

    @field_validator("images", "audio", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else (value or ())

    @field_validator("links", mode="before")
    @classmethod
    def _links_as_lists(cls, value: Any) -> Any:
        if isinstance(value, dict):
            return {k: v if isinstance(v, list | tuple) else (v,) for k, v in value.items()}
        return value or {}

    @field_validator("split", mode="before")
    @classmethod
    def _split_names(cls, value: Any) -> Any:
        if value in (None, ""):
            return None
        name = {"val": "validation", "valid": "validation", "dev": "validation"}.get(str(value), str(value))
        if name not in ("train", "validation", "test"):
            raise ValueError(f"split is {value!r}: use train, validation or test")
        return name

    def files(self) -> tuple[str, ...]:
        """The files it names, each once."""
        return tuple(dict.fromkeys(((self.text_path,) if self.text_path else ()) + self.images + self.audio))

    def labels(self) -> dict[str, tuple[str, ...]]:
        """Labels by target property; the empty string stands for ``rdf:type``."""
        if self.label is None or self.label == "":
            return {}
        if isinstance(self.label, dict):
            return {k: (v,) if isinstance(v, str) else v for k, v in self.label.items()}
        return {"": (self.label,) if isinstance(self.label, str) else self.label}


def is_manifest(path: Path) -> bool:
    """True for JSON Lines with an ``id`` in one of the first records, and for CSV with a column ``id``."""
    if path.suffix.lower() not in MANIFEST_SUFFIXES:
        return False
    try:
        with path.open(encoding=_encoding(path), newline="") as f:
            lines = [line for line in islice(iter(lambda: f.readline(_MAX_LINE), ""), _LOOK) if line.strip()]
    except (UnicodeDecodeError, OSError):
        return False
    if path.suffix.lower() == ".csv":
        return bool(lines) and _delimiter(lines[0]) is not None
    return path.name.startswith("manifest") or any(map(_has_id, lines))


def _has_id(line: str) -> bool:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(record, dict) and "id" in record


def _encoding(path: Path) -> str:
    """UTF-16 where a byte order mark says so (spreadsheets write it), else UTF-8."""
    with path.open("rb") as f:
        return "utf-16" if f.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"


def _delimiter(header: str) -> str | None:
    """What the columns are divided by, ``id`` among them; ``None`` where no line of names is to be seen."""
    return next((d for d in (",", ";", "\t") if "id" in next(csv.reader([header], delimiter=d), [])), None)


def read(path: Path) -> Iterator[Entry | ManifestError]:
    """Yield an entry a line, or the error of a line that breaks the schema, so that the batch goes on.

    Raises:
        ManifestError: the file as a whole cannot be read.
    """
    seen: dict[str, int] = {}
    try:
        for number, record in _records(path):
            entry = _entry(path, number, record)
            if isinstance(entry, Entry):
                if entry.id in seen:
                    yield ManifestError(
                        f"id {entry.id!r} stands on line {seen[entry.id]} already",
                        where=f"{path}:{number}",
                        remedy="give every item its own id",
                    )
                    continue
                seen[entry.id] = number
            yield entry
    except UnicodeDecodeError as e:
        raise ManifestError(f"not UTF-8 at byte {e.start}", where=path, remedy="save the manifest as UTF-8") from e


def _records(path: Path) -> Iterator[tuple[int, Any]]:
    with path.open(encoding=_encoding(path), newline="") as f:
        if path.suffix.lower() == ".csv":
            yield from _csv_records(f)
            return
        for number, line in enumerate(f, 1):
            if line.strip():
                try:
                    yield number, json.loads(line)
                except json.JSONDecodeError as e:
                    yield number, ValueError(f"{e.msg} at column {e.colno}")
                except (ValueError, RecursionError) as e:
                    yield number, e


def _csv_records(f: TextIO) -> Iterator[tuple[int, Any]]:
    header = next((line for line in f if line.strip()), "")
    delimiter = _delimiter(header) or ","
    csv.field_size_limit(_MAX_LINE)
    names = next(csv.reader([header], delimiter=delimiter), [])
    reader = csv.DictReader(f, fieldnames=names, delimiter=delimiter, strict=True)
    number = 1
    try:
        for row in reader:
            number = reader.line_num + 1
            yield number, _csv_record(row)
    except csv.Error as e:
        yield number + 1, ValueError(f"{e}, from here on")


def _csv_record(row: dict[str, Any]) -> dict[str, Any] | ValueError:
    record: dict[str, Any] = {k: v for k, v in row.items() if k is not None and v not in (None, "")}
    for column in _LIST_COLUMNS:
        if column in record:
            record[column] = [part.strip() for part in record[column].split("|")]
    if "links" in record:
        try:
            record["links"] = json.loads(record["links"])
        except ValueError as e:
            return ValueError(f"column links is not JSON: {e}")
    if "|" in str(record.get("label", "")):
        record["label"] = [part.strip() for part in record["label"].split("|")]
    return record


def _entry(path: Path, number: int, record: Any) -> Entry | ManifestError:
    where = f"{path}:{number}"
    if isinstance(record, Exception):
        kind = "CSV" if path.suffix.lower() == ".csv" else "JSON"
        remedy = "close the quotes" if kind == "CSV" else "one JSON object a line"
        return ManifestError(f"not valid {kind}: {record}", where=where, remedy=remedy)
    if not isinstance(record, dict):
        return ManifestError("not a JSON object", where=where, remedy="one JSON object a line")
    for key in record.keys() - Entry.model_fields.keys():
        near = difflib.get_close_matches(str(key), Entry.model_fields, n=1, cutoff=0.75)
        if near:
            return ManifestError(f"unknown key {key!r}", where=where, remedy=f"did you mean {near[0]!r}?")
    try:
        return Entry.model_validate({**record, "line": number})
    except ValidationError as e:
        first = e.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "record"
        return ManifestError(
            f"{field}: {first['msg']}",
            where=where,
            remedy="keys: id, type, text | text_path, images, label, split, group, links",
        )
