"""Manifests: JSON Lines or CSV that say which texts and pictures make up which item, and what is known of it.

One line an item: ``id, name, type, text | text_path, images, audio, label, split, links``. ``label`` is a class (or a
list of classes, or ``{property: value}`` for further targets); ``links`` is ``{property: [ids or literals]}``.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from kgfuse.errors import ManifestError

Scalar = str | int | float | bool
MANIFEST_SUFFIXES = frozenset({".jsonl", ".csv"})
_LIST_COLUMNS = ("images", "audio")
_MAX_LINE = 10_000_000


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
    links: dict[str, tuple[Scalar, ...]] = Field(default_factory=dict)
    line: int = 0

    @field_validator("id", mode="before")
    @classmethod
    def _id_as_text(cls, value: Any) -> Any:
        return str(value) if isinstance(value, int) else value

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

    def labels(self) -> dict[str, tuple[str, ...]]:
        """Labels by target property; the empty string stands for ``rdf:type``."""
        if self.label is None or self.label == "":
            return {}
        if isinstance(self.label, dict):
            return {k: (v,) if isinstance(v, str) else v for k, v in self.label.items()}
        return {"": (self.label,) if isinstance(self.label, str) else self.label}


def is_manifest(path: Path) -> bool:
    """True for JSON Lines or CSV whose first record has an ``id``."""
    if path.suffix.lower() not in MANIFEST_SUFFIXES:
        return False
    try:
        with path.open(encoding="utf-8-sig", newline="") as f:
            first = f.readline(_MAX_LINE)
    except (UnicodeDecodeError, OSError):
        return False
    if path.suffix.lower() == ".csv":
        return "id" in next(csv.reader([first]), [])
    try:
        record = json.loads(first)
    except ValueError:
        return path.name.startswith("manifest")
    return isinstance(record, dict) and "id" in record


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
    with path.open(encoding="utf-8-sig", newline="") as f:
        if path.suffix.lower() == ".csv":
            reader = csv.DictReader(f)
            for row in reader:
                yield reader.line_num, _csv_record(row)
            return
        for number, line in enumerate(f, 1):
            if line.strip():
                try:
                    yield number, json.loads(line)
                except (ValueError, RecursionError) as e:
                    yield number, e


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
        return ManifestError(f"not valid JSON: {record}", where=where, remedy="one JSON object a line")
    if not isinstance(record, dict):
        return ManifestError("not a JSON object", where=where, remedy="one JSON object a line")
    try:
        return Entry.model_validate({**record, "line": number})
    except ValidationError as e:
        first = e.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "record"
        return ManifestError(
            f"{field}: {first['msg']}",
            where=where,
            remedy="keys: id, type, text | text_path, images, label, split, links",
        )
