"""Tables of the catalog (SQLAlchemy typed models) and how an older catalog is brought forward."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from sqlalchemy import JSON, Connection, ForeignKey, Index, LargeBinary, String, UniqueConstraint, inspect, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from kgfuse.errors import WorkspaceError


class Base(DeclarativeBase):
    """All tables of the catalog."""

    type_annotation_map = {dict[str, Any]: JSON, list[str]: JSON}  # noqa: RUF012 (SQLAlchemy's own protocol)


class SourceTable(Base):
    """One row a source."""

    __tablename__ = "source"
    name: Mapped[str] = mapped_column(primary_key=True)
    location: Mapped[str]
    kind: Mapped[str] = mapped_column(String(16), index=True)
    media_type: Mapped[str]
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    text_sha256: Mapped[str | None] = mapped_column(String(64))
    item: Mapped[str | None] = mapped_column(index=True)
    added_at: Mapped[str]
    size: Mapped[int]
    parent: Mapped[str | None] = mapped_column(index=True)
    meta: Mapped[dict[str, Any]]


class ItemTable(Base):
    """One row an item."""

    __tablename__ = "item"
    iri: Mapped[str] = mapped_column(primary_key=True)
    identifier: Mapped[str] = mapped_column(index=True)
    label: Mapped[str]
    types: Mapped[list[str]]
    manifest: Mapped[str | None] = mapped_column(index=True)
    split: Mapped[str | None]
    labels: Mapped[dict[str, Any]]
    links: Mapped[dict[str, Any]]
    meta: Mapped[dict[str, Any]]


class ExtractionTable(Base):
    """What one run found in one source; only ever complete."""

    __tablename__ = "extraction"
    source: Mapped[str] = mapped_column(ForeignKey("source.name", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    run: Mapped[str]
    payload: Mapped[bytes] = mapped_column(LargeBinary)
    seconds: Mapped[float]


class ProblemTable(Base):
    """What could not be used."""

    __tablename__ = "problem"
    id: Mapped[int] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(index=True)
    stage: Mapped[str]
    message: Mapped[str]
    remedy: Mapped[str]
    noted_at: Mapped[str]
    __table_args__ = (UniqueConstraint("place", "stage", "message"), Index("problem_stage", "stage"))


class ModelTable(Base):
    """One row a trained model."""

    __tablename__ = "model"
    name: Mapped[str] = mapped_column(primary_key=True)
    folder: Mapped[str]
    sha256: Mapped[str] = mapped_column(String(64))
    targets: Mapped[list[str]]
    created_at: Mapped[str]
    config: Mapped[dict[str, Any]]
    metrics: Mapped[dict[str, Any]]


class DecisionTable(Base):
    """What a person decided on a candidate statement of one source."""

    __tablename__ = "decision"
    source: Mapped[str] = mapped_column(ForeignKey("source.name", ondelete="CASCADE"), primary_key=True)
    content: Mapped[str] = mapped_column(String(64), primary_key=True)
    key: Mapped[str] = mapped_column(String(32), primary_key=True)
    decision: Mapped[str] = mapped_column(String(16))
    reviewer: Mapped[str]
    decided_at: Mapped[str]
    payload: Mapped[dict[str, Any]]


class IdentityTable(Base):
    """What a person decided on two names."""

    __tablename__ = "identity"
    a: Mapped[str] = mapped_column(primary_key=True)
    b: Mapped[str] = mapped_column(primary_key=True)
    same: Mapped[bool]
    reviewer: Mapped[str]
    decided_at: Mapped[str]


class StateTable(Base):
    """Marks of the build: what stage is done, which graph was written from what."""

    __tablename__ = "state"
    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


class VersionTable(Base):
    """One row: the schema's version."""

    __tablename__ = "schema_version"
    version: Mapped[int] = mapped_column(primary_key=True)


Migration = Callable[[Connection], None]


def _add_decisions(connection: Connection) -> None:
    """Version 2: decisions of people on statements."""
    connection.execute(
        text(
            "CREATE TABLE decision (source VARCHAR NOT NULL REFERENCES source (name) ON DELETE CASCADE, "
            "content VARCHAR(64) NOT NULL, key VARCHAR(32) NOT NULL, decision VARCHAR(16) NOT NULL, "
            "reviewer VARCHAR NOT NULL, decided_at VARCHAR NOT NULL, payload JSON NOT NULL, "
            "PRIMARY KEY (source, content, key))"
        )
    )


def _add_identities(connection: Connection) -> None:
    """Version 3: decisions of people on names."""
    connection.execute(
        text(
            "CREATE TABLE identity (a VARCHAR NOT NULL, b VARCHAR NOT NULL, same BOOLEAN NOT NULL, "
            "reviewer VARCHAR NOT NULL, decided_at VARCHAR NOT NULL, PRIMARY KEY (a, b))"
        )
    )


MIGRATIONS: Final[tuple[Migration, ...]] = (_add_decisions, _add_identities)
"""Step ``i`` brings version ``i + 1`` to ``i + 2``. Append only: catalogs of every age are out there."""


def prepare(connection: Connection, where: Path, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Create the tables in an empty database, or bring an older one to today's version, in the caller's transaction.

    Raises:
        WorkspaceError: the catalog is from a newer kgfuse, or not a catalog.
    """
    today = len(migrations) + 1
    tables = set(inspect(connection).get_table_names())
    if not tables:
        Base.metadata.create_all(connection)
        connection.execute(text("INSERT INTO schema_version (version) VALUES (:v)"), {"v": today})
        return
    if "schema_version" not in tables:
        raise WorkspaceError("is a database, but not a kgfuse catalog", where=where, remedy="check the folder")
    version = connection.execute(text("SELECT max(version) FROM schema_version")).scalar()
    if not isinstance(version, int) or version < 1:
        raise WorkspaceError(
            f"has schema version {version!r}", where=where, remedy="restore the catalog from a copy of the workspace"
        )
    if version > today:
        raise WorkspaceError(
            f"was written by a newer kgfuse (schema {version}, this one knows {today})",
            where=where,
            remedy="upgrade kgfuse",
        )
    for step in migrations[version - 1 :]:
        step(connection)
    if version < today:
        connection.execute(text("UPDATE schema_version SET version = :v"), {"v": today})


def expect(connection: Connection, where: Path) -> None:
    """Check that a catalog is of today's version, without writing to it.

    Raises:
        WorkspaceError: it is older or newer, or not a catalog.
    """
    today = len(MIGRATIONS) + 1
    tables = set(inspect(connection).get_table_names())
    version = connection.execute(text("SELECT max(version) FROM schema_version")).scalar() if tables else None
    if version != today:
        raise WorkspaceError(
            f"has schema version {version}, this kgfuse reads {today}",
            where=where,
            remedy="open it once for writing (`kgfuse build`), which brings an older one forward; or upgrade kgfuse",
        )
