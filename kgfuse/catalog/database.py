"""The SQLite file under the catalog: how it is opened, and how its errors are told to a person."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import SQLAlchemyError

from kgfuse.catalog.schema import expect, prepare
from kgfuse.errors import UsageError, WorkspaceError

_WRITING = "kgfuse_writing"
_BUSY_SECONDS = 15.0
_CHUNK = 2000


class Database:
    """One SQLite file in WAL mode: readers never wait, writers take turns, a killed write leaves nothing behind.

    Args:
        path: the file; created with its tables where missing.
        read_only: never write: a writer elsewhere is not waited for.

    Raises:
        WorkspaceError: it cannot be opened, is corrupt, or comes from a newer kgfuse.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path = path
        self._read_only = read_only
        self._local = threading.local()
        if not path.parent.is_dir():
            raise WorkspaceError("the folder of the catalog is missing", where=path.parent, remedy="kgfuse init")
        self._engine = _engine(path)
        try:
            with self.read() if read_only else self.write() as connection:
                (expect if read_only else prepare)(connection, path)
        except WorkspaceError:
            self._engine.dispose()
            raise

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction: all of it or nothing. Inner calls of the same thread join the outer one."""
        outer: Connection | None = getattr(self._local, "connection", None)
        if outer is not None:
            yield outer
            return
        if self._read_only:
            raise UsageError("is open for reading only", where=self.path, remedy="open the workspace for writing")
        with self._told(), self._engine.execution_options(**{_WRITING: True}).begin() as connection:
            self._local.connection = connection
            try:
                yield connection
            finally:
                self._local.connection = None

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent view; inside a transaction it sees that transaction's own writes."""
        outer: Connection | None = getattr(self._local, "connection", None)
        if outer is not None:
            yield outer
            return
        with self._told(), self._engine.begin() as connection:
            yield connection

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as e:
            raise explain(e, self.path) from e


def explain(error: SQLAlchemyError, path: Path) -> WorkspaceError:
    """The same error for the reader who must act."""
    cause = str(getattr(error, "orig", None) or error)
    known = {
        "locked": ("is being written by another process", "wait until that one is done, then try again"),
        "full": ("the disk is full; nothing was written", "free some space, then run the same command again"),
        "readonly": ("cannot be written", "check the permissions of the workspace's folder"),
        "unable to open": ("cannot be opened", "check the permissions of the workspace's folder"),
        "not a database": ("is not a readable database", "restore catalog.sqlite from a copy of the workspace"),
        "malformed": ("is damaged", "restore catalog.sqlite from a copy of the workspace"),
        "disk i/o": ("the disk failed while reading or writing", "check the disk, then run the same command again"),
        "no such table": ("lacks a table", "restore catalog.sqlite from a copy of the workspace"),
    }
    for mark, (what, remedy) in known.items():
        if mark in cause.lower():
            return WorkspaceError(f"{what} [{cause}]", where=path, remedy=remedy)
    return WorkspaceError(f"the catalog refused: {cause}", where=path, remedy="report this with the command you ran")


def _engine(path: Path) -> Engine:
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions are begun below: the driver would begin them too late
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "temp_store=MEMORY"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writing = connection.get_execution_options().get(_WRITING, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def upsert(connection: Connection, table: Table, rows: Iterable[Mapping[str, Any]], key: tuple[str, ...]) -> int:
    """Insert, or update where the key is there already: an upsert, since REPLACE would cascade to what refers to it."""
    statement = insert(table)
    changed = {c.name: statement.excluded[c.name] for c in table.columns if c.name not in (*key, "id")}
    statement = statement.on_conflict_do_update(index_elements=list(key), set_=changed)
    done, rows = 0, iter(rows)
    while chunk := list(islice(rows, _CHUNK)):
        connection.execute(statement, chunk)
        done += len(chunk)
    return done
