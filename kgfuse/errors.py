"""Every error that kgfuse raises on purpose: what was wrong, where, and what to do about it."""

from __future__ import annotations

from pathlib import Path

PROBLEM = "problem"
"""Stage of the progress events whose note is what went wrong with one source while the rest goes on."""


class KgfuseError(Exception):
    """Base of all errors meant for the reader who must act.

    Args:
        what: what was wrong, in one sentence.
        where: file, or ``file:line``, or another place; empty where there is none.
        remedy: what to do about it; empty where nothing can be done.
    """

    def __init__(self, what: str, *, where: str | Path = "", remedy: str = "") -> None:
        self.what = what
        self.where = str(where)
        self.remedy = remedy
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """One line: place, fault, remedy."""
        place = f"{self.where}: " if self.where else ""
        remedy = f" ({self.remedy})" if self.remedy else ""
        return f"{place}{self.what}{remedy}"


class UsageError(KgfuseError):
    """The call itself is off: an unknown name, an option out of range (exit code 2)."""


class SourceError(KgfuseError):
    """A file that cannot be read as what it claims to be."""


class ManifestError(SourceError):
    """A line of a manifest that breaks its schema."""


class PackError(KgfuseError):
    """An ontology pack that is missing, broken or named twice."""


class WorkspaceError(KgfuseError):
    """A workspace that is missing, corrupt, locked, or from a newer kgfuse."""


class QueryError(KgfuseError):
    """A SPARQL query that does not parse, is not allowed, or ran past its limits."""


class ModelError(KgfuseError):
    """Weights or a trained model that are missing, altered or do not fit."""


class TrainingError(KgfuseError):
    """A target that cannot be learned from what the workspace holds."""
