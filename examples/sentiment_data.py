"""Sentences with a sentiment that people rated, and a lexicon of sentiment words, as a manifest and an ontology pack.

The sentences are the ground truth of Hutto and Gilbert, "VADER: A Parsimonious Rule-based Model for Sentiment Analysis
of Social Media Text" (ICWSM 2014): at least 20 people rated each from -4 to 4. They lie in the source distribution of
vaderSentiment 3.3.2 (MIT licence; the reviews, editorials and posts are other people's words), which pip fetches:

    python -m pip download --no-deps --no-binary :all: -d data-sentiment vaderSentiment==3.3.2
    python -m examples.sentiment_data --archive data-sentiment/vaderSentiment-3.3.2.tar.gz --out data-sentiment

Any CSV file with the columns text and label (positive or negative) does as well:

    python -m examples.sentiment_data --data reviews.csv --out data-sentiment

Both write ``manifest.jsonl`` and the folder ``pack``: the vocabulary of ``sentiment.ttl`` and, as background knowledge,
the words of VADER's lexicon with their valence and polarity.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import html
import importlib.resources
import io
import json
import re
import sys
import tarfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from kgfuse.encode.preprocess_text import lemma
from kgfuse.errors import KgfuseError, SourceError, UsageError

ARCHIVE_SHA256: Final = "5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9"
INNER: Final = "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz"
PARTS: Final = {
    "amazon": "amazonReviewSnippets",
    "movies": "movieReviewSnippets",
    "editorials": "nytEditorialSnippets",
    "tweets": "tweets",
}
GROUPED: Final = frozenset({"amazon", "editorials"})
"""Parts whose sentence ids read <document>_<sentence>."""
CLEAR: Final = 0.5
"""A sentence whose mean rating lies nearer to zero than this takes no side and is left out."""
PIP: Final = "python -m pip download --no-deps --no-binary :all: -d DIR vaderSentiment==3.3.2"
SPELLINGS: Final = {
    **dict.fromkeys(("positive", "pos", "1", "+"), "positive"),
    **dict.fromkeys(("negative", "neg", "0", "-1", "-"), "negative"),
}
SENTI: Final = "https://w3id.org/kgfuse/examples/sentiment#"
WORD: Final = "https://w3id.org/kgfuse/examples/sentiment/word/"
RULES: Final = f"""\
# A text that names a sentiment word anywhere, whatever it is said of, mentions that word.
PREFIX kgf: <https://w3id.org/kgfuse#>
PREFIX senti: <{SENTI}>

CONSTRUCT {{ ?text senti:mentionsWord ?word }}
WHERE {{ ?text kgf:mentions ?word . ?word a senti:Word }}
"""
_WORD: Final = re.compile(r"[a-z]{2,}(?:[-' ][a-z]+)*")


@dataclass(frozen=True, slots=True)
class Example:
    """A sentence or document with the sentiment that people see in it.

    Args:
        id: unique in the set.
        text: as it will be stored.
        label: ``positive`` or ``negative``.
        group: what it was cut from; a group never lies on both sides of a split.
    """

    id: str
    text: str
    label: str
    group: str

    @property
    def split(self) -> str:
        """70 % train, 10 % validation, 20 % test of the groups, by the group's hash alone."""
        share = int(hashlib.sha256(self.group.encode()).hexdigest()[:8], 16) / 16**8
        return "train" if share < 0.7 else "validation" if share < 0.8 else "test"


def read_archive(path: Path, part: str) -> list[Example]:
    """Read one part of the ground truth out of the source distribution, without unpacking it.

    Raises:
        SourceError: the file is missing or not that distribution.
    """
    if not path.is_file():
        raise SourceError("there is no such file", where=path, remedy=PIP)
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != ARCHIVE_SHA256:
        raise SourceError("this is not the source distribution of vaderSentiment 3.3.2", where=path, remedy=PIP)
    inner = _member(data, INNER, path)
    raw = _member(inner, f"hutto_ICWSM_2014/{PARTS[part]}_GroundTruth.txt", path)
    return unambiguous(parse_ratings(raw.decode("utf-8"), part))


def _member(archive: bytes, name: str, where: Path) -> bytes:
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
        file = tar.extractfile(name)
        if file is None:
            raise SourceError(f"{name} is no file in this archive", where=where, remedy=PIP)
        return file.read()


def parse_ratings(text: str, part: str) -> Iterator[Example]:
    """Yield the sentences that take a side from lines of id, mean rating and text, separated by tabs."""
    for line in text.split("\n"):
        if not line.strip():
            continue
        identifier, rating, sentence = line.rstrip("\r").split("\t")
        if abs(float(rating)) < CLEAR:
            continue
        group = identifier.partition("_")[0] if part in GROUPED else identifier
        yield Example(
            id=f"{part}/{identifier}",
            text=html.unescape(sentence).strip(),
            label="positive" if float(rating) > 0 else "negative",
            group=f"{part}/{group}",
        )


def read_csv(path: Path) -> list[Example]:
    """Read a CSV file with the columns text and label, and id and group where there are such.

    Raises:
        SourceError: the file cannot be read, lacks a column, or has a label that is neither positive nor negative.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = {"text", "label"} - set(reader.fieldnames or ())
            if missing:
                raise SourceError(
                    f"no column {' and no column '.join(sorted(missing))}", where=path, remedy="columns: text,label"
                )
            return unambiguous(_csv_examples(path, reader))
    except OSError as error:
        raise SourceError(f"cannot be read: {error.strerror or error}", where=path) from error
    except UnicodeDecodeError as error:
        raise SourceError(f"not UTF-8 at byte {error.start}", where=path, remedy="save it as UTF-8") from error


def _csv_examples(path: Path, reader: csv.DictReader[str]) -> Iterator[Example]:
    for number, row in enumerate(reader, 1):
        text, given = (row["text"] or "").strip(), (row["label"] or "").strip()
        label = SPELLINGS.get(given.casefold())
        if label is None:
            raise SourceError(
                f"label {given!r} is neither positive nor negative",
                where=f"{path}:{reader.line_num}",
                remedy="use one of " + ", ".join(SPELLINGS),
            )
        if text:
            identifier = row.get("id") or f"{path.stem}/{number}"
            yield Example(identifier, text, label, row.get("group") or text.casefold())


def unambiguous(examples: Iterable[Example]) -> list[Example]:
    """Keep each text once, and none that carries both labels, so that no test text is seen in training."""
    by_text: dict[str, list[Example]] = {}
    for example in examples:
        by_text.setdefault(" ".join(example.text.casefold().split()), []).append(example)
    return [same[0] for text, same in by_text.items() if text and len({e.label for e in same}) == 1]


def sample(examples: Sequence[Example], limit: int) -> list[Example]:
    """Take ``limit`` of the examples, the same ones each time, in their order."""
    chosen = sorted(examples, key=lambda e: hashlib.sha256(e.id.encode()).hexdigest())[:limit]
    kept = {e.id for e in chosen}
    return [e for e in examples if e.id in kept]


def read_lexicon() -> dict[str, float]:
    """Words of the installed VADER lexicon with their mean rating; emoticons and codes such as ``gr8`` are left out.

    Raises:
        UsageError: vaderSentiment is not installed.
    """
    try:
        text = importlib.resources.files("vaderSentiment").joinpath("vader_lexicon.txt").read_text(encoding="utf-8")
    except ModuleNotFoundError as error:
        raise UsageError("the lexicon is not installed", remedy="pip install vaderSentiment==3.3.2") from error
    pairs = (line.split("\t")[:2] for line in text.splitlines() if line.strip())
    return {word: float(rating) for word, rating in pairs if _WORD.fullmatch(word)}


def polarity(valence: float) -> str:
    """Name of the polarity in ``sentiment.ttl``.

    >>> polarity(-1.5)
    'mildlyNegative'
    """
    return ("strongly" if abs(valence) >= 2 else "mildly") + ("Positive" if valence > 0 else "Negative")


def lexicon_turtle(lexicon: dict[str, float]) -> str:
    """Turtle with one node for the forms of a word that lean the same way: labels, mean valence, polarity."""
    lines = [
        f"@prefix senti: <{SENTI}> .",
        "@prefix skos: <http://www.w3.org/2004/02/skos/core#> .",
        "@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .",
        "",
        "# From the lexicon of vaderSentiment 3.3.2, Copyright (c) 2016 C.J. Hutto, MIT licence.",
        "",
    ]
    forms: dict[tuple[str, bool], list[str]] = {}
    for word in sorted(lexicon):
        forms.setdefault((lemma(word.replace("-", " ")), lexicon[word] > 0), []).append(word)
    for words in forms.values():
        valence = round(sum(lexicon[w] for w in words) / len(words), 3)
        alternatives = "".join(f' ; skos:altLabel "{w}"@en' for w in words[1:])
        lines.append(
            f'<{WORD}{quote(words[0], safe="")}> a senti:Word ; skos:prefLabel "{words[0]}"@en{alternatives} ; '
            f'senti:valence "{valence}"^^xsd:decimal ; senti:polarity senti:{polarity(valence)} .'
        )
    return "\n".join(lines) + "\n"


def write_manifest(examples: Sequence[Example], path: Path) -> None:
    """Write a kgfuse manifest, one JSON object a line."""
    with path.open("w", encoding="utf-8") as file:
        for e in examples:
            record = {
                "id": e.id,
                "type": "senti:Document",
                "text": e.text,
                "label": f"senti:{e.label.capitalize()}",
                "split": e.split,
            }
            file.write(json.dumps(record, ensure_ascii=False) + "\n")


def write_pack(folder: Path) -> None:
    """Write an ontology pack: the vocabulary of ``sentiment.ttl`` and the lexicon."""
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = Path(__file__).with_name("sentiment.ttl").read_text(encoding="utf-8")
    (folder / "ontology.ttl").write_text(vocabulary, encoding="utf-8")
    (folder / "lexicon.ttl").write_text(lexicon_turtle(read_lexicon()), encoding="utf-8")
    (folder / "rules.rq").write_text(RULES, encoding="utf-8")
    (folder / "pack.toml").write_text(
        'name = "sentiment"\nversion = "0.1.0"\n'
        'licence = "Apache-2.0; lexicon.ttl: MIT, Copyright (c) 2016 C.J. Hutto"\n'
        'description = "Texts that speak well or ill, and words that carry a feeling."\n'
        'imports = ["general"]\nontology = ["ontology.ttl", "lexicon.ttl"]\nentry_classes = ["senti:Document"]\n\n'
        f'[prefixes]\nsenti = "{SENTI}"\n',
        encoding="utf-8",
    )


def describe(examples: Sequence[Example]) -> dict[str, dict[str, int]]:
    """Count the labels in each split."""
    counts = Counter((e.split, e.label) for e in examples)
    return {
        split: {label: counts[split, label] for label in ("positive", "negative")}
        for split in ("train", "validation", "test")
    }


def arguments() -> argparse.ArgumentParser:
    """The options that say which set to read."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--archive", type=Path, help="source distribution of vaderSentiment 3.3.2")
    source.add_argument("--data", type=Path, help="CSV file with the columns text and label")
    parser.add_argument("--part", choices=PARTS, default="amazon", help="which sentences of the archive")
    parser.add_argument("--limit", type=int, help="take only so many, always the same ones")
    parser.add_argument("--out", type=Path, required=True, help="folder to write into")
    return parser


def load(options: argparse.Namespace) -> list[Example]:
    """Read the set that the options name."""
    examples = read_csv(options.data) if options.data else read_archive(options.archive, options.part)
    return examples if options.limit is None else sample(examples, options.limit)


def main(argv: Sequence[str] | None = None) -> int:
    """Write manifest and pack."""
    options = arguments().parse_args(argv)
    try:
        examples = load(options)
        options.out.mkdir(parents=True, exist_ok=True)
        write_manifest(examples, options.out / "manifest.jsonl")
        write_pack(options.out / "pack")
    except KgfuseError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for split, labels in describe(examples).items():
        print(f"{split:10} {labels['positive']:6} positive {labels['negative']:6} negative")
    print(f"wrote {options.out / 'manifest.jsonl'} and {options.out / 'pack'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
