"""Speech: word errors of transcripts, on a person who reads and on synthesised speech, clean and degraded.

    python -m tests.benchmarks.perception_speech [--out DIR] [--seeds N]

The person is the recording of the package moonshine-voice; speech is synthesised by espeak-ng, which is left out, and
said so, where it is not installed. ``kgfuse`` is beside faster-whisper as it comes (beam search, own decoding of the
file), with the same model. Errors are substitutions, omissions and insertions, of words in lower case without marks.
How surely kgfuse says that each word was heard is judged by how often such words are right, over all kinds of speech.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kgfuse.extract.speech.settings import SpeechSettings
from kgfuse.extract.speech.transcriber import Transcriber
from kgfuse.extract.speech.transcript import Transcript
from kgfuse.sources.identify import identify
from kgfuse.sources.sandbox import Sandbox
from kgfuse.sources.sound import RATE, Samples
from tests.benchmarks import common
from tests.benchmarks.perception_grocery import calibration_error
from tests.sources.sounds import person, write

CITIES = """
It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness, it was the
epoch of belief, it was the epoch of incredulity, it was the season of Light, it was the season of Darkness, it was the
spring of hope, it was the winter of despair, we had everything before us, we had nothing before us, we were all going
direct to Heaven, we were all going direct the other way—in short, the period was so far like the present period, that
some of its noisiest authorities insisted on its being received, for good or for evil, in the superlative degree of
comparison only.
"""
SENTENCES = (
    "The tawny owl lives in the forest and hunts mice at night.",
    "London Bridge crosses the Thames and was opened by the Queen.",
    "The patient was given the medicine twice a day for three weeks.",
    "The pump in the second hall stopped working on Monday morning.",
    "Apples from the orchard are sold in the market every Saturday.",
    "The temperature in the living room rose to twenty two degrees.",
    "Two lorries were waiting at the crossing when the train arrived.",
    "The company has its office in Oxford and employs forty people.",
)
VOICES = ("en-gb", "en-us+f3")
NOISE_DB = (None, 20.0, 10.0)
_NUMBERS = {"22": "twenty two", "40": "forty", "3": "three", "2": "two"}


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of speech: word errors of both sides, by seed, and how fast kgfuse was.

    Args:
        speech: what was spoken, and how it was degraded.
        words: of the reference.
        ours, bare: share of words that are wrong, a value a seed.
        speed: seconds of speech that kgfuse transcribed in a CPU second.
        judged: of each word that kgfuse heard, how sure it was, and whether it is right.
    """

    speech: str
    words: int
    ours: list[float]
    bare: list[float]
    speed: list[float]
    judged: list[tuple[float, bool]]


def plain(text: str) -> list[str]:
    """Words as they are compared.

    >>> plain("The tide-mill's 22 wheels —")
    ['the', 'tide', 'mills', 'twenty', 'two', 'wheels']
    """
    words = re.findall(r"[a-z0-9]+", text.lower().replace("'", "").replace("’", ""))
    return " ".join(_NUMBERS.get(word, word) for word in words).split()


def errors(reference: str, heard: str) -> tuple[int, int]:
    """Word errors (Levenshtein), and the words of the reference.

    >>> errors("the owl eats mice", "The tall eats nice mice.")
    (2, 4)
    """
    from rapidfuzz.distance import Levenshtein

    said, found = plain(reference), plain(heard)
    return int(Levenshtein.distance(said, found)), len(said)


def judged(reference: str, heard: Sequence[tuple[str, float]]) -> list[tuple[float, bool]]:
    """How sure each word that was heard is, and whether the reference has it there.

    >>> judged("the owl eats mice", [("The", 0.9), ("tall", 0.3), ("eats", 0.8), ("nice mice.", 0.4)])
    [(0.9, True), (0.3, False), (0.8, True), (0.4, False), (0.4, True)]
    """
    from rapidfuzz.distance import Levenshtein

    words = [(word, sure) for text, sure in heard for word in plain(text)]
    edits = Levenshtein.editops([word for word, _ in words], plain(reference))
    wrong = {edit.src_pos for edit in edits if edit.tag != "insert"}
    return [(sure, n not in wrong) for n, (_, sure) in enumerate(words)]


def noisy(samples: Samples, decibels: float | None, seed: int) -> Samples:
    """Speech with white noise, so many decibels below it; ``None`` adds none."""
    if decibels is None:
        return samples
    clean = samples.astype(np.float64)
    loud = np.sqrt(np.mean(clean**2)) / 10 ** (decibels / 20)
    noise = np.random.default_rng(seed).normal(0.0, loud, len(clean))
    return np.clip(clean + noise, -32768, 32767).astype(np.int16)


def spoken(folder: Path) -> Iterator[tuple[str, list[tuple[str, Path]]]]:
    """Kinds of speech, each with references and recordings."""
    if (path := person()) is not None:
        yield "a person reading, 44 s", [(CITIES, path)]
    else:
        print("left out: moonshine-voice, which holds the recording of a person, is not installed")
    if shutil.which("espeak-ng") is None:
        print("left out: espeak-ng is not installed (apt-get install espeak-ng)")
        return
    made = []
    for voice in VOICES:
        for n, sentence in enumerate(SENTENCES):
            file = folder / f"{voice}-{n}.wav"
            subprocess.run(["espeak-ng", "-v", voice, "-s", "140", "-w", str(file), sentence], check=True)
            made.append((sentence, file))
    yield f"espeak-ng, {len(VOICES)} voices, {len(SENTENCES)} sentences", made


def speech(seeds: int = 1) -> Iterator[Row]:
    """Measure, a row a kind of speech; without noise all seeds are one."""
    from faster_whisper import WhisperModel

    from kgfuse.encode.weights import WHISPER_TINY_EN, packaged_file

    ours = Transcriber(SpeechSettings())
    model = str(packaged_file(WHISPER_TINY_EN).parent)
    bare = WhisperModel(model, device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True)
    with tempfile.TemporaryDirectory() as top, Sandbox() as sandbox:
        folder = Path(top)
        for name, recordings in spoken(folder):
            clean = [(text, _samples(sandbox, path)) for text, path in recordings]
            for decibels in NOISE_DB:
                row = Row(f"{name}{f', noise at {decibels:.0f} dB' if decibels else ''}", 0, [], [], [], [])
                for seed in range(seeds if decibels else 1):
                    row = _measured(row, clean, decibels, seed, folder, sandbox, ours, bare)
                yield row


def _measured(
    row: Row,
    clean: Sequence[tuple[str, Samples]],
    decibels: float | None,
    seed: int,
    folder: Path,
    sandbox: Sandbox,
    ours: Transcriber,
    bare: Any,
) -> Row:
    wrong, theirs, words, seconds, length = 0, 0, 0, 0.0, 0.0
    found: list[tuple[float, bool]] = []
    for n, (text, samples) in enumerate(clean):
        path = write(folder / "now.flac", noisy(samples, decibels, 1000 * seed + n))
        began = time.process_time()
        heard = ours.transcribe(_samples(sandbox, path))
        seconds += time.process_time() - began
        length += len(samples) / RATE
        segments, _ = bare.transcribe(str(path), language="en")
        error, count = errors(text, heard.text)
        found += judged(text, list(_pieces(heard)))
        wrong, words = wrong + error, words + count
        theirs += errors(text, " ".join(segment.text for segment in segments))[0]
    return Row(
        row.speech,
        words,
        [*row.ours, wrong / words],
        [*row.bare, theirs / words],
        [*row.speed, length / seconds],
        [*row.judged, *found],
    )


def _pieces(transcript: Transcript) -> Iterator[tuple[str, float]]:
    """The words of a transcript, each with how surely it was heard."""
    ends = [*transcript.places.starts[1:], len(transcript.text)]
    for (start, sure), end in zip(transcript.places.heard, ends, strict=True):
        yield transcript.text[start:end], sure


def _samples(sandbox: Sandbox, path: Path) -> Samples:
    _, file = sandbox.samples(path, identify(path).media_type, path.name)
    return np.fromfile(file, np.int16)


def surety(words: Sequence[tuple[float, bool]]) -> dict[str, float]:
    """How well probabilities of words tell right ones from wrong ones; print and return it."""
    from sklearn.metrics import roc_auc_score

    sure, right = [p for p, _ in words], [r for _, r in words]
    found = {
        "words": len(words),
        "right": sum(right) / len(words),
        "mean": sum(sure) / len(words),
        "calibration_error": calibration_error(words),
        "auc": float(roc_auc_score(right, sure)) if len(set(right)) == 2 else float("nan"),
    }
    common.table(
        f"{len(words)} words that kgfuse heard, and how sure it was", [(k, f"{v:.3f}") for k, v in found.items()]
    )
    return found


def report(seeds: int) -> list[dict[str, Any]]:
    """Measure and print; return the records, a kind of speech each, and that of how sure words are."""
    found: list[dict[str, Any]] = []
    words: list[tuple[float, bool]] = []
    for row in speech(seeds):
        common.table(
            f"{row.speech}: {row.words} words, word error rate",
            [
                ("faster-whisper as it comes", common.shown(row.bare)),
                ("kgfuse", common.shown(row.ours)),
                ("kgfuse, seconds of speech a CPU second", common.shown(row.speed, 1)),
            ],
        )
        told = {key: common.summary(getattr(row, key)) for key in ("ours", "bare", "speed")}
        found.append({"speech": row.speech, "words": row.words} | told)
        words += row.judged
    return [*found, {"surety": surety(words)}] if words else found


def main() -> None:
    """Run the benchmark."""
    options = common.parser(__doc__ or "").parse_args()
    common.write(options.out, "perception_speech", {"speech": report(options.seeds)})


if __name__ == "__main__":
    main()
