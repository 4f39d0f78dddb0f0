"""The SPARQL endpoint: read-only, over a snapshot, within limits."""
