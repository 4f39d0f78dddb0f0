"""One object, one folder: the facade that joins catalog, graph, extraction, reasoning, fusion and explanation."""

from kgfuse.workspace.settings import Settings
from kgfuse.workspace.workspace import Workspace

__all__ = ["Settings", "Workspace"]
