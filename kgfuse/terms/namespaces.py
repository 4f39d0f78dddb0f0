"""Namespaces and the IRIs that kgfuse mints: derived from content, never from a clock or a counter."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Final
from urllib.parse import quote

KGF: Final = "https://w3id.org/kgfuse#"
BASE: Final = "https://w3id.org/kgfuse/"
ITEM: Final = BASE + "item/"
ENTITY: Final = BASE + "entity/"
SOURCE: Final = BASE + "source/"
MENTION: Final = BASE + "mention/"
STATEMENT: Final = BASE + "statement/"
RUN: Final = BASE + "run/"
REVIEW: Final = BASE + "review/"
MODEL: Final = BASE + "model/"
POINT: Final = BASE + "point/"
ONTOLOGY: Final = BASE + "ontology/"

RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RDFS: Final = "http://www.w3.org/2000/01/rdf-schema#"
OWL: Final = "http://www.w3.org/2002/07/owl#"
XSD: Final = "http://www.w3.org/2001/XMLSchema#"
SKOS: Final = "http://www.w3.org/2004/02/skos/core#"
PROV: Final = "http://www.w3.org/ns/prov#"
OA: Final = "http://www.w3.org/ns/oa#"
DCTERMS: Final = "http://purl.org/dc/terms/"
SCHEMA: Final = "https://schema.org/"
SH: Final = "http://www.w3.org/ns/shacl#"
QUDT: Final = "http://qudt.org/schema/qudt/"
QUDT_UNIT: Final = "http://qudt.org/vocab/unit/"
GEO: Final = "http://www.w3.org/2003/01/geo/wgs84_pos#"
EXIF: Final = "http://www.w3.org/2003/12/exif/ns#"
MA: Final = "http://www.w3.org/ns/ma-ont#"

GRAPH_INFERRED: Final = KGF + "inferred"
GRAPH_PREDICTED: Final = KGF + "predicted"
GRAPH_PROVENANCE: Final = KGF + "provenance"

PREFIXES: Final[dict[str, str]] = {
    "kgf": KGF,
    "item": ITEM,
    "ent": ENTITY,
    "src": SOURCE,
    "rdf": RDF,
    "rdfs": RDFS,
    "owl": OWL,
    "xsd": XSD,
    "skos": SKOS,
    "prov": PROV,
    "oa": OA,
    "dcterms": DCTERMS,
    "schema": SCHEMA,
    "sh": SH,
    "qudt": QUDT,
    "unit": QUDT_UNIT,
    "geo": GEO,
    "exif": EXIF,
    "ma": MA,
}

_SAFE = "/-._~"


def digest(*parts: str) -> str:
    """Return 32 hex digits of SHA-256 over the parts, each length-prefixed so that none can run into another.

    >>> digest("ab", "c") == digest("a", "bc")
    False
    """
    h = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        h.update(len(data).to_bytes(8, "big"))
        h.update(data)
    return h.hexdigest()[:32]


def source_iri(name: str) -> str:
    """IRI of the source with this name (a relative path in POSIX form)."""
    return SOURCE + quote(name, safe=_SAFE)


def item_iri(identifier: str) -> str:
    """IRI of an item; an identifier that already is an absolute IRI stays itself."""
    if re.match(r"^[A-Za-z][A-Za-z0-9+.-]*:(//|[^/\s]+:)", identifier):
        return identifier
    return ITEM + quote(identifier, safe=_SAFE)


def ontology_graph(pack: str) -> str:
    """Named graph that holds a pack's axioms."""
    return ONTOLOGY + quote(pack, safe=_SAFE)


def label_key(label: str) -> str:
    """Form under which labels are compared: NFKC, case-folded, single spaces, no edge punctuation.

    >>> label_key("  Granny-Smith ") == label_key("granny smith")
    True
    """
    folded = unicodedata.normalize("NFKC", label).casefold()
    folded = re.sub(r"[\s_\-‐-–]+", " ", folded)
    return folded.strip(" .,;:!?'\"()[]")


def entity_iri(label: str) -> str:
    """IRI of an entity known only by its label."""
    return ENTITY + quote(label_key(label).replace(" ", "-"), safe="-._~")


def local_name(iri: str) -> str:
    """Readable last part of an IRI.

    >>> local_name("https://w3id.org/kgfuse#predicted")
    'predicted'
    """
    return re.split(r"[#/:]", iri.rstrip("/#"))[-1]
