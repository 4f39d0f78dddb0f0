"""Full-text search over labels and texts: SQLite FTS5 in one file, brought up to date by what changed."""

from __future__ import annotations

import sqlite3
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

from kgfuse.errors import UsageError, WorkspaceError
from kgfuse.graph.passages import passage, spans
from kgfuse.terms.namespaces import digest

Kind: TypeAlias = Literal["label", "text"]

_FORMAT: Final = 1
_WAIT: Final = 60.0  # seconds, for another process that writes
_SCHEMA: Final = f"""
BEGIN;
CREATE TABLE entries (
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, iri TEXT NOT NULL, name TEXT NOT NULL, hash TEXT NOT NULL,
  UNIQUE (kind, iri, name, hash)
);
CREATE VIRTUAL TABLE words USING fts5(text, tokenize = 'unicode61 remove_diacritics 2');
PRAGMA user_version = {_FORMAT};
COMMIT;
"""
_FIND: Final = """
SELECT e.kind, e.iri, e.name, bm25(words) AS rank, words.rowid FROM words JOIN entries e ON e.id = words.rowid
WHERE words MATCH :match AND (:kind IS NULL OR e.kind = :kind)
ORDER BY rank, e.kind, e.iri, e.name, e.hash LIMIT :limit
"""


@dataclass(frozen=True, slots=True)
class Text:
    """A stored text to be found.

    Args:
        name: of its source.
        iri: of what is to be found with it: the item it belongs to, or the source.
        sha256: of its content; the text is read only where the index does not have this one.
        read: gives the text.
    """

    name: str
    iri: str
    sha256: str
    read: Callable[[], str]

    @classmethod
    def of(cls, name: str, iri: str, text: str) -> Text:
        """A text at hand."""
        return cls(name, iri, digest("text", text), lambda: text)


@dataclass(frozen=True, slots=True)
class Hit:
    """A label or a text in which the words are.

    Args:
        kind: which of the two.
        iri: of what has the label, or what the text belongs to.
        name: of the text's source; empty for a label.
        start: where the passage begins in the stored text (or the label), in code points.
        end: where it ends.
        exact: the passage: ``text[start:end]``.
        matches: where the words are in the passage's text, (start, end) in the stored text.
        score: the higher the better (BM25); compares hits of one search.
    """

    kind: Kind
    iri: str
    name: str
    start: int
    end: int
    exact: str
    matches: tuple[tuple[int, int], ...]
    score: float


@dataclass(frozen=True, slots=True)
class Updated:
    """What an update changed."""

    added: int
    removed: int


class TextIndex:
    """Words of labels and texts.

    Case and diacritics do not count. Words are what is between spaces and punctuation, so that of a script without
    spaces whole phrases are found, or beginnings of them (``word*``).

    Args:
        path: the file; made by the first update.

    Raises:
        WorkspaceError: from any call, when the file cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def update(self, labels: Iterable[tuple[str, str]], texts: Iterable[Text]) -> Updated:
        """Make the index hold exactly these; only what is new is read, only what is gone is taken away.

        A damaged index, or one of another version, is made anew. Killed meanwhile, it is what it was before.

        Args:
            labels: (IRI, label); a thing may have several.
            texts: stored texts.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        wanted: dict[tuple[str, str, str, str], Callable[[], str]] = {}
        for iri, label in labels:
            wanted["label", iri, "", digest("label", label)] = lambda label=label: label  # type: ignore[misc]
        for text in texts:
            wanted["text", text.iri, text.name, text.sha256] = text.read
        with self._told(), self._writable() as connection:
            rows = connection.execute("SELECT kind, iri, name, hash, id FROM entries")
            known = {(kind, iri, name, sha): number for kind, iri, name, sha, number in rows}
            gone = [(number,) for key, number in known.items() if key not in wanted]
            connection.executemany("DELETE FROM words WHERE rowid = ?", gone)
            connection.executemany("DELETE FROM entries WHERE id = ?", gone)
            fresh = [key for key in wanted if key not in known]
            for key in fresh:
                entry = connection.execute("INSERT INTO entries (kind, iri, name, hash) VALUES (?, ?, ?, ?)", key)
                stored = _storable(wanted[key]())
                connection.execute("INSERT INTO words (rowid, text) VALUES (?, ?)", (entry.lastrowid, stored))
        return Updated(len(fresh), len(gone))

    def search(self, query: str, limit: int = 20, kind: Kind | None = None) -> list[Hit]:
        """Labels and texts with all of these words; with any of them where none has all.

        Args:
            query: words; ``"several words"`` in quotes stand together, ``beginning*`` finds all that begins so. No
                other character has a meaning.
            limit: at most so many.
            kind: only labels or only texts.

        Returns:
            Best first; of equally good ones labels first, then by IRI.

        Raises:
            UsageError: the limit is below 1, or there is no such kind.
        """
        if limit < 1:
            raise UsageError(f"limit {limit} finds nothing", remedy="give 1 or more")
        if kind not in (None, "label", "text"):
            raise UsageError(f"there is no kind {kind!r}", remedy="label or text, or leave it out")
        terms = parse(query)
        if not terms or not self.path.exists():
            return []
        with self._told(), self._readable() as connection:
            for match in dict.fromkeys((" AND ".join(terms), " OR ".join(terms))):
                found = connection.execute(_FIND, {"match": match, "kind": kind, "limit": limit}).fetchall()
                if found:
                    return [self._hit(connection, match, *row) for row in found]
        return []

    def _hit(
        self, connection: sqlite3.Connection, match: str, kind: Kind, iri: str, name: str, rank: float, row: int
    ) -> Hit:
        (text,) = connection.execute("SELECT text FROM words WHERE rowid = ?", (row,)).fetchone()
        found = spans(text, lambda mark: _highlighted(connection, match, row, mark))
        start, end = (0, len(text)) if kind == "label" else passage(text, found)
        matches = tuple((a, b) for a, b in found if start <= a and b <= end)
        return Hit(kind, iri, name, start, end, text[start:end], matches, round(-rank, 9))

    @contextmanager
    def _writable(self) -> Iterator[sqlite3.Connection]:
        try:
            connection = self._open()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):  # locked, or no rights: nothing wrong with the content
                raise
            self.path.unlink()
            connection = self._open()
        with closing(connection):
            connection.execute("BEGIN IMMEDIATE")
            with connection:
                yield connection

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=_WAIT, isolation_level=None)
        try:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version not in (0, _FORMAT) or (version and not _sound(connection)):
                raise sqlite3.DatabaseError("another format, or damaged")
            if not version:
                connection.executescript(_SCHEMA)
        except BaseException:
            connection.close()
            raise
        return connection

    @contextmanager
    def _readable(self) -> Iterator[sqlite3.Connection]:
        # not mode=ro: whoever reads first after an update was killed has to undo it; without rights to, it reads only
        place = self.path.resolve().as_uri() + "?mode=rw"
        with closing(sqlite3.connect(place, timeout=_WAIT, uri=True, isolation_level=None)) as connection:
            connection.execute("BEGIN")  # one state for all that is read
            yield connection

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as e:
            raise WorkspaceError(
                f"the search index cannot be used: {e}", where=self.path, remedy="delete the file and build again"
            ) from e


def parse(query: str) -> list[str]:
    """What is asked for, as FTS5 terms in quotes: no user can write FTS5 syntax.

    >>> parse('owl "barn owl" AND mic* -x')
    ['"owl"', '"barn owl"', '"AND"', '"mic" *', '"-x"']
    """
    terms: list[str] = []
    for at, part in enumerate(_storable(query).split('"')):
        for word in [part] if at % 2 else part.split():
            bare = word.rstrip("*") if at % 2 == 0 else word
            if any(unicodedata.category(c)[0] in "LN" or unicodedata.category(c) == "Co" for c in bare):
                terms.append(f'"{bare}"' + (" *" if bare != word else ""))
    return list(dict.fromkeys(terms))


def _highlighted(connection: sqlite3.Connection, match: str, row: int, mark: str) -> str:
    query = "SELECT highlight(words, 0, ?, ?) FROM words WHERE words MATCH ? AND rowid = ?"
    (text,) = connection.execute(query, (mark, mark, match, row)).fetchone()
    return str(text)


def _sound(connection: sqlite3.Connection) -> bool:
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    return {"entries", "words"} <= tables


def _storable(text: str) -> str:
    """The same number of code points, without those that SQLite cuts a text at or cannot write."""
    return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text.replace("\0", " "))
