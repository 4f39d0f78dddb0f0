"""Which entailed triples say nothing and stay out of the graph."""

from __future__ import annotations

from typing import Final

import pyoxigraph as ox

from kgfuse.terms.namespaces import OWL, RDF, RDFS, XSD

_TYPE: Final = ox.NamedNode(RDF + "type")
_SUBCLASS: Final = ox.NamedNode(RDFS + "subClassOf")
_THING: Final = ox.NamedNode(OWL + "Thing")
_RESOURCE: Final = ox.NamedNode(RDFS + "Resource")
_REFLEXIVE: Final = frozenset(
    ox.NamedNode(iri)
    for iri in (
        OWL + "sameAs",
        OWL + "equivalentClass",
        OWL + "equivalentProperty",
        RDFS + "subClassOf",
        RDFS + "subPropertyOf",
    )
)
_REFLEXIVITY: Final = {
    ox.NamedNode(RDFS + "subClassOf"): "scm-cls",
    ox.NamedNode(OWL + "equivalentClass"): "scm-cls",
    ox.NamedNode(RDFS + "subPropertyOf"): "scm-op",
    ox.NamedNode(OWL + "equivalentProperty"): "scm-op",
}
_BUILT_IN: Final = (RDF, RDFS, OWL, XSD)


def is_trivial(triple: ox.Triple) -> bool:
    """True of triples that hold of everything, of a thing and itself, or of the built-in vocabulary.

    >>> x = ox.NamedNode("http://example.org/x")
    >>> is_trivial(ox.Triple(x, ox.NamedNode(OWL + "sameAs"), x))
    True
    """
    subject, predicate, object_ = triple
    if predicate in _REFLEXIVE and subject == object_:
        return True
    if object_ in (_THING, _RESOURCE) and predicate in (_TYPE, _SUBCLASS):
        return True
    return isinstance(subject, ox.NamedNode) and subject.value.startswith(_BUILT_IN)


def is_premise(triple: ox.Triple) -> bool:
    """True of triples that something may follow from: all that say something, and a class or property below itself.

    From ``:a rdfs:subClassOf :a`` and ``:a owl:sameAs :b`` follows ``:a rdfs:subClassOf :b``.
    """
    return not is_trivial(triple) or reflexivity(*triple) is not None


def reflexivity(subject: object, predicate: object, object_: object) -> str | None:
    """W3C name of the rule by which a class or property is below, or equivalent to, itself; ``None`` for all else."""
    if subject is None or subject != object_ or not isinstance(predicate, ox.NamedNode):
        return None
    return _REFLEXIVITY.get(predicate)
