"""What the extraction benchmark measures; each function runs in a process of its own, so that its memory is its own."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kgfuse import Workspace
from kgfuse.encode.device import one_thread
from kgfuse.extract.learned.extractor import LearnedExtractor
from kgfuse.extract.registry import load
from kgfuse.extract.resolve import resolve
from kgfuse.extract.settings import ExtractSettings, TextSettings
from kgfuse.extract.text.extractor import TextExtractor
from kgfuse.extract.text.lexicon import Lexicon
from kgfuse.extract.text.nlp import load as load_pipeline
from kgfuse.ontology import Vocabulary, load_all
from kgfuse.ontology.pack import Term
from kgfuse.terms.mentions import Extraction, Mention, Statement, TextSpan
from kgfuse.terms.namespaces import label_key, source_iri
from tests.benchmarks.extract_texts import as_sources
from tests.benchmarks.text2kg.speed import schema, sentences_a_second, untrained_reader

SIZES = (1, 4, 16, 64)
CLOSE = 1e-4


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds that a call takes, and what it gives."""
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


def peak_mb() -> float | None:
    """Largest resident set of this process; ``None`` where the system does not tell.

    A spawned process starts with the figure of its parent in `getrusage`; this one is its own.
    """
    return _status_mb("VmHWM:")


def _status_mb(name: str) -> float | None:
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    line = next(line for line in status.read_text().splitlines() if line.startswith(name))
    return round(int(line.split()[1]) / 1024, 1)


def vocabulary() -> Vocabulary:
    """The field guide's, with what it imports."""
    return Vocabulary(load_all(["field-guide"]))


def text_speed(texts: list[str], runs: int) -> dict[str, Any]:
    """The text extractor with everything on, beside the bare pipeline, alternating."""
    nlp = load_pipeline("auto")
    list(nlp.pipe(texts[:8]))
    bare, ours = [], []
    bare.append(timed(lambda: list(nlp.pipe(texts, batch_size=64)))[0])
    bare_mb = peak_mb()
    extractor = TextExtractor(vocabulary(), TextSettings())
    sources = as_sources(texts)
    list(extractor.extract_batch(sources[:8]))
    for run in range(runs):
        if run:
            bare.append(timed(lambda: list(nlp.pipe(texts, batch_size=64)))[0])
        ours.append(timed(lambda: sum(map(len, extractor.extract_batch(sources))))[0])
    return {
        "documents": len(texts),
        "bare_per_s": [len(texts) / s for s in bare],
        "ours_per_s": [len(texts) / s for s in ours],
        "ratio": [b / o for b, o in zip(bare, ours, strict=True)],
        "bare_mb": bare_mb,
        "ours_mb": peak_mb(),
    }


def relation_speed(texts: list[str], relations: int, runs: int) -> dict[str, Any]:
    """Sentences a second of the neural reader, on the threads that torch takes by itself."""
    reader = untrained_reader()
    speeds = [sentences_a_second(reader, texts, relations) for _ in range(runs)]
    return {"relations": relations, "per_s": speeds, "peak_mb": peak_mb()}


def learned_speed(texts: list[str], runs: int, size: int = 32) -> dict[str, Any]:
    """Texts of a sentence each a second through the neural extractor, one by one and in batches, on one thread."""
    with tempfile.TemporaryDirectory() as name:
        untrained_reader().save(Path(name))
        extractor = LearnedExtractor(vocabulary(), Path(name), device="cpu")
        sources = as_sources(texts)
        cuts = [sources[n : n + size] for n in range(0, len(sources), size)]
        alone, together = [], []
        with one_thread():
            list(extractor.extract_batch(sources[:8]))
            for _ in range(runs):
                seconds, one = timed(lambda: [list(extractor.extract(s)) for s in sources])
                alone.append(len(texts) / seconds)
                seconds, many = timed(lambda: [found for cut in cuts for found in extractor.extract_batch(cut)])
                together.append(len(texts) / seconds)
    asked = len(extractor.schema.relations)
    return {"relations": asked, "alone_per_s": alone, "together_per_s": together, "equal": one == many}


def lexicon_speed(texts: list[str], terms: int) -> dict[str, Any]:
    """A lexicon of so many names of one to three words: to build, to hold, and to read texts with."""
    chance = random.Random(0)
    parts = [a + b + c for a in ("bra", "clo", "fi", "gra", "mo", "ste") for b in "dlnrst" for c in ("a", "er", "ix")]
    names: dict[str, tuple[Term, ...]] = {}
    while len(names) < terms:
        label = " ".join(chance.choice(parts) + chance.choice(parts) for _ in range(chance.randint(1, 3)))
        iri = f"urn:term:{len(names)}"
        names.setdefault(label_key(label), (Term(iri, label, (label,), (), "individual"),))
    extractor = TextExtractor(vocabulary(), TextSettings())
    common = extractor.vocabulary.lexicon
    chosen = list(names)
    told = [f"{text} Near it lay the {chance.choice(chosen)}." for text in texts]
    before = _status_mb("VmRSS:")
    seconds, lexicon = timed(lambda: Lexicon({**names, **common}))
    after = _status_mb("VmRSS:")
    extractor._lexicon = lexicon
    sources = as_sources(told)
    list(extractor.extract_batch(sources[:8]))
    reading, found = timed(lambda: sum(map(len, extractor.extract_batch(sources))))
    grown = None if before is None or after is None else after - before
    return {"terms": terms, "build_s": seconds, "grown_mb": grown, "per_s": len(told) / reading, "found": found}


def resolution(mentions: int) -> dict[str, Any]:
    """Entity resolution over so many mentions, fifty statements a source, of some thousand people and places."""
    chance = random.Random(0)
    words = vocabulary()
    predicate = next(p.iri for p in words.properties.values() if p.kind == "object")
    made = ("Ka", "Lo", "Mi", "Ne", "Ra", "Su", "To", "Va")
    surnames = [a + b.lower() + c for a in made for b in made for c in ("rin", "sen", "dov", "ler", "moto")]
    given = [a + b for a in made for b in ("ra", "lin", "mas", "na")]

    def place(source: str, at: int) -> Mention:
        name = f"{chance.choice(given)} {chance.choice(surnames)}"
        label = chance.choice((name, name, f"Dr {name}", name.split()[1]))
        return Mention(source, TextSpan(at, at + len(label), label), label, "text.entity")

    found = []
    for n in range(mentions // 100):
        source = source_iri(f"{n}.txt")
        rows = []
        for at in range(0, 5_000, 100):
            ends = place(source, at), place(source, at + 50)
            rows.append(Statement(ends[0], predicate, ends[1], ends, "text.trigger", 0.9, "", source))
        found.append(Extraction(source, "urn:run", tuple(m for s in rows for m in s.evidence), tuple(rows)))
    before = peak_mb()
    seconds, outcome = timed(lambda: resolve(found, words, {}))
    return {
        "mentions": len(found) * 100,
        "seconds": seconds,
        "before_mb": before,
        "peak_mb": peak_mb(),
        "entities": len(outcome.entities),
        "facts": len(outcome.facts),
        "rejected": len(outcome.rejected),
    }


def batch_sizes(texts: list[str]) -> dict[str, Any]:
    """Triples by batch size: what differs, and what of it lies further than 1e-4 from the threshold.

    The threshold is the median of all probabilities, where it divides the most; the reader's heads are as drawn.
    """
    reader, asked = untrained_reader(), schema(10)
    scores: dict[int, dict[Any, float]] = {}
    with one_thread():
        for size in SIZES:
            rows = [r for n in range(0, len(texts), size) for r in reader.read(texts[n : n + size], asked, least=0.0)]
            scores[size] = {
                (n, f.relation.key, f.subject, f.object): f.probability for n, row in enumerate(rows) for f in row
            }
    values = sorted(scores[1].values())
    threshold = values[len(values) // 2] if values else 0.5
    compared = []
    for size in SIZES[1:]:
        one, many = scores[1], scores[size]
        apart = [k for k in one.keys() | many.keys() if (one.get(k, 0) >= threshold) != (many.get(k, 0) >= threshold)]
        far = [k for k in apart if min(abs(s.get(k, 0) - threshold) for s in (one, many)) > CLOSE]
        moved = max((abs(one[k] - many[k]) for k in one.keys() & many.keys()), default=0.0)
        compared.append({"size": size, "differing": len(apart), "beyond_1e-4": len(far), "largest_move": moved})
    sources, found = as_sources(texts), []
    for size in SIZES:
        extractor = load("text", vocabulary(), ExtractSettings(text=TextSettings(batch=size)))
        assert isinstance(extractor, TextExtractor)
        found.append(list(extractor.extract_batch(sources)))
    differing = sum(any(other[n] != found[0][n] for other in found[1:]) for n in range(len(sources)))
    return {
        "sentences": len(texts),
        "triples": sum(v >= threshold for v in values),
        "relations": compared,
        "text_differing": differing,
    }


def worker_speed(texts: list[str], counts: tuple[int, ...] = (1, 2)) -> dict[str, Any]:
    """Documents a second of a build's extraction, from the start of the workers on, and whether the graphs are one."""
    speeds, hashes = {}, set()
    with tempfile.TemporaryDirectory() as name:
        docs = Path(name) / "docs"
        docs.mkdir()
        for n, text in enumerate(texts):
            (docs / f"{n:05}.txt").write_text(text, encoding="utf-8")
        settings = {"extract": {"extractors": ["text"]}, "validate_shapes": False}
        for count in counts:
            with Workspace.create(Path(name) / f"{count}.kg", ["field-guide"], settings) as ws:
                ws.add(docs)
                speeds[str(count)] = len(texts) / ws.build(workers=count).seconds["extract"]
                hashes.add(ws.graph.store.canonical_hash())
    return {"documents": len(texts), "per_s": speeds, "equal": len(hashes) == 1}
