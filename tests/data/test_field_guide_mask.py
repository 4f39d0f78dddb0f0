"""The sentences that state an entry's class are hidden from the encoders, down to the last class word."""

from __future__ import annotations

import json
import re

from kgfuse.extract.protocol import run
from kgfuse.extract.registry import load
from kgfuse.extract.settings import ExtractSettings
from kgfuse.ontology import Vocabulary, load_all
from kgfuse.ontology.shipped import field_guide_data
from kgfuse.terms.mentions import Source
from kgfuse.terms.namespaces import RDF, item_iri, source_iri
from kgfuse.workspace.hierarchy import TargetSpec
from kgfuse.workspace.leakage import make_mask


def test_no_word_for_its_own_class_is_left_in_what_the_encoders_read_of_an_entry() -> None:
    vocabulary = Vocabulary(load_all(["field-guide"]))
    folder = field_guide_data()
    rows = [
        json.loads(line)
        for manifest in sorted(folder.glob("manifest*.jsonl"))
        for line in manifest.read_text(encoding="utf-8").splitlines()
    ]
    sources = {row["id"]: _source(row, (folder / row["text_path"]).read_text(encoding="utf-8")) for row in rows}
    classes = {row["id"]: vocabulary.expand(row["label"]) for row in rows}
    family = frozenset().union(*(vocabulary.ancestors(c) for c in classes.values()))
    thing = vocabulary.expand("fg:Thing")
    spec = TargetSpec(thing, RDF + "type", tuple(sorted(set(classes.values()))), family - {thing})
    extractor = load("text", vocabulary, ExtractSettings())
    mask = make_mask(run(extractor, list(sources.values())), [spec], vocabulary)
    left = {}
    for name, source in sources.items():
        visible = mask.visible(source.iri, source.text or "")
        assert visible, f"{name}: nothing is left to read"
        words = {
            n for a in vocabulary.ancestors(classes[name]) if a in vocabulary.terms for n in vocabulary.terms[a].names
        }
        found = [w for w in words if re.search(rf"\b{re.escape(w)}(s|es)?\b", visible, re.IGNORECASE)]
        if found:
            left[name] = found
    assert left == {}


def _source(row: dict[str, str], text: str) -> Source:
    name = row["text_path"]
    return Source(
        source_iri(name), name, "text", "text/plain", "", item=item_iri(row["id"]), item_label=row["name"], text=text
    )
