"""Kills builds at random moments and takes them up again; run by a test in a process of its own.

What a build needs is loaded once; each build is a fork, so that a kill costs milliseconds to set up. The process that
forks opens no store itself: the threads of one would be missing in its forks.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

from kgfuse import Workspace
from kgfuse.extract.registry import build_all
from kgfuse.ontology import Vocabulary, load_all
from kgfuse.terms.mentions import Source
from kgfuse.terms.namespaces import source_iri
from kgfuse.workspace import Settings
from tests.workspace.samples import TEXT_ONLY, small_ontology

RDF = """@prefix ex: <https://example.org/> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
ex:barn{n} a ex:Place ; ex:near ex:wood{n} , [ ex:name "a {n}" ] . ex:wood{n} ex:size "0{n}.50"^^xsd:decimal .
"""


def prepare(folder: Path) -> tuple[Path, Path, dict[str, Any]]:
    """Documents to build from, an ontology, and what is made of it once: packs and extractors."""
    documents = folder / "docs"
    documents.mkdir()
    for n, animal in enumerate(("owl", "fox", "wren", "hare", "mole", "stoat", "robin", "otter")):
        text = f"The {animal} is an animal. It eats mice and lives in the forest. Its fur is brown."
        (documents / f"{animal}.txt").write_text(text, encoding="utf-8")
        (documents / f"map{n}.ttl").write_text(RDF.format(n=n), encoding="utf-8")
    ontology = small_ontology(folder)
    settings = Settings.model_validate(TEXT_ONLY)
    packs = load_all([str(ontology)])
    extractors = build_all(Vocabulary(packs), settings.extract)
    for extractor in extractors:
        list(extractor.extract(Source(source_iri("x"), "x", "text", "text/plain", "0" * 64, text="The owl eats mice.")))
    return documents, ontology, {"packs": packs, "extractors": extractors}


def change(documents: Path, back: bool) -> None:
    """Say something else, or the same as at first: graphs shrink as well as grow."""
    text = "It eats mice and lives in the forest." if back else "It eats worms. It has claws."
    for animal in ("owl", "fox", "wren"):
        (documents / f"{animal}.txt").write_text(f"The {animal} is an animal. {text} Its fur is brown.", "utf-8")
    other = "<https://example.org/a> a <https://example.org/b> ."
    (documents / "map1.ttl").write_text(RDF.format(n=1) if back else other)


def built(place: Path, documents: Path, loaded: dict[str, Any]) -> dict[str, Any]:
    """Build, and say what came of it."""
    with Workspace.open(place) as ws:
        ws._parts.__dict__.update(loaded)
        ws.add(documents)
        ws.build()
        names = [s.name for s in ws.sources()]
        return {"hash": ws.graph.store.canonical_hash(), "sources": names, "problems": len(ws.problems())}


def forked(act: Any, kill_after: float | None = None) -> Any:
    """What a function returns in a fork; ``None`` where it was killed."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(read)
            os.write(write, json.dumps(act()).encode())
            code = 0
        finally:
            os._exit(code)
    os.close(write)
    if kill_after is not None:
        signal.sigtimedwait([signal.SIGCHLD], kill_after)
        os.kill(child, signal.SIGKILL)
    with os.fdopen(read, "rb") as answers:
        answer = answers.read()
    os.waitpid(child, 0)
    signal.sigtimedwait([signal.SIGCHLD], 0)
    return json.loads(answer) if answer else None


def main() -> None:
    """``crash.py FOLDER KILLS SEED``: prints one JSON object."""
    folder, kills, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
    documents, ontology, loaded = prepare(folder)
    rng = random.Random(seed)

    empty = folder / "empty"
    forked(lambda: Workspace.create(empty, [str(ontology)], TEXT_ONLY).close())
    expected: dict[bool, Any] = {}
    lengths: dict[bool, float] = {}
    first = shutil.copytree(empty, folder / "first")
    for back in (True, False):
        change(documents, back)
        began = time.monotonic()
        expected[back] = forked(lambda: built(first, documents, loaded))
        lengths[back] = time.monotonic() - began
    killed = {"first build": 0, "change": 0, "too late": 0}
    for n in range(kills):
        place = folder / f"ws{n}"
        back = n % 2 == 0
        shutil.copytree(empty if back else folder / f"ws{n - 1}", place)
        change(documents, back)
        answer = forked(lambda p=place: built(p, documents, loaded), rng.uniform(0, 0.8 * lengths[back]))
        killed["too late" if answer else "first build" if back else "change"] += 1
        resumed = forked(lambda p=place: built(p, documents, loaded))
        if resumed != expected[back]:
            print(json.dumps({"kill": n, "resumed": resumed, "expected": expected[back]}))
            sys.exit(1)
        if not back:
            shutil.rmtree(folder / f"ws{n - 1}")
            shutil.rmtree(place)
    print(json.dumps({"killed": killed, "seconds": lengths, "expected": len(expected[True]["sources"])}, default=str))


if __name__ == "__main__":
    main()
