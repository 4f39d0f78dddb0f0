"""The knowledge graph: named graphs by status, provenance, SPARQL, and its views for Python."""

from kgfuse.graph.query import QueryResult
from kgfuse.graph.store import GraphStore
from kgfuse.graph.views import KnowledgeGraph

__all__ = ["GraphStore", "KnowledgeGraph", "QueryResult"]
