"""Which statements to ask a person about first: those whose answer says most about the others.

Four things count, as in the literature on active learning (Settles, 2009): *uncertainty*, how near the confidence is to
the threshold that decides; *disagreement* among extractors, or between extractor and ontology (query by committee);
*density*, how many others an answer speaks for, without which rare oddities come first and one does worse than at
random; and *diversity*: what was asked of a pattern or a sentence makes the next question about it worth less.
`tests/benchmarks/review.py` measures the order.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

_PRIOR: Final = 2.0  # decisions that a confidence counts as, beside those on the same pattern
_DENSITY: Final = 0.7  # power of the number of statements of the same pattern
_SURE: Final = 0.3  # what an answer on a statement is worth of which nobody doubts, of what it can be


@dataclass(frozen=True, slots=True)
class Question:
    """What the order needs to know of a candidate.

    Args:
        confidence: 0 to 1.
        threshold: at which it would be let in.
        pattern: what it has in common with others that are right or wrong together: property, extractor, wording.
        passage: the sentence that it is from.
        disagreement: 0 where all agree, to 1.
        key: breaks ties; unique.
    """

    confidence: float
    threshold: float
    pattern: str
    passage: str
    disagreement: float
    key: str


def order(
    questions: Sequence[Question], limit: int | None = None, answered: Mapping[str, tuple[int, int]] | None = None
) -> list[int]:
    """Numbers of the questions, the most informative first.

    Greedy: the worth of a question only falls as others are chosen, so a heap of old worths is enough (lazy greedy).

    Args:
        questions: candidates that are not decided.
        limit: how many; ``None`` for all.
        answered: (right, wrong) decisions so far, by pattern.
    """
    answered = answered or {}
    alike = Counter(q.pattern for q in questions)
    known = {pattern: sum(counts) for pattern, counts in answered.items()}
    asked: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    base = [worth(q, answered.get(q.pattern, (0, 0)), alike[q.pattern]) for q in questions]

    def now(n: int) -> float:
        q = questions[n]
        before = 1 + known.get(q.pattern, 0)
        return base[n] * before / (before + asked[q.pattern]) / (1 + seen[q.passage])

    heap = [(-base[n], q.key, n, base[n]) for n, q in enumerate(questions)]
    heapq.heapify(heap)
    chosen: list[int] = []
    wanted = len(questions) if limit is None else min(limit, len(questions))
    while heap and len(chosen) < wanted:
        _, key, n, old = heapq.heappop(heap)
        value = now(n)
        if value < old:
            heapq.heappush(heap, (-value, key, n, value))
            continue
        chosen.append(n)
        asked[questions[n].pattern] += 1
        seen[questions[n].passage] += 1
    return chosen


def worth(question: Question, answered: tuple[int, int] = (0, 0), alike: int = 1) -> float:
    """How informative an answer would be, before any diversity.

    Args:
        question: the candidate.
        answered: (right, wrong) decisions so far on its pattern.
        alike: how many undecided candidates have its pattern, itself included.

    >>> near, far = (Question(c, 0.5, "p", "s", 0.0, "k") for c in (0.5, 0.9))
    >>> worth(near) > worth(far) > worth(far, (9, 0))
    True
    >>> worth(far, alike=50) > worth(near)
    True
    """
    right, wrong = answered
    likely = (_PRIOR * question.confidence + right) / (_PRIOR + right + wrong)
    reach = max(question.threshold, 1 - question.threshold)
    near = 1 - abs(likely - question.threshold) / reach
    unsure = 1 - (1 - near) * (1 - question.disagreement)
    return float((_SURE + (1 - _SURE) * unsure) * alike**_DENSITY / (1 + right + wrong))


def tally(decided: Iterable[tuple[str, bool]]) -> dict[str, tuple[int, int]]:
    """(right, wrong) by pattern.

    >>> tally([("p", True), ("p", False), ("p", True)])
    {'p': (2, 1)}
    """
    counts: dict[str, tuple[int, int]] = {}
    for pattern, is_right in decided:
        right, wrong = counts.get(pattern, (0, 0))
        counts[pattern] = (right + is_right, wrong + (not is_right))
    return counts
