"""What a check finds, and what all of its steps need to know of a workspace."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final, TypeAlias

from kgfuse.catalog import SourceRow
from kgfuse.graph.records import source_record
from kgfuse.terms.namespaces import source_iri
from kgfuse.workspace.parts import Parts

Checked: TypeAlias = Counter[str]
"""How many of each kind were looked at."""
_REBUILD: Final = "remove its source and add it again, or build the workspace again from its sources"
BUILD: Final = "run `kgfuse build`"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it must be.

    Args:
        rule: short name of what is broken.
        where: the source, statement or mention.
        what: for people.
        remedy: what to do.
    """

    rule: str
    where: str
    what: str
    remedy: str = _REBUILD


def stale(parts: Parts, row: SourceRow) -> bool:
    """Whether the graph does not know the source as it is now: it was added or changed since the last build."""
    known = source_record(parts.store, source_iri(row.name))
    return known is None or known.sha256 != row.sha256
