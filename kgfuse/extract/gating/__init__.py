"""The ontology gate: each statement alone, then all of them jointly."""
