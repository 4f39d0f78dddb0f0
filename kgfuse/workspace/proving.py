"""Proofs of triples: names in, a tree down to what sources say out."""

from __future__ import annotations

from kgfuse.errors import UsageError
from kgfuse.graph.nodes import named, node
from kgfuse.reason.proofs import Proof
from kgfuse.reason.proofs import prove as prove_triple
from kgfuse.terms.mentions import Value
from kgfuse.workspace.parts import Parts


def prove(parts: Parts, subject: str, predicate: str, value: str) -> Proof | None:
    """Proof tree of a triple, or ``None`` where it does not hold.

    Args:
        parts: the workspace.
        subject: CURIE or IRI.
        predicate: CURIE or IRI; ``a`` stands for ``rdf:type``.
        value: CURIE or IRI, or a literal in quotes.

    Raises:
        UsageError: an unknown prefix, or a term that is none.
    """
    expand = parts.vocabulary.expand
    if value.startswith('"'):
        if not value.endswith('"') or len(value) < 2:
            raise UsageError(f"{value} is no literal", remedy='write it in double quotes, such as "red"')
        target = node(Value(value[1:-1]))
    else:
        target = named(expand(value))
    p = named(expand("rdf:type" if predicate == "a" else predicate))
    return prove_triple(parts.store, named(expand(subject)), p, target, rules=parts.rules)
