"""Small graphs of extracted facts, with provenance, in memory."""

from kgfuse.graph.provenance import replace_provenance
from kgfuse.graph.provenance_lines import fact_lines, fact_triples
from kgfuse.graph.store import GraphStore
from kgfuse.terms.mentions import Fact, Mention, TextSpan
from kgfuse.terms.namespaces import source_iri

EX = "https://example.org/"


def filled(one, two=()):
    """A store whose sources ``one`` and ``two`` say (subject, predicate, object, confidence)."""
    store = GraphStore(prefixes={"ex": EX})
    for name, said in (("one", one), ("two", two)):
        source = source_iri(name)
        mention = Mention(source, TextSpan(0, 1, "x"), "x", "t", entity=EX + "a")
        found = [Fact(s, p, o, source, (mention,), "t", c, "r", "https://w3id.org/kgfuse/run/1") for s, p, o, c in said]
        store.replace_graph(source, fact_triples(found).get(source, []))
        replace_provenance(store, source, fact_lines(found))
    return store
