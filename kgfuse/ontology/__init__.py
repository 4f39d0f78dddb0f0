"""Ontology packs: what drives extraction, the gate, the shapes and the class hierarchy."""
