"""Ontology packs: what drives extraction, the gate, the shapes and the class hierarchy."""

from kgfuse.ontology.pack import Class, Pack, Property, Term, VisualMap, load_pack
from kgfuse.ontology.registry import PackInfo, available, load_all, resolve
from kgfuse.ontology.vocabulary import Vocabulary

__all__ = [
    "Class",
    "Pack",
    "PackInfo",
    "Property",
    "Term",
    "VisualMap",
    "Vocabulary",
    "available",
    "load_all",
    "load_pack",
    "resolve",
]
