"""Sentences about made-up films, and a reader trained on some of them once."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from kgfuse.encode.reader import ReaderConfig
from kgfuse.extract.learned.artefact import RelationReader
from kgfuse.extract.learned.corpus import Annotated
from kgfuse.extract.learned.examples import Example, Triple
from kgfuse.extract.learned.extractor import NAME
from kgfuse.extract.learned.fitting import fit
from kgfuse.extract.learned.schema import schema_of
from kgfuse.extract.learned.training import TrainSettings
from kgfuse.ontology import Vocabulary, load_all

F = "http://example.org/films#"
FILMS = Path(__file__).parent / "films.ttl"
SCHEMA = schema_of(Vocabulary(load_all([str(FILMS)])), NAME)
DIRECTOR, DATE, LOCATION = F + "director", F + "date", F + "location"
FIRST = "Ana Bert Carla Dora Emil Fritz Greta Hugo Ines Jonas Karl Lena Mara Nils Olga Paul Rosa Sven Tilda Udo".split()  # noqa: SIM905
LAST = "Abel Brandt Costa Diaz Evans Fisher Gruber Hansen Ivanov Jensen Keller Lopez Moreau Novak Olsen Petrov".split()  # noqa: SIM905
FILM = "Red Silent Golden Broken Distant Hidden Burning Frozen Endless Lonely Crystal Midnight Paper Velvet".split()  # noqa: SIM905
THING = "River Garden Mirror Harbour Winter Bridge Lantern Orchard Station Window Island Letter Tower Road".split()  # noqa: SIM905
PLACE = "Oslo Lima Cairo Turin Porto Ghent Riga Tunis Quito Perth Leeds Malmo Bergen Kyoto".split()  # noqa: SIM905


def sentence(rng: random.Random) -> Example:
    film = f"{rng.choice(FILM)} {rng.choice(THING)}"
    who, where = f"{rng.choice(FIRST)} {rng.choice(LAST)}", rng.choice(PLACE)
    year = rng.randint(1930, 2015)
    director = Triple(film, DIRECTOR, who)
    date = Triple(film, DATE, f"01 January {year}")
    place = Triple(film, LOCATION, where)
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
