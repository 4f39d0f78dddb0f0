"""Rows of a gazetteer file: TSV, CSV or JSON Lines, the latter also as a dump of Wikidata has them."""

from __future__ import annotations

import csv
import gzip
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TextIO

from kgfuse.errors import SourceError, UsageError
from kgfuse.ontology.vocabulary import Vocabulary

WIKIDATA: Final = "http://www.wikidata.org/entity/"
_IDS: Final = ("id", "iri", "uri", "qid")
_LABELS: Final = ("label", "name")
_COLUMNS: Final = "id, label, aliases, type, description"
_BAD: Final = re.compile(r"[\x00-\x20<>\"{}|\\^`]")


@dataclass(frozen=True, slots=True)
class Row:
    """One line: an identifier, its names (the first is its label), class IRIs and a description."""

    iri: str
    names: tuple[str, ...]
    types: tuple[str, ...]
    description: str


def rows(file: Path, vocabulary: Vocabulary) -> Iterator[Row]:
    """Read a gazetteer row by row.

    Raises:
        SourceError: what is wrong, with file and line.
    """
    kind = (file.with_suffix("") if file.suffix.lower() == ".gz" else file).suffix.lower()
    classes: dict[str, str] = {}
    line = 0
    try:
        with _open(file) as stream:
            if kind in (".jsonl", ".ndjson", ".json"):
                found = _json_lines(stream)
            elif kind in (".tsv", ".csv"):
                found = _table(stream, kind)
            else:
                what = f"{kind or 'a file without suffix'} is no format of gazetteers"
                raise SourceError(what, where=file, remedy="use .tsv, .csv or .jsonl, or one of them with .gz")
            for number, record in found:
                line = number
                yield _row(record, vocabulary, classes)
    except _RowError as error:
        raise SourceError(str(error), where=f"{file}:{error.line or line}", remedy=f"columns are {_COLUMNS}") from error
    except UsageError as error:
        raise SourceError(error.what, where=f"{file}:{line}", remedy=error.remedy) from error
    except UnicodeDecodeError as error:
        raise SourceError("is not UTF-8 here", where=f"{file}:{line + 1}", remedy="save it as UTF-8") from error
    except (OSError, EOFError, zlib.error) as error:
        raise SourceError(f"cannot be read: {error}", where=f"{file}:{line + 1}", remedy="mend the file") from error


class _RowError(Exception):
    def __init__(self, what: str, line: int = 0) -> None:
        super().__init__(what)
        self.line = line


def _open(file: Path) -> TextIO:
    if file.suffix.lower() == ".gz":
        return gzip.open(file, "rt", encoding="utf-8-sig", newline="")
    return file.open("r", encoding="utf-8-sig", newline="")


def _table(stream: TextIO, kind: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    as_is = {"delimiter": "\t", "quoting": csv.QUOTE_NONE}
    reader = csv.reader(stream, **as_is) if kind == ".tsv" else csv.reader(stream)  # type: ignore[arg-type]
    try:
        header = [h.strip().casefold() for h in next(reader, [])]
        if not any(h in _IDS for h in header) or not any(h in _LABELS for h in header):
            raise _RowError("the first line must name the columns, id and label among them", 1)
        for cells in reader:
            if len(cells) > len(header):
                raise _RowError(f"has {len(cells)} cells, but there are {len(header)} columns", reader.line_num)
            if any(c.strip() for c in cells):
                yield reader.line_num, dict(zip(header, cells, strict=False))
    except csv.Error as error:
        raise _RowError(str(error), reader.line_num) from error


def _json_lines(stream: TextIO) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, text in enumerate(stream, 1):
        text = text.strip().removesuffix(",")  # a dump of Wikidata is one array, an entity a line
        if text in ("", "[", "]"):
            continue
        try:
            record = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise _RowError(f"not valid JSON: {error}", number) from error
        if not isinstance(record, dict):
            raise _RowError("each line must be a JSON object", number)
        yield number, _plain(record) if isinstance(record.get("labels"), dict) else record


def _plain(record: Mapping[str, Any]) -> dict[str, Any]:
    """An entity of a Wikidata dump as a row; English where there is English."""
    labels, aliases, told = (record.get(k) or {} for k in ("labels", "aliases", "descriptions"))
    claims = record.get("claims") or {}
    kinds = [_value(c) for c in claims.get("P31", ()) if isinstance(c, dict)] if isinstance(claims, dict) else []
    names = [_text(labels.get("en")), *(_text(v) for v in labels.values())]
    for many in aliases.values() if isinstance(aliases, dict) else ():
        names += [_text(a) for a in many] if isinstance(many, list) else []
    description = _text(told.get("en")) if isinstance(told, dict) else ""
    named = [n for n in names if n]
    return {
        "id": record.get("id"), "label": named[0] if named else record.get("id"), "aliases": named[1:],
        "type": [k for k in kinds if k], "description": description,
    }  # fmt: skip


def _text(value: object) -> str:
    found = value.get("value") if isinstance(value, dict) else value
    return found if isinstance(found, str) else ""


def _value(claim: Mapping[str, Any]) -> str:
    found: Any = claim
    for key in ("mainsnak", "datavalue", "value", "id"):
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, str) else ""


def _row(record: Mapping[str, Any], vocabulary: Vocabulary, classes: dict[str, str]) -> Row:
    identifier = next((v for k in _IDS if (v := _one(record.get(k)))), "")
    label = next((v for k in _LABELS if (v := _one(record.get(k)))), "")
    if not identifier or not label:
        raise _RowError(f"has no {'label' if identifier else 'id'}")
    names = dict.fromkeys((label, *_many(record.get("aliases"))))
    types = []
    for name in _many(record.get("type") or record.get("types")):
        if name not in classes:
            classes[name] = _class(name, vocabulary)
        types.append(classes[name])
    return Row(_iri(identifier, vocabulary), tuple(names), tuple(types), _one(record.get("description")))


def _iri(name: str, vocabulary: Vocabulary) -> str:
    iri = WIKIDATA + name if re.fullmatch(r"[QP]\d+", name) else vocabulary.expand(name)
    if _BAD.search(iri):
        raise _RowError(f"{name!r} is no IRI")
    return iri


def _class(name: str, vocabulary: Vocabulary) -> str:
    found = [t.iri for t in vocabulary.find(name) if t.kind == "class"]
    if found:
        return min(found)
    if ":" in name or re.fullmatch(r"Q\d+", name):
        return _iri(name, vocabulary)
    raise _RowError(f"no class of the ontologies is called {name!r}")


def _one(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _many(value: object) -> list[str]:
    """Several values: a list, or a text with ``|`` between them."""
    parts = value.split("|") if isinstance(value, str) else value if isinstance(value, list) else []
    return [p.strip() for p in parts if isinstance(p, str) and p.strip()]
