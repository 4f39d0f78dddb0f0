"""What a candidate looks like apart from the reader's log-odds: the evidence of the verifier."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kgfuse.extract.learned.decode import Candidate, overlap
from kgfuse.extract.learned.formats import Aligned, kind_of, loose

NAMES: Final = (
    "logit", "margin", "rank", "alone", "rivals", "distance", "order", "subject first", "subject words",
    "object words", "subject shape", "object shape", "object known", "object known here", "subject as object",
    "relation frequency", "clue", "clue margin", "clue alone", "rivals here", "subject length", "object length",
    "subject proposed", "object proposed",
)  # fmt: skip
_NONE: Final = -6.0
_MOST: Final = 6.0
_KINDS: Final = ("year", "month", "date", "number", "quantity", "name", "words", "mixed")


@dataclass(frozen=True, slots=True)
class Habits:
    """What the training examples' arguments look like.

    Args:
        shapes: log-odds of a kind of words as an argument of a relation, by (relation, role, kind).
        objects: how often words are an object, by (relation or *, words).
        subjects: words that are subjects.
        relations: log share of each relation.
    """

    shapes: Mapping[tuple[str, str, str], float]
    objects: Mapping[tuple[str, str], int]
    subjects: frozenset[str]
    relations: Mapping[str, float]

    @classmethod
    def learn(cls, found: Iterable[Aligned]) -> Habits:
        """Count the arguments of examples."""
        shapes: Counter[tuple[str, str, str]] = Counter()
        totals: Counter[tuple[str, str]] = Counter()
        overall: Counter[tuple[str, str]] = Counter()
        objects: Counter[tuple[str, str]] = Counter()
        subjects: set[str] = set()
        relations: Counter[str] = Counter()
        for one in found:
            shape = shape_of(one.surface)
            shapes[one.relation, one.role, shape] += 1
            totals[one.relation, one.role] += 1
            overall[one.role, shape] += 1
            if one.role == "object":
                relations[one.relation] += 1
                objects[one.relation, loose(one.surface)] += 1
                objects["*", loose(one.surface)] += 1
            else:
                subjects.add(loose(one.surface))
        sums = {role: sum(c for (r, _), c in overall.items() if r == role) for role in ("subject", "object")}
        odds = {}
        for (relation, role), total in totals.items():
            for shape in _KINDS:
                prior = (overall[role, shape] + 1) / (sums[role] + len(_KINDS))
                share = (shapes[relation, role, shape] + 4 * prior) / (total + 4)
                odds[relation, role, shape] = round(float(np.log(share / prior)), 6)
        count = sum(relations.values())
        return cls(
            odds,
            dict(objects),
            frozenset(subjects),
            {r: round(float(np.log(c / count)), 6) for r, c in relations.items()},
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return {
            "shapes": [[*k, v] for k, v in sorted(self.shapes.items())],
            "objects": [[*k, v] for k, v in sorted(self.objects.items())],
            "subjects": sorted(self.subjects),
            "relations": dict(sorted(self.relations.items())),
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Habits:
        """The habits of `to_dict`."""
        return cls(
            {(a, b, c): v for a, b, c, v in record["shapes"]},
            {(a, b): v for a, b, v in record["objects"]},
            frozenset(record["subjects"]),
            record["relations"],
        )


def shape_of(surface: str) -> str:
    """Kind of a value, or whether words are a name."""
    kind = kind_of(surface)
    if kind != "text":
        return kind
    words = [w for w in surface.split() if w[:1].isalpha()]
    upper = sum(w[0].isupper() for w in words)
    return "name" if words and upper == len(words) else ("words" if not upper else "mixed")


def matrix(
    text: str,
    found: Sequence[Candidate],
    relations: Sequence[str],
    habits: Habits,
    clues: NDArray[np.float32],
) -> NDArray[np.float32]:
    """(n, features) of the candidates of one text, in the order of `NAMES`.

    Args:
        text: that they were found in.
        found: its candidates.
        relations: keys by number.
        habits: of the examples' arguments.
        clues: (n,) log-odds by the words (`clues.Clues`).
    """
    rows = np.zeros((len(found), len(NAMES)), dtype=np.float32)
    logits = np.array([f.logit for f in found], dtype=np.float32)
    by_pair = _groups((f.subject, f.object) for f in found)
    by_object = _groups(f.object for f in found)
    by_relation = _groups(f.relation for f in found)
    rows[:, 1], rows[:, 3], rows[:, 4] = (_lead(logits, g) for g in (by_pair, by_object, by_relation))
    rows[:, 2] = len(found) - np.searchsorted(np.sort(logits), logits, side="right")
    rows[:, 16], rows[:, 17], rows[:, 18] = clues, _lead(clues, by_pair), _lead(clues, by_relation)
    usual = float(np.mean(list(habits.relations.values()))) if habits.relations else 0.0  # of a relation never seen
    for n, one in enumerate(found):
        relation = relations[one.relation]
        subject, object_ = text[slice(*one.subject)], text[slice(*one.object)]
        between = max(one.object[0] - one.subject[1], one.subject[0] - one.object[1])
        known = habits.objects.get(("*", loose(object_)), 0)
        here = habits.objects.get((relation, loose(object_)), 0)
        rivals = [logits[k] for k in by_relation[one.relation] if k != n and overlap(found[k], one)]
        rows[n, 0] = one.logit
        rows[n, 5:16] = (
            float(np.log1p(max(between, 0))),
            float(one.subject[0] < one.object[0]),
            float(one.subject[0] <= 4),
            float(len(subject.split())),
            float(len(object_.split())),
            habits.shapes.get((relation, "subject", shape_of(subject)), 0.0),
            habits.shapes.get((relation, "object", shape_of(object_)), 0.0),
            float(np.log1p(known)),
            float(np.log1p(here)) - float(np.log1p(known - here)),
            float(loose(object_) in habits.subjects),
            habits.relations.get(relation, usual),
        )
        rows[n, 19:] = (
            max(one.logit - max(rivals, default=_NONE), -_MOST),
            one.subject[1] - one.subject[0],
            one.object[1] - one.object[0],
            *one.named,
        )
    return rows


def _groups(keys: Iterable[Hashable]) -> dict[Hashable, list[int]]:
    found: dict[Hashable, list[int]] = {}
    for n, key in enumerate(keys):
        found.setdefault(key, []).append(n)
    return found


def _lead(values: NDArray[np.float32], groups: Mapping[Hashable, Sequence[int]]) -> NDArray[np.float32]:
    """By how much each value exceeds the highest other one of its group; capped."""
    lead = np.zeros_like(values)
    for members in groups.values():
        for n in members:
            lead[n] = values[n] - max((values[k] for k in members if k != n), default=_NONE)
    return np.clip(lead, -2 * _MOST, _MOST)
