"""A new pack that works at once and passes ``kgfuse ontologies check``."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Final

from kgfuse.errors import PackError, UsageError
from kgfuse.ontology.pack import NAME
from kgfuse.terms.namespaces import PREFIXES

FILES: Final[dict[str, str]] = {
    "pack.toml": """\
name = "@name@"
version = "0.1.0"
description = "What this pack is about, in one sentence."
licence = "not stated"
imports = ["general"]
entry_classes = ["@p@:Thing"]

[prefixes]
@p@ = "@namespace@"
gen = "https://w3id.org/kgfuse/general#"
""",
    "ontology.ttl": """\
@prefix @p@: <@namespace@> .
@prefix gen: <https://w3id.org/kgfuse/general#> .
@prefix kgf: <https://w3id.org/kgfuse#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix schema: <https://schema.org/> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .

# Classes: labels and synonyms are the lexicon, definitions are what zero-shot extraction reads.

@p@:Thing a owl:Class ;
    rdfs:label "thing of interest"@en ;
    skos:definition "Anything that this ontology is about."@en .

@p@:Device a owl:Class ;
    rdfs:subClassOf @p@:Thing ;
    rdfs:label "device"@en ; skos:altLabel "devices"@en, "appliance"@en ;
    skos:definition "A thing that people switch on to do something for them."@en ;
    kgf:displayColour "#4e79a7" .

@p@:Room a owl:Class ;
    rdfs:subClassOf @p@:Thing ;
    rdfs:label "room"@en ; skos:altLabel "rooms"@en ;
    skos:definition "A part of a building that has walls and a door."@en ;
    owl:disjointWith @p@:Device .

@p@:kitchen a owl:NamedIndividual, @p@:Room ;
    skos:prefLabel "kitchen"@en .

# Properties: label, synonyms and kgf:trigger are the phrases that state them; domain and range are the gate.

@p@:standsIn a owl:ObjectProperty ;
    rdfs:label "stands in"@en ; skos:altLabel "is installed in"@en ;
    kgf:trigger "hangs in"@en, "is used in"@en ;
    skos:definition "The room that the device is in."@en ;
    rdfs:domain @p@:Device ; rdfs:range @p@:Room .

@p@:controls a owl:ObjectProperty ;
    rdfs:label "controls"@en ; skos:altLabel "switches"@en ;
    skos:definition "Another device that the device steers."@en ;
    rdfs:domain @p@:Device ; rdfs:range @p@:Device .
""",
    "shapes.ttl": """\
@prefix @p@: <@namespace@> .
@prefix sh: <http://www.w3.org/ns/shacl#> .

@p@:DeviceShape a sh:NodeShape ;
    sh:targetClass @p@:Device ;
    sh:property [
        sh:path @p@:standsIn ; sh:maxCount 1 ; sh:severity sh:Warning ;
        sh:message "A device usually stands in one room."
    ] .
""",
    "rules.rq": """\
# Rules beyond OWL 2 RL: what the pattern finds, the template adds to the inferred graph.
PREFIX @p@: <@namespace@>

CONSTRUCT { ?device @p@:controls ?other }
WHERE { ?device @p@:controls ?between . ?between @p@:controls ?other }
""",
    "patterns.jsonl": """\
{"property": "@p@:standsIn", "pattern": [{"RIGHT_ID": "place", "RIGHT_ATTRS": {"LEMMA": "place", "POS": "VERB"}}, \
{"LEFT_ID": "place", "REL_OP": ">", "RIGHT_ID": "in", "RIGHT_ATTRS": {"DEP": "prep", "LOWER": "in"}}, \
{"LEFT_ID": "in", "REL_OP": ">", "RIGHT_ID": "room", "RIGHT_ATTRS": {"DEP": "pobj"}}], \
"subject": null, "object": "room", "example": "The kettle is placed in the kitchen."}
""",
    "examples.jsonl": """\
{"text": "The oven stands in the kitchen.", "triples": [{"subject": "oven", "property": "@p@:standsIn", \
"object": "kitchen"}]}
""",
    "visual.toml": """\
# Picture tags (ImageNet class names) and the classes that they stand for.
[imagenet]
"microwave" = "@p@:Device"
"toaster" = "@p@:Device"
""",
    "README.md": """\
# @name@

What this pack is about, where its terms come from, and under which licence.

    kgfuse ontologies check .
    kgfuse init my.kg --ontology .
""",
}


def new(name: str, folder: Path | str) -> Path:
    """Write the skeleton of a pack; nothing is left half-written.

    Args:
        name: of the pack; letters, digits, ``-``, ``_`` and ``.``.
        folder: to make; must not exist, or be empty.

    Returns:
        The folder.

    Raises:
        UsageError: the name is none, or the folder holds something.
        PackError: the folder cannot be written.
    """
    folder = Path(folder)
    if not NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is not a pack name", remedy="use letters, digits, - _ and ., starting with a letter"
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError("there is something already", where=folder, remedy="name a folder that does not exist yet")
    prefix = _prefix(name)
    namespace = f"https://example.org/{name}#"
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as temporary:
            made = Path(temporary) / "pack"
            made.mkdir(mode=0o755)
            for file, text in FILES.items():
                text = text.replace("@p@", prefix).replace("@namespace@", namespace).replace("@name@", name)
                (made / file).write_text(text, encoding="utf-8")
            if folder.exists():
                folder.rmdir()
            made.replace(folder)
    except OSError as error:
        raise PackError(f"cannot be written: {error.strerror or error}", where=folder) from error
    return folder


def _prefix(name: str) -> str:
    """A short prefix from the name that no other vocabulary of kgfuse has."""
    short = re.sub(r"[^a-z0-9]", "", name.lower()) or "my"
    short = short if short[0].isalpha() else "p" + short
    return short + "1" if short in {*PREFIXES, "gen", "fg", "retail"} else short
