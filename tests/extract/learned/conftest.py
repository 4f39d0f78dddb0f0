"""Sentences about made-up films, and a reader trained on some of them once."""

from __future__ import annotations

import random

import pytest

from kgfuse.encode.reader import ReaderConfig
from kgfuse.extract.learned.artefact import RelationReader
from kgfuse.extract.learned.corpus import Annotated
from kgfuse.extract.learned.examples import Example, Triple
from kgfuse.extract.learned.fitting import fit
from kgfuse.extract.learned.schema import Relation, Schema
from kgfuse.extract.learned.training import TrainSettings

SCHEMA = Schema(
    "films",
    (
        Relation("director", "director", "film", "human"),
        Relation("publication date", "publication date", "film", "date", True),
        Relation("filming location", "filming location", "film", "place"),
    ),
)
FIRST = "Ana Bert Carla Dora Emil Fritz Greta Hugo Ines Jonas Karl Lena Mara Nils Olga Paul Rosa Sven Tilda Udo".split()  # noqa: SIM905
LAST = "Abel Brandt Costa Diaz Evans Fisher Gruber Hansen Ivanov Jensen Keller Lopez Moreau Novak Olsen Petrov".split()  # noqa: SIM905
FILM = "Red Silent Golden Broken Distant Hidden Burning Frozen Endless Lonely Crystal Midnight Paper Velvet".split()  # noqa: SIM905
THING = "River Garden Mirror Harbour Winter Bridge Lantern Orchard Station Window Island Letter Tower Road".split()  # noqa: SIM905
PLACE = "Oslo Lima Cairo Turin Porto Ghent Riga Tunis Quito Perth Leeds Malmo Bergen Kyoto".split()  # noqa: SIM905


def sentence(rng: random.Random) -> Example:
    film = f"{rng.choice(FILM)} {rng.choice(THING)}"
    who, where = f"{rng.choice(FIRST)} {rng.choice(LAST)}", rng.choice(PLACE)
    year = rng.randint(1930, 2015)
    director = Triple(film, "director", who)
    date = Triple(film, "publication date", f"01 January {year}")
    place = Triple(film, "filming location", where)
    text, triples = rng.choice(
        (
            (f"{film} is a {year} drama directed by {who}.", (date, director)),
            (f"{who} directed {film}, which was shot in {where}.", (director, place)),
            (f"Filmed in {where}, {film} came out in {year}.", (place, date)),
            (f"{who} made {film}.", (director,)),
            (f"{who} lives in {where} and likes {film}.", ()),
        )
    )
    return Example(text, triples)


def sentences(count: int, seed: int) -> tuple[Example, ...]:
    rng = random.Random(seed)
    return tuple(sentence(rng) for _ in range(count))


@pytest.fixture(scope="session")
def reader() -> RelationReader:
    settings = TrainSettings(epochs=6, copies=1, dev=0.2, seed=1)
    config = ReaderConfig(split=5, hidden=64, spans=3)
    return fit([Annotated(SCHEMA, sentences(120, 1), "films")], settings, config, device="cpu")
