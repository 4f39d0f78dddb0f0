"""The knowledge graph: named graphs by status, provenance, SPARQL, and its views for Python."""
