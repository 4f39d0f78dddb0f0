"""How many decisions of a person are needed: in the order of `kgfuse review`, least sure first, and at random.

    python -m tests.benchmarks.review --seeds 20 --out results/review

The data are made up, and so is the person, who never errs: statements of 40 patterns (property and wording) that are
right to different degrees, most often mostly right or mostly wrong, with a Zipf distribution of patterns, three
statements a sentence, and a confidence that knows the property but not the wording. A verifier (logistic regression on
pattern, property, confidence and some words of the sentence) learns from the decisions made so far and is tested on
other statements. Told is its accuracy after so many decisions, and after how many it is as good as after 200 at
random, both in the mean over the worlds. The order's constants were chosen on worlds 0 to 11; these are others. This
shows what the order is good for where wordings differ in quality; it does not say how far that is so in your texts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kgfuse.workspace.review.order import Question, order, tally
from tests.benchmarks.common import parser, shown, summary, table, write

STATEMENTS, PROPERTIES, WORDINGS, WORDS = 1200, 8, 5, 40
BATCH, MOST, FIRST_SEED = 10, 200, 100


@dataclass(frozen=True, slots=True)
class World:
    """Statements with their truth.

    Args:
        questions: as the order sees them.
        features: (n, d) as the verifier sees them.
        right: (n,) whether each is right.
        pool: numbers of those that a person can be asked about; the others are the test.
    """

    questions: list[Question]
    features: npt.NDArray[np.float64]
    right: npt.NDArray[np.bool_]
    pool: list[int]


def world(seed: int) -> World:
    """Make one up."""
    draw = np.random.default_rng(seed)
    patterns = PROPERTIES * WORDINGS
    precision = draw.beta(0.5, 0.5, patterns)
    share = 1 / np.arange(1, patterns + 1)
    share = draw.permutation(share / share.sum())
    of_property = [slice(p * WORDINGS, (p + 1) * WORDINGS) for p in range(PROPERTIES)]
    average = np.array([np.average(precision[own], weights=share[own]) for own in of_property])
    pattern = draw.choice(patterns, STATEMENTS, p=share)
    right = draw.random(STATEMENTS) < precision[pattern]
    confidence = np.clip(average[pattern // WORDINGS] + draw.normal(0, 0.1, STATEMENTS), 0.02, 0.98)
    sentence = draw.integers(0, STATEMENTS // 3, STATEMENTS)
    words = (draw.random((STATEMENTS // 3, WORDS)) < 0.1).astype(float)
    parts = (np.eye(patterns)[pattern], np.eye(PROPERTIES)[pattern // WORDINGS], confidence[:, None], words[sentence])
    questions = [
        Question(float(c), 0.5, f"p{p}", f"s{s}", 0.0, f"{n:05}")
        for n, (c, p, s) in enumerate(zip(confidence, pattern, sentence, strict=True))
    ]
    pool = np.flatnonzero(draw.random(STATEMENTS) < 0.6).tolist()
    return World(questions, np.hstack(parts), right, pool)


Ask = Callable[[World, list[int], np.random.Generator], list[int]]
"""The next batch, of the pool, given what was asked before."""


def at_random(w: World, asked: list[int], draw: np.random.Generator) -> list[int]:
    """Any."""
    left = sorted(set(w.pool) - set(asked))
    return draw.permutation(left)[:BATCH].tolist()


def least_sure(w: World, asked: list[int], draw: np.random.Generator) -> list[int]:
    """Nearest to the threshold: uncertainty alone."""
    left = sorted(set(w.pool) - set(asked))
    return sorted(left, key=lambda n: abs(w.questions[n].confidence - w.questions[n].threshold))[:BATCH]


def informative(w: World, asked: list[int], draw: np.random.Generator) -> list[int]:
    """As `kgfuse review` does."""
    left = sorted(set(w.pool) - set(asked))
    answered = tally((w.questions[n].pattern, bool(w.right[n])) for n in asked)
    return [left[i] for i in order([w.questions[n] for n in left], BATCH, answered)]


METHODS: dict[str, Ask] = {"kgfuse review": informative, "least sure first": least_sure, "at random": at_random}


def accuracy(w: World, asked: list[int]) -> float:
    """Of a verifier that learned from these decisions, on the statements that nobody is asked about."""
    from sklearn.linear_model import LogisticRegression

    test = sorted(set(range(STATEMENTS)) - set(w.pool))
    known = w.right[asked]
    if known.size == 0 or known.all() or not known.any():  # nothing to learn from yet: the confidence alone
        guess = np.array([w.questions[n].confidence >= w.questions[n].threshold for n in test])
    else:
        guess = LogisticRegression(max_iter=500).fit(w.features[asked], known).predict(w.features[test])
    return float((guess == w.right[test]).mean())


def curve(w: World, name: str, seed: int, counts: Sequence[int]) -> list[float]:
    """Accuracy after so many decisions (multiples of the batch)."""
    draw, asked, found = np.random.default_rng(seed), [], []
    while len(asked) < max(counts):
        asked += METHODS[name](w, asked, draw)
        if len(asked) in counts:
            found.append(accuracy(w, asked))
    return found


def needed(reached: npt.NDArray[np.float64], enough: float) -> float:
    """After how many decisions a curve first is that good, between batches by a straight line; infinite if never."""
    at = next((n for n, value in enumerate(reached) if value >= enough), None)
    if at is None:
        return float("inf")
    before = reached[at - 1] if at else 0.0
    return BATCH * (at + (enough - before) / (reached[at] - before))


def main() -> None:
    """Print and write what was found."""
    options = parser(__doc__.splitlines()[0]).parse_args()
    counts = range(BATCH, MOST + 1, BATCH)
    seeds = range(FIRST_SEED, FIRST_SEED + options.seeds)
    curves = {name: [curve(world(seed), name, seed, counts) for seed in seeds] for name in METHODS}
    ends = {k: [accuracy(w, w.pool if k == "all" else []) for w in map(world, seeds)] for k in ("none", "all")}
    mean = {name: np.mean(found, axis=0) for name, found in curves.items()}
    for count in (20, 50, 100, 150, 200):
        rows = {name: [c[count // BATCH - 1] for c in found] for name, found in curves.items()}
        table(f"accuracy after {count}", [(name, shown(values)) for name, values in rows.items()])
    table("accuracy after none and all", [(name, shown(values)) for name, values in ends.items()])
    enough = mean["at random"][-1]
    short = {name: needed(reached, enough) for name, reached in mean.items()}
    table(f"decisions until {enough:.3f}", [(name, f"{n:.0f}") for name, n in short.items()])
    wins = sum(a[-1] > b[-1] for a, b in zip(curves["kgfuse review"], curves["at random"], strict=True))
    print(f"\nmore accurate after {MOST} than at random in {wins} of {len(seeds)} worlds")
    write(options.out, "review", {"needed": short, "curves": curves, "ends": {k: summary(v) for k, v in ends.items()}})


if __name__ == "__main__":
    main()
