"""The catalog's records as frozen dataclasses: what crosses its boundary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from kgfuse.terms.mentions import SourceKind

Decided: TypeAlias = Literal["accepted", "rejected", "corrected"]


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One text, picture, recording, RDF file or manifest of the workspace.

    Args:
        name: relative path, unique in the workspace.
        location: absolute path of the file it was read from.
        kind: what it is.
        media_type: such as ``text/plain``.
        sha256: of the original bytes, which are a blob.
        text_sha256: blob of the decoded text, or of a recording's transcript; mentions count its code points.
        item: IRI of the item it belongs to, or ``None``.
        added_at: when it was added, ISO 8601 in UTC; empty lets the catalog fill it in.
        size: bytes of the original.
        parent: name of the manifest or archive that brought it, or ``None``.
        meta: anything else, as JSON values.
    """

    name: str
    location: str
    kind: SourceKind
    media_type: str
    sha256: str
    text_sha256: str | None = None
    item: str | None = None
    added_at: str = ""
    size: int = 0
    parent: str | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One thing that gets classified.

    Args:
        iri: its node in the graph.
        identifier: the name that its manifest or folder gives it.
        label: for people.
        types: class IRIs, never the target label.
        manifest: name of the source that declares it, or ``None`` when files alone made it.
        split: ``train``, ``validation``, ``test``, or ``None``.
        labels: target property IRI → class IRIs or raw values; those of validation and test live nowhere else.
        links: property → identifiers or literals, as the manifest states them.
        meta: anything else, as JSON values.
    """

    iri: str
    identifier: str
    label: str
    types: tuple[str, ...] = ()
    manifest: str | None = None
    split: str | None = None
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    links: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    meta: Mapping[str, Any] = field(default_factory=dict)

    @property
    def group(self) -> str | None:
        """Whose items are alike beyond their class, such as its author; ``meta`` has it under ``group``."""
        found = self.meta.get("group")
        return None if found is None else str(found)


@dataclass(frozen=True, slots=True)
class ProblemRow:
    """Something that could not be used, kept until it is put right.

    Args:
        place: source name, path, or ``path:line``.
        stage: where it was noticed, such as ``add`` or ``extract``.
        message: what was wrong.
        remedy: what to do; may be empty.
        noted_at: ISO 8601 in UTC.
    """

    place: str
    stage: str
    message: str
    remedy: str = ""
    noted_at: str = ""


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A trained model.

    Args:
        name: unique in the workspace.
        folder: where its files lie, relative to the workspace.
        sha256: of its weights and description together.
        targets: IRIs of the properties it predicts.
        created_at: ISO 8601 in UTC; empty lets the catalog fill it in.
        config: the whole training configuration, as JSON values.
        metrics: what it reached, as JSON values.
    """

    name: str
    folder: str
    sha256: str
    targets: tuple[str, ...] = ()
    created_at: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """What a person decided on a candidate statement.

    Args:
        source: name of the source that makes the statement.
        content: SHA-256 of the words (or other bytes) that were decided on; a source that changes has another.
        key: of the statement within the source.
        decision: ``accepted``, ``rejected`` or ``corrected``.
        reviewer: who decided.
        payload: the statement with its evidence and, for a correction, what it was corrected to, as JSON values.
        decided_at: ISO 8601 in UTC; empty lets the catalog fill it in.
    """

    source: str
    content: str
    key: str
    decision: Decided
    reviewer: str
    payload: Mapping[str, Any]
    decided_at: str = ""


@dataclass(frozen=True, slots=True)
class IdentityRow:
    """What a person decided on two names.

    Args:
        a, b: IRIs of the names.
        same: whether they mean one thing.
        reviewer: who decided.
        decided_at: ISO 8601 in UTC; empty lets the catalog fill it in.
    """

    a: str
    b: str
    same: bool
    reviewer: str
    decided_at: str = ""
