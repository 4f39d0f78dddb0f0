"""Several labels at once keep to the ontology: superclasses follow, and disjoint classes never go together."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from kgfuse import Workspace
from kgfuse.workspace.training import prepare
from tests.workspace.samples import TEXT_ONLY, manifest, workspace

Z = "http://example.org/zoo#"
ZOO = """
@prefix z: <http://example.org/zoo#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
z:Being a owl:Class ; rdfs:label "being" ; owl:disjointUnionOf ( z:Animal z:Plant ) .
z:Animal a owl:Class ; rdfs:subClassOf z:Being ; rdfs:label "animal" .
z:Plant a owl:Class ; rdfs:subClassOf z:Being ; rdfs:label "plant" .
z:Bird a owl:Class ; rdfs:subClassOf z:Animal ; rdfs:label "bird" ; owl:disjointWith z:Fish .
z:Fish a owl:Class ; rdfs:subClassOf z:Animal ; rdfs:label "fish" .
z:Hunter a owl:Class ; rdfs:subClassOf z:Animal ; rdfs:label "hunter" .
z:livesIn a owl:ObjectProperty ; rdfs:label "lives in" .
"""
KINDS = {
    "eagle": (["z:Bird", "z:Hunter"], "It flies high and hunts mice.", ["z:Bird", "z:Plant"]),
    "finch": (["z:Bird", "z:Animal"], "It flies about and sings.", ["z:Plant"]),
    "shark": (["z:Fish", "z:Hunter"], "It swims in the sea and hunts seals.", ["z:Plant"]),
    "carp": (["z:Fish"], "It swims in the pond.", ["z:Plant"]),
    "oak": (["z:Plant"], "It has leaves and roots.", ["z:Bird"]),
}


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    root = tmp_path_factory.mktemp("zoo")
    (root / "zoo.ttl").write_text(ZOO, encoding="utf-8")
    rows = [
        {"id": f"{name}{n}", "type": "z:Being", "text": f"Number {n}. {told}", "split": split}
        | {"label": {"rdf:type": labels, "z:livesIn": home}}
        for name, (labels, told, home) in KINDS.items()
        for n, split in enumerate(("train", "train", "validation", "test"))
    ]
    with workspace(root / "ws", manifest(root / "data", rows), settings=TEXT_ONLY, ontology=root / "zoo.ttl") as ws:
        yield ws


def test_what_the_ontology_says_of_the_classes_reaches_the_model(zoo: Workspace) -> None:
    data = prepare(zoo._parts, zoo._facts(), ["rdf:type", "z:livesIn"]).dataset.data
    kinds, homes = data.targets
    assert kinds.multi_label
    assert homes.multi_label
    name = [iri.removeprefix(Z) for iri in kinds.classes.iris]
    below = {(name[a], name[b]) for a, b in kinds.classes.below.tolist()}
    assert below == {("Bird", "Animal"), ("Fish", "Animal"), ("Hunter", "Animal")}
    apart = {frozenset((name[a], name[b])) for a, b in kinds.classes.apart.tolist()}
    with_plant = {frozenset((other, "Plant")) for other in ("Animal", "Bird", "Fish", "Hunter")}
    assert apart == {frozenset(("Bird", "Fish")), *with_plant}
    carp = kinds.labels[[iri.endswith("carp0") for iri in data.items]][0]
    assert {n for n, own in zip(name, carp, strict=True) if own} == {"Fish", "Animal"}, "what follows is a label, too"
    assert not len(homes.classes.below)
    assert not len(homes.classes.apart), "what lives in two places is not of both kinds"


def test_answers_are_such_that_the_ontology_allows_them(zoo: Workspace) -> None:
    settings = ("epochs=3", "width=16", "hidden=16", "device=cpu", "kernel.enabled=false", "gnn.enabled=false")
    zoo.train("rdf:type", overrides=settings, runs=0, name="zoo")
    answers = zoo.classify(model="zoo")
    assert len(answers) == len(KINDS)
    for a in answers:
        given = {r.iri.removeprefix(Z) for r in a.labels}
        p = {r.iri.removeprefix(Z): r.probability for r in a.ranking}
        assert not ({"Bird", "Fish", "Hunter"} & given and "Animal" not in given)
        assert not {"Bird", "Fish"} <= given
        assert not ("Plant" in given and len(given) > 1)
        assert p["Animal"] >= max(p["Bird"], p["Fish"], p["Hunter"])
        assert p["Animal"] + p["Plant"] <= 1 + 1e-6
        assert p["Bird"] + p["Fish"] <= 1 + 1e-6
        assert not a.labels or a.label == a.labels[0].label
        above = {r.iri: r.probability for r in a.ancestors}
        assert all(above[Z + n] == pytest.approx(p[n]) for n in ("Animal",))
    judged = zoo.assess(model="zoo").targets[0]
    animal = judged.info.classes.iris.index(Z + "Animal")
    assert np.count_nonzero(judged.truth[:, animal]) == 4
