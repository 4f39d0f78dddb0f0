"""Names that were taken for one another, and a person's word on that."""

from __future__ import annotations

import json
from dataclasses import asdict

import pyoxigraph as ox

from kgfuse.catalog import Catalog, IdentityRow
from kgfuse.errors import UsageError
from kgfuse.extract.identity.linking import Unclear
from kgfuse.extract.identity.same import Identity, Merge, Wish
from kgfuse.ontology import Vocabulary
from kgfuse.terms.namespaces import ENTITY, entity_iri
from kgfuse.workspace.parts import Parts

_STATE = "merges"
_UNCLEAR = "unclear"


def keep(catalog: Catalog, identity: Identity) -> None:
    """Remember what the build made one or told apart, and what it could not decide."""
    catalog.set_state(_STATE, json.dumps([asdict(m) for m in identity.merges]))
    catalog.set_state(_UNCLEAR, json.dumps([asdict(u) for u in identity.unclear]))


def kept(catalog: Catalog) -> list[Merge]:
    """What the last build made one, or told apart."""
    records = json.loads(catalog.get_state(_STATE) or "[]")
    return [Merge(**{**record, "sources": tuple(record["sources"])}) for record in records]


def unclear(catalog: Catalog) -> list[Unclear]:
    """Names that fit several identifiers of the gazetteers; the last build linked them to none."""
    records = json.loads(catalog.get_state(_UNCLEAR) or "[]")
    return [Unclear(r["label"], r["source"], tuple(r["iris"])) for r in records]


def wishes(catalog: Catalog) -> list[Wish]:
    """What people decided."""
    return [Wish(row.a, row.b, row.same, row.reviewer) for row in catalog.identities.all()]


def split(parts: Parts, name: str, by: str) -> list[Merge]:
    """Keep apart what was merged into a name, or the name from what it was merged into.

    Raises:
        UsageError: nothing was merged here.
    """
    iri = iri_of(name, parts.vocabulary)
    found = [m for m in kept(parts.catalog) if iri in (m.iri, m.into) and not m.apart]
    if not found:
        raise UsageError(f"{name!r} was not merged with anything", remedy="`kgfuse entities` lists what was")
    with parts.catalog.transaction():
        for merge in found:
            parts.catalog.identities.put(IdentityRow(merge.iri, merge.into, False, by))
    return found


def merge(parts: Parts, name: str, into: str, by: str) -> None:
    """Take a name for another one, or for any other IRI.

    Raises:
        UsageError: the graph has no such entity, or both are the same.
    """
    a, b = iri_of(name, parts.vocabulary), iri_of(into, parts.vocabulary)
    if a == b:
        raise UsageError(f"{name!r} and {into!r} are the same name", remedy="name two")
    for iri, written in ((a, name), (b, into)):
        if not iri.startswith(ENTITY):
            if iri == a:
                raise UsageError(f"{written!r} has an IRI of its own", remedy="name first what becomes the other")
            continue
        known = parts.store.query(f"ASK {{ GRAPH ?g {{ {ox.NamedNode(iri)} ?p ?o }} }}", {})
        if not known and all(m.iri != iri for m in kept(parts.catalog)):
            raise UsageError(f"no entity is called {written!r}", remedy=f"search for it: kgfuse search … {written!r}")
    parts.catalog.identities.put(IdentityRow(a, b, True, by))


def undo(parts: Parts, name: str, other: str) -> None:
    """Take a decision on two names back.

    Raises:
        UsageError: there is none.
    """
    a, b = iri_of(name, parts.vocabulary), iri_of(other, parts.vocabulary)
    if not parts.catalog.identities.remove(a, b):
        raise UsageError(f"nothing was decided on {name!r} and {other!r}", remedy="`kgfuse entities` lists decisions")


def iri_of(name: str, vocabulary: Vocabulary) -> str:
    """IRI of an entity by CURIE, IRI or name."""
    prefix, colon, _ = name.partition(":")
    if " " not in name and ((colon and (prefix in vocabulary.prefixes or "://" in name)) or name.startswith("<")):
        return vocabulary.expand(name)
    return entity_iri(name)
