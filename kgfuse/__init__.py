"""kgfuse: documents and pictures become a knowledge graph; text, picture and graph together give grounded answers.

Importing this package loads no torch, spaCy or transformers: names are resolved on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kgfuse.fuse.search.budget import Search as Search
    from kgfuse.workspace import Workspace as Workspace

__version__ = "0.1.0"
__all__ = ["Search", "Workspace", "__version__"]


def __getattr__(name: str) -> Any:
    if name == "Workspace":
        from kgfuse.workspace import Workspace

        return Workspace
    if name == "Search":
        from kgfuse.fuse.search.budget import Search

        return Search
    raise AttributeError(f"module 'kgfuse' has no attribute {name!r}")
