"""Ontologies written as lists of concepts and relations, in JSON, as RDF.

The form of Text2KGBench (Mihindukulasooriya et al. 2023, arXiv:2308.02357): ``{"title", "id", "concepts": [{"qid",
"label"}], "relations": [{"pid", "label", "domain", "range"}]}``. Domains and ranges name concepts; a range that is none
is a datatype by its name, or left open.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import pyoxigraph as ox

from kgfuse.errors import PackError
from kgfuse.ontology.reading import readable
from kgfuse.terms.namespaces import OWL, RDF, RDFS, XSD

NAMESPACE: Final = "https://w3id.org/kgfuse/relations/"
_DATATYPES: Final = {
    "string": "string", "text": "string", "date": "date", "year": "gYear", "gyear": "gYear", "datetime": "dateTime",
    "number": "decimal", "integer": "integer", "int": "integer", "float": "decimal", "double": "decimal",
    "decimal": "decimal", "nonnegativeinteger": "integer", "positiveinteger": "integer", "boolean": "boolean",
    "anyuri": "anyURI", "url": "anyURI", "time": "time",
}  # fmt: skip


def is_relation_list(record: Any) -> bool:
    """True for JSON of this form."""
    return isinstance(record, Mapping) and isinstance(record.get("concepts"), list) and "relations" in record


def relation_list_triples(record: Mapping[str, Any], path: Path) -> Iterator[ox.Triple]:
    """The ontology's triples.

    Raises:
        PackError: a concept or relation has no label, or is no object.
    """
    space = NAMESPACE + quote(str(record.get("id") or path.stem), safe="") + "#"
    concepts: dict[str, str] = {}
    for concept in record["concepts"]:
        name, label = _named(concept, "qid", path)
        concepts[name] = space + _local(name)
        yield from _declared(concepts[name], OWL + "Class", label)
    taken: set[str] = set()
    for relation in record["relations"]:
        name, label = _named(relation, "pid", path)
        iri = space + _local(name)
        if iri in concepts.values() or iri in taken:
            iri = space + _local(f"{name}-relation-{len(taken)}")
        taken.add(iri)
        domain, range_ = (str(relation.get(side) or "") for side in ("domain", "range"))
        datatype = _DATATYPES.get(range_.lower().removeprefix("xsd:")) if range_ not in concepts else None
        yield from _declared(iri, OWL + ("DatatypeProperty" if datatype else "ObjectProperty"), label)
        if domain in concepts:
            yield _triple(iri, RDFS + "domain", concepts[domain])
        if datatype is not None:
            yield _triple(iri, RDFS + "range", XSD + datatype)
        elif range_ in concepts:
            yield _triple(iri, RDFS + "range", concepts[range_])


def _named(record: Any, key: str, path: Path) -> tuple[str, str]:
    if not isinstance(record, Mapping) or not isinstance(record.get("label"), str) or not record["label"].strip():
        raise PackError(f"{record!r} has no label", where=path, remedy=f'write {{"{key}": "…", "label": "…"}}')
    label = record["label"].strip()
    return str(record.get(key) or label), label


def _declared(iri: str, type_: str, label: str) -> Iterator[ox.Triple]:
    yield _triple(iri, RDF + "type", type_)
    words = label if " " in label else readable(label)
    yield ox.Triple(ox.NamedNode(iri), ox.NamedNode(RDFS + "label"), ox.Literal(words, language="en"))


def _triple(subject: str, predicate: str, value: str) -> ox.Triple:
    return ox.Triple(ox.NamedNode(subject), ox.NamedNode(predicate), ox.NamedNode(value))


def _local(name: str) -> str:
    return quote("_".join(name.split()), safe="")
