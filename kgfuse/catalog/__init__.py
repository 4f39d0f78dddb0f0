"""What a workspace remembers beside its graph: sources, items, extractions, problems, models, and the bytes."""

from kgfuse.catalog.blobs import Blobs
from kgfuse.catalog.catalog import Catalog
from kgfuse.catalog.rows import Decided, DecisionRow, IdentityRow, ItemRow, ModelRow, ProblemRow, SourceRow

__all__ = [
    "Blobs",
    "Catalog",
    "Decided",
    "DecisionRow",
    "IdentityRow",
    "ItemRow",
    "ModelRow",
    "ProblemRow",
    "SourceRow",
]
