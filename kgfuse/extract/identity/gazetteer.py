"""Gazetteers: files of identifiers with their names, to which mentions are linked.

A file is read once, row by row, into an SQLite table beside it in the cache; so a million rows take no memory, and a
build that finds the table looks up what it needs.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import tempfile
import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Final

from kgfuse.errors import SourceError
from kgfuse.extract.identity.gazetteer_rows import Row, rows
from kgfuse.ontology.vocabulary import Vocabulary
from kgfuse.terms.namespaces import digest, label_key

_FORMAT: Final = "1"
_BATCH: Final = 10_000


@dataclass(frozen=True, slots=True)
class Entry:
    """Something a gazetteer knows.

    Args:
        iri: its identifier.
        label: its name.
        types: class IRIs.
        description: a few words that tell it from others of its name.
        file: name of the file.
    """

    iri: str
    label: str
    types: tuple[str, ...]
    description: str
    file: str


class Gazetteer:
    """The entries of several files, found by any of their names.

    Args:
        files: TSV, CSV or JSON Lines, each of them plain or ``.gz``.
        vocabulary: what the types are called.
        cache: folder for the tables; ``None`` makes one that goes with this object.

    Raises:
        SourceError: a file cannot be read; names file and line.
    """

    def __init__(self, files: Sequence[Path], vocabulary: Vocabulary, cache: Path | None = None) -> None:
        self.sha256 = digest(*(f"{file.name} {_sha256(file)}" for file in files))
        if cache is None:
            folder = tempfile.TemporaryDirectory(prefix="kgfuse-gazetteer-")
            weakref.finalize(self, folder.cleanup)
            cache = Path(folder.name)
        cache.mkdir(parents=True, exist_ok=True)
        self._cache = cache
        self._paths: set[Path] = set()
        self._tables: list[tuple[str, sqlite3.Connection]] = []
        for file in files:
            path = cache / f"{digest(_FORMAT, _sha256(file), vocabulary.sha256)}.sqlite"
            if not path.exists():
                _fill(path, file, vocabulary)
            self._paths.add(path)
            table = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, check_same_thread=False)
            weakref.finalize(self, table.close)
            self._tables.append((file.name, table))
        self.find = lru_cache(maxsize=50_000)(self._find)

    def prune(self) -> None:
        """Delete tables of files that are gone or have changed."""
        for path in set(self._cache.glob("*.sqlite")) - self._paths:
            with suppress(OSError):  # another process may still have it open
                path.unlink()

    def _find(self, key: str) -> tuple[Entry, ...]:
        found: dict[str, Entry] = {}
        for name, table in self._tables:
            query = "SELECT iri, label, types, description FROM entry JOIN name ON entry.id = name.entry WHERE key = ?"
            for iri, label, types, description in table.execute(query, (key,)):
                found.setdefault(iri, Entry(iri, label, tuple(types.split()), description, name))
        return tuple(found[iri] for iri in sorted(found))


def choose(
    entries: Iterable[Entry], types: Iterable[str], context: frozenset[str], vocabulary: Vocabulary
) -> tuple[Entry | None, str, tuple[Entry, ...]]:
    """Which entry a name stands for.

    Args:
        entries: all of that name.
        types: what the text takes the named thing for.
        context: folded words around it.
        vocabulary: which types fit which.

    Returns:
        The entry with the reason; or ``None`` with the entries between which nothing decides.
    """
    wanted = sorted(set(types))
    fitting = [e for e in entries if not any(vocabulary.are_disjoint(t, w) for t in e.types for w in wanted)]
    close = [e for e in fitting if _is_a(e, wanted, vocabulary)]
    best = close or fitting
    told = "name and type fit" if close else "the name fits"
    if len(best) < 2:
        return (best[0] if best else None), told, ()
    scores = {e.iri: len(context & folded_words(e.description)) for e in best}
    top = max(scores.values())
    ahead = [e for e in best if scores[e.iri] == top]
    if top == 0 or len(ahead) > 1:
        return None, "", tuple(best)
    shared = ", ".join(sorted(context & folded_words(ahead[0].description))[:3])
    return ahead[0], f"{told}, and so do the words around it: {shared}", ()


def folded_words(text: str) -> frozenset[str]:
    """Words that may tell things apart: of more than three letters."""
    return frozenset(w for w in (part.strip(".,;:!?'\"()[]") for part in label_key(text).split()) if len(w) > 3)


def _is_a(entry: Entry, wanted: Iterable[str], vocabulary: Vocabulary) -> bool:
    above = {a for t in entry.types for a in vocabulary.ancestors(t)}
    return any(w in above or not vocabulary.ancestors(w).isdisjoint(entry.types) for w in wanted)


def _fill(path: Path, file: Path, vocabulary: Vocabulary) -> None:
    """Write the table of a file, whole or not at all."""
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    os.close(handle)
    try:
        with closing(sqlite3.connect(name, isolation_level=None)) as table:
            table.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-65536;")
            table.execute("CREATE TABLE entry (id INTEGER PRIMARY KEY, iri, label, types, description)")
            table.execute("CREATE TABLE name (key TEXT, entry INTEGER)")
            table.execute("BEGIN")
            numbered = enumerate(rows(file, vocabulary), 1)
            while batch := list(islice(numbered, _BATCH)):
                table.executemany("INSERT INTO entry VALUES (?, ?, ?, ?, ?)", map(_entry, batch))
                table.executemany("INSERT INTO name VALUES (?, ?)", _names(batch))
            table.execute("CREATE INDEX name_key ON name (key, entry)")
            table.execute("COMMIT")
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


def _entry(numbered: tuple[int, Row]) -> tuple[int, str, str, str, str]:
    n, row = numbered
    return n, row.iri, row.names[0], " ".join(row.types), row.description


def _names(batch: Iterable[tuple[int, Row]]) -> Iterator[tuple[str, int]]:
    for n, row in batch:
        for key in dict.fromkeys(map(label_key, row.names)):
            if key:
                yield key, n


def _sha256(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        remedy = "mend extract.gazetteers in kgfuse.toml; relative paths start at the workspace's folder"
        raise SourceError(f"cannot be read: {error.strerror or error}", where=file, remedy=remedy) from error
