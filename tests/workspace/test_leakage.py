"""What encoders see holds neither labels nor what gives them away; leaks are planted, and must be hidden."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kgfuse import Workspace
from kgfuse.workspace.encoderview import Key, encoder_view
from kgfuse.workspace.leakage import Mask, make_mask
from kgfuse.workspace.training import Prepared, prepare
from tests.workspace.samples import FG, ITEM, TEXT_ONLY, manifest, workspace

CLASSES = {"owl": "Bird", "wren": "Bird", "hen": "Bird", "saw": "Tool", "axe": "Tool", "adze": "Tool"}
SPLITS = {"owl": "train", "saw": "train", "wren": "validation", "axe": "validation", "hen": "test", "adze": "test"}
TOLD = {"Bird": "It has feathers and eats mice.", "Tool": "It is made of steel."}

# every way in which an imported triple can say that the item is a bird
PLANTED = {
    "its type": "<{hen}> a fg:Bird .",
    "a subclass": "<{hen}> a <urn:x/Hen> . <urn:x/Hen> rdfs:subClassOf [ rdfs:subClassOf fg:Bird ] .",
    "an equivalent class": "<{hen}> a <urn:x/Flyer> . <urn:x/Flyer> owl:equivalentClass fg:Bird .",
    "the revealing property": "<{hen}> fg:belongsTo fg:Bird .",
    "a subproperty of it": "<{hen}> <urn:x/kind> fg:Bird . <urn:x/kind> rdfs:subPropertyOf fg:belongsTo .",
    "an equivalent property": "<{hen}> <urn:x/kind> fg:Bird . <urn:x/kind> owl:equivalentProperty fg:belongsTo .",
    "an inverse of it": "fg:Bird <urn:x/has> <{hen}> . <urn:x/has> owl:inverseOf fg:belongsTo .",
    "a subproperty of an inverse": (
        "fg:Bird <urn:x/h> <{hen}> . <urn:x/h> rdfs:subPropertyOf <urn:x/has> . "
        "fg:belongsTo owl:inverseOf <urn:x/has> ."
    ),
    "an inverse of rdf:type": "fg:Bird <urn:x/has> <{hen}> . <urn:x/has> owl:inverseOf rdf:type .",
    "a subproperty of rdf:type": "<{hen}> <urn:x/isA> fg:Bird . <urn:x/isA> rdfs:subPropertyOf rdf:type .",
    "another name of the item": "<{hen}> owl:sameAs <urn:x/same> . <urn:x/same> a fg:Bird .",
    "another name of another name": (
        "<urn:x/a> owl:sameAs <{hen}>, <urn:x/b> . <urn:x/b> a <urn:x/Hen> . <urn:x/Hen> owl:equivalentClass fg:Bird ."
    ),
    "the class's name as a word": '<{hen}> <urn:x/category> "Fowl", " bird " .',
}
PREFIXES = (
    f"@prefix fg: <{FG}> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . "
    "@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> . @prefix owl: <http://www.w3.org/2002/07/owl#> .\n"
)


def rows(labels: Mapping[str, str] = CLASSES, **extra: dict[str, Any]) -> list[dict[str, Any]]:
    """A manifest of birds and tools."""
    return [
        {
            "id": name,
            "name": name,
            "type": "fg:Thing",
            "text": f"The {name} is old. {TOLD[CLASSES[name]]}",
            "label": f"fg:{labels[name]}",
            "split": SPLITS[name],
            **extra.get(name, {}),
        }
        for name in CLASSES
    ]


def prepared(ws: Workspace, target: str = "fg:Thing") -> Prepared:
    return prepare(ws._parts, ws._facts(), [target])


def unmasked(ws: Workspace, found: Prepared) -> frozenset[Key]:
    """What encoders would see if nothing were hidden."""
    nothing = make_mask((), (), ws.vocabulary)
    nothing = Mask({}, frozenset(), frozenset(), frozenset(), frozenset(), frozenset(), {}, nothing.targets)
    items = [s.item for s in found.dataset.samples]
    return frozenset(encoder_view(ws._parts, ws._facts().resolution, nothing, items).triples)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    root = tmp_path_factory.mktemp("plain")
    with workspace(root / "ws", manifest(root / "data", rows()), settings=TEXT_ONLY) as ws:
        yield ws


@pytest.fixture(scope="module")
def clean(plain: Workspace) -> frozenset[Key]:
    """What encoders see where nothing is planted."""
    return frozenset(prepared(plain).dataset.view.triples)


def test_labels_are_known_to_the_task_and_unknown_to_the_encoders(plain: Workspace) -> None:
    found = prepared(plain)
    (target,) = found.dataset.data.targets
    assert (np.asarray(target.labels) >= 0).all()
    items = {s.item.iri for s in found.dataset.samples}
    assert not [t for t in found.dataset.view.triples if t[0] in items and t[2] in (FG + "Bird", FG + "Tool")]
    assert [t for t in found.dataset.view.triples if t[0] == ITEM + "hen" and t[1] == FG + "hasPart"]


def test_what_was_asserted_of_labels_does_not_reach_test_items_in_the_graph(plain: Workspace) -> None:
    for name, split in SPLITS.items():
        stands = bool(plain.query(f"ASK {{ <{ITEM}{name}> a fg:{CLASSES[name]} }}"))
        assert stands == (split == "train"), name


@pytest.fixture(scope="module")
def leaking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """One workspace for all planted triples, each removed again."""
    root = tmp_path_factory.mktemp("leaking")
    path = manifest(root / "data", rows())
    with workspace(root / "ws", path, settings=TEXT_ONLY) as ws:
        yield ws


@pytest.mark.parametrize("way", PLANTED)
def test_a_planted_triple_is_hidden(leaking: Workspace, clean: frozenset[Key], tmp_path: Path, way: str) -> None:
    ws = leaking
    leak = tmp_path / "leak.ttl"
    leak.write_text(PREFIXES + PLANTED[way].format(hen=ITEM + "hen"))
    ws.add(leak)
    ws.build()
    try:
        found = prepared(ws)
        new = set(found.dataset.view.triples) - clean
        telling = ("bird", "fowl", "x/hen", "flyer")
        about = {t for t in new if "subClassOf" not in t[1] and any(word in " ".join(t).lower() for word in telling)}
        assert about == set(), f"{way} is seen"
        assert unmasked(ws, found) - clean, "the planted leak would have been seen without the mask"
    finally:
        ws.remove("leak.ttl")


def test_sentences_that_state_the_class_are_hidden_with_all_that_rests_on_them(tmp_path: Path) -> None:
    said = {
        "hen": "The hen is a brown bird that lives in the forest. It has feathers.",
        "wren": "It eats mice.\r\nIt belongs to the birds. It has feathers.",
        "owl": "An owl is a songbird. It has feathers.",
    }
    path = manifest(tmp_path / "data", rows(**{name: {"text": text} for name, text in said.items()}))
    with workspace(tmp_path / "ws", path) as ws:
        found = prepared(ws)
        seen = {s.item.identifier: " ".join(s.texts) for s in found.dataset.samples}
        assert seen["hen"] == "It has feathers."
        assert "belongs" not in seen["wren"]
        assert "mice" in seen["wren"]
        of_hen = {(t[1], t[2]) for t in found.dataset.view.triples if t[0] == ITEM + "hen"}
        assert (FG + "hasPart", FG + "feather") in of_hen
        assert not [t for t in of_hen if "forest" in t[1] or "Brown" in t[1]]
        assert bool(ws.query(f"ASK {{ <{ITEM}hen> fg:livesIn fg:forest }}")), "the graph itself keeps what was said"


def test_links_of_the_manifest_that_state_the_class_are_hidden(clean: frozenset[Key], tmp_path: Path) -> None:
    links = {"rdf:type": "fg:Bird", "fg:belongsTo": "fg:Bird", "rdfs:seeAlso": "Bird", "fg:eats": "wren"}
    path = manifest(tmp_path / "data", rows(hen={"links": links, "type": "fg:Bird"}))
    with workspace(tmp_path / "ws", path) as ws:
        new = {t for t in set(prepared(ws).dataset.view.triples) - clean if t[0] == ITEM + "hen"}
        assert (ITEM + "hen", FG + "eats", ITEM + "wren") in new
        assert not [t for t in new if "Bird" in t[2] or "bird" in t[2]]


def test_shuffled_labels_change_nothing_that_encoders_see(plain: Workspace, tmp_path: Path) -> None:
    """Of all items: those of training items reach the loss alone."""
    swapped = {name: "Tool" if c == "Bird" else "Bird" for name, c in CLASSES.items()}
    path = manifest(tmp_path / "data", rows(swapped))
    with workspace(tmp_path / "ws", path) as ws:
        one, other = prepared(plain).dataset.data, prepared(ws).dataset.data
        assert one.graph.nodes == other.graph.nodes
        assert one.graph.relations == other.graph.relations
        assert np.array_equal(one.graph.edges, other.graph.edges)
        assert np.array_equal(one.graph.features, other.graph.features)
        assert np.array_equal(one.text, other.text)
        assert not np.array_equal(one.targets[0].labels, other.targets[0].labels)


def test_a_property_as_target_is_hidden_with_the_sentences_that_state_it(tmp_path: Path) -> None:
    homes = {name: "fg:forest" if c == "Bird" else "fg:meadow" for name, c in CLASSES.items()}
    told = {
        n: {"label": {"fg:livesIn": h}, "text": f"The {n} is old. It lives in the forest."} for n, h in homes.items()
    }
    path = manifest(tmp_path / "data", rows(**told))
    with workspace(tmp_path / "ws", path) as ws:
        found = prepared(ws, "fg:livesIn")
        assert not [t for t in found.dataset.view.triples if t[1] == FG + "livesIn"]
        assert {t for s in found.dataset.samples for t in s.texts} == {f"The {n} is old." for n in CLASSES}
