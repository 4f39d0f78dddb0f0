"""Texts for the extraction benchmark: from a folder where there is one, else plausible sentences drawn from a seed."""

from __future__ import annotations

import random
from pathlib import Path

from kgfuse.terms.mentions import Source
from kgfuse.terms.namespaces import digest, source_iri
from tests.benchmarks.text2kg.data import read_all

_THINGS = ("owl", "fox", "saw", "pear", "hammer", "oak", "heron", "kettle", "badger", "apple", "chisel", "beech")
_PLACES = ("forest", "river", "kitchen", "workshop", "garden", "meadow", "harbour", "orchard")
_STUFF = ("steel", "wood", "copper", "glass", "leather", "iron")
_PEOPLE = ("Ada Novak", "Omar Haddad", "Ines Costa", "Paul Berger", "Mei Tanaka", "Lena Fischer")
_TOWNS = ("Leeds", "Porto", "Kyoto", "Bergen", "Lyon", "Tartu")
_FRAMES = (
    "The {thing} lives in the {place} and eats {other}s.",
    "It is made of {stuff}, which {person} of {town} bought in {year}.",
    "A {thing} is used for work in the {place}, although the {other} is lighter.",
    "{person} wrote in {year} that the {thing} near {town} has {colour} parts.",
    "When the {other} was found in the {place}, nobody in {town} knew what it was.",
    "The {colour} {thing} grows to {size} cm.",
)


def sentences(count: int, seed: int = 0) -> list[str]:
    """So many sentences."""
    chance = random.Random(seed)
    return [
        chance.choice(_FRAMES).format(
            thing=chance.choice(_THINGS),
            other=chance.choice(_THINGS),
            place=chance.choice(_PLACES),
            stuff=chance.choice(_STUFF),
            person=chance.choice(_PEOPLE),
            town=chance.choice(_TOWNS),
            colour=chance.choice(("red", "brown", "grey", "green")),
            year=chance.randint(1850, 2020),
            size=chance.randint(3, 300),
        )
        for _ in range(count)
    ]


def documents(count: int, seed: int = 0) -> list[str]:
    """So many texts of two to twenty sentences."""
    chance = random.Random(seed)
    return [" ".join(sentences(chance.randint(2, 20), seed * 100_003 + n)) for n in range(count)]


def given(folder: Path | None) -> list[str]:
    """The ``.txt`` files of a folder, else the sentences of Text2KGBench in it; nothing without a folder."""
    if folder is None:
        return []
    files = sorted(folder.rglob("*.txt"))
    if files:
        return [path.read_text(encoding="utf-8", errors="replace") for path in files]
    return [text for ontology in read_all(folder) for _, text in ontology.test]


def as_sources(texts: list[str]) -> list[Source]:
    """The texts as extractors see them."""
    return [
        Source(source_iri(f"{n}.txt"), f"{n}.txt", "text", "text/plain", digest(text), text=text)
        for n, text in enumerate(texts)
    ]
