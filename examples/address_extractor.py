"""An extractor from outside: usaddress, a small trained model (a conditional random field), says where places are.

    pip install usaddress
    python -m examples.address_extractor

A package of your own brings it to every workspace by one entry point; nothing in kgfuse is touched:

    [project.entry-points."kgfuse.extractors"]
    address = "your_package:build"

Then `kgfuse init`, `add`, `build`, `extract` and `review` treat what it finds like what the built-in extractors find:
the gate asks the ontology, the graph keeps the words, the model's own probability becomes the confidence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import version
from itertools import groupby
from typing import Any

import usaddress

from kgfuse.extract.protocol import Found
from kgfuse.terms.mentions import Mention, Source, Statement, TextSpan, Value

ADR = "https://example.org/address#"
ONTOLOGY = f"""
@prefix adr: <{ADR}> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
adr:Place a owl:Class ; rdfs:label "place of business" ; owl:disjointWith adr:City , adr:State .
adr:City a owl:Class ; rdfs:label "city" ; owl:disjointWith adr:State .
adr:State a owl:Class ; rdfs:label "state" .
adr:city a owl:ObjectProperty ; rdfs:label "is in the city" ; rdfs:domain adr:Place ; rdfs:range adr:City .
adr:state a owl:ObjectProperty ; rdfs:label "is in the state" ; rdfs:domain adr:Place ; rdfs:range adr:State .
adr:street a owl:DatatypeProperty ; rdfs:label "street" ; rdfs:domain adr:Place ; rdfs:range xsd:string .
adr:postcode a owl:DatatypeProperty ; rdfs:label "postcode" ; rdfs:domain adr:Place ; rdfs:range xsd:string .
"""
PROPERTIES = {"street": "street", "PlaceName": "city", "StateName": "state", "ZipCode": "postcode"}
CLASSES = {"Recipient": "Place", "PlaceName": "City", "StateName": "State"}
ADDRESS = re.compile(r"[^\n.;!?]*\d[^\n.;!?]*\b\d{5}\b")  # what ends in a ZIP code; the model does the rest
EDGES = re.compile(r"^(?:(?:the|our|a|an)\s+)+|[\s,.]+$|\s+(?:at|in|on|is at|is)$", re.IGNORECASE)


class AddressExtractor:
    """Parts of an address, each a statement about the place that the address is of."""

    name = "address"
    kinds = frozenset(("text",))
    fingerprint = f"usaddress {version('usaddress')}, example 1"

    def extract(self, source: Source) -> Iterator[Found]:
        for found in ADDRESS.finditer(source.text or ""):
            sentence = _mention(source, found.start(), found.end(), "")
            parts = {kind: (_mention(source, a, b, kind), sure) for kind, a, b, sure in _parts(found)}
            subject = parts["Recipient"][0] if "Recipient" in parts else source.item
            for kind, name in PROPERTIES.items():
                if subject is not None and kind in parts:
                    part, sure = parts[kind]
                    said = part if kind in CLASSES else Value(part.label)
                    ends = (subject,) if isinstance(subject, Mention) else ()
                    reason = f"usaddress takes “{part.label}” for the {name}"
                    evidence = (*ends, part, sentence)
                    yield Statement(subject, ADR + name, said, evidence, "address.crf", sure, reason, source.iri)


def _parts(found: re.Match[str]) -> Iterator[tuple[str, int, int, float]]:
    """Parts of an address with their characters and the model's probability that all of the part is that."""
    tokens = usaddress.tokenize(found[0])
    labels = usaddress.TAGGER.tag(usaddress.tokens2features(tokens))
    at, placed = 0, []
    for n, (token, label) in enumerate(zip(tokens, labels, strict=True)):
        at = found[0].index(token, at)
        placed.append((_kind(label), at, at + len(token), usaddress.TAGGER.marginal(label, n)))
        at += len(token)
    for kind, group in groupby(placed, key=lambda p: p[0]):
        same = list(group)
        start, end = same[0][1], same[-1][2]
        while (cut := EDGES.search(found[0][start:end])) is not None:  # “The bakery at” is the bakery
            start, end = (start + cut.end(), end) if cut.start() == 0 else (start, start + cut.start())
        if start < end:
            yield kind, found.start() + start, found.start() + end, round(min(p[3] for p in same), 4)


def _kind(label: str) -> str:
    """The model's labels, as far as they are one thing here."""
    if label.startswith(("AddressNumber", "StreetName", "Occupancy")):
        return "street"
    return "Recipient" if label in ("BuildingName", "LandmarkName") else label


def _mention(source: Source, start: int, end: int, kind: str) -> Mention:
    exact = (source.text or "")[start:end]
    types = (ADR + CLASSES[kind],) if kind in CLASSES else ()
    return Mention(source.iri, TextSpan(start, end, exact), exact if kind else "", "address.crf", types)


def build(vocabulary: Any, settings: Any) -> AddressExtractor:
    """What the entry point names."""
    return AddressExtractor()


def main() -> None:
    import tempfile
    from pathlib import Path

    from kgfuse.extract.documents import Reader, ontology_of

    text = (
        "The bakery at 221 Baker Street, Springfield, IL 62704 opens at 7. City Hall, 1 Civic Square, Austin, TX 78701."
    )
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "address.ttl").write_text(ONTOLOGY, encoding="utf-8")
        reader = Reader(ontology_of(str(Path(folder) / "address.ttl")), extractors=[AddressExtractor()])
        for document in reader.read([("text", text)]):
            for s in document.statements:
                where = s.object.span.exact if s.object.span else ""
                print(
                    f"{s.subject.label} | {s.property.removeprefix(ADR)} | {s.object.label} | {s.confidence} | {where}"
                )


if __name__ == "__main__":
    main()
