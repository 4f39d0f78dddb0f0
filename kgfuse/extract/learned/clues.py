"""A linear judge of candidates by the words in, between and around their places.

The reader generalises from descriptions; this learns by heart what examples repeat: "was born in", the shapes of the
arguments, their order. Ontologies of one style are learned together: what one lacks examples of, another that has a
relation of this label may bring. It is quick to train, and errs elsewhere than the reader, so that the verifier gains
from both.
"""

from __future__ import annotations

import itertools
import math
import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kgfuse.extract.learned.decode import Candidate
from kgfuse.extract.learned.features import shape_of

_BITS: Final = 20
_TOKEN: Final = re.compile(r"\w+|[^\w\s]")
_MIDDLE: Final = 15
_WHOLE: Final = 5
_STEM: Final = 5


@dataclass(frozen=True, slots=True)
class Judgement:
    """Candidates of one training text.

    Args:
        text: the sentence.
        found: its candidates.
        labels: of the relations, by number.
        right: (n,) the annotation has it.
        weight: (n,) what it counts.
    """

    text: str
    found: Sequence[Candidate]
    labels: Sequence[str]
    right: NDArray[np.bool_]
    weight: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Clues:
    """Weights of hashed clues (Weinberger et al. 2009, arXiv:0902.2206).

    Args:
        at: sorted places of the weights that are not zero.
        weights: of these.
        bias: of every candidate.
    """

    at: NDArray[np.int32]
    weights: NDArray[np.float32]
    bias: float

    def __post_init__(self) -> None:
        are_places = self.at.ndim == 1 and self.at.dtype.kind == "i" and not (np.diff(self.at) <= 0).any()
        if not are_places or self.at.shape != self.weights.shape:
            raise ValueError("clues are weights at rising places")
        if not (np.isfinite(self.weights).all() and math.isfinite(self.bias)):
            raise ValueError("a weight of a clue is no number")

    @classmethod
    def none(cls) -> Clues:
        """Without examples: nothing speaks for or against."""
        return cls(np.zeros(0, np.int32), np.zeros(0, np.float32), 0.0)

    @classmethod
    def learn(cls, judged: Iterable[Judgement], strength: float = 0.5) -> Clues:
        """Fit a logistic regression, all relations of one or several ontologies at once.

        Args:
            judged: candidates of their training texts.
            strength: inverse of the regularisation.
        """
        from scipy.sparse import csr_matrix
        from sklearn.linear_model import LogisticRegression

        found = list(judged)
        rows = [row for j in found for row in _rows(j.text, j.found, j.labels)]
        right = np.concatenate([j.right for j in found]) if found else np.zeros(0, bool)
        if not len(right) or right.all() or not right.any():
            return cls.none()
        ends = np.cumsum([0, *map(len, rows)])
        places = np.concatenate(rows)
        kept, columns = np.unique(places, return_inverse=True)
        x = csr_matrix((np.ones(len(places), np.float32), columns, ends), (len(rows), len(kept)))
        model = LogisticRegression(C=strength, solver="liblinear", max_iter=200, random_state=0)
        model.fit(x, right, sample_weight=np.concatenate([j.weight for j in found]))
        weights = model.coef_[0].astype(np.float32)
        heavy = np.abs(weights) > 1e-3
        return cls(kept[heavy].astype(np.int32), weights[heavy], float(model.intercept_[0]))

    def scores(self, text: str, found: Sequence[Candidate], labels: Sequence[str]) -> NDArray[np.float32]:
        """(n,) log-odds of the candidates of one text; zero where nothing was learned."""
        scores = np.zeros(len(found), np.float32)
        if not len(self.at):
            return scores
        for n, row in enumerate(_rows(text, found, labels)):
            place = np.searchsorted(self.at, row)
            place[place == len(self.at)] = 0
            scores[n] = self.weights[place][self.at[place] == row].sum() + self.bias
        return scores


def _rows(text: str, found: Sequence[Candidate], labels: Sequence[str]) -> list[NDArray[np.int64]]:
    """Places of the clues of each candidate: those of its words under its relation, and some under any."""
    everywhere = [f"w{w}" for w in dict.fromkeys(_words(text))]
    pairs: dict[tuple[tuple[int, int], tuple[int, int]], tuple[NDArray[np.uint64], list[str], set[str]]] = {}
    stems = {_stem(w) for w in _words(text)}
    rows = []
    for one in found:
        pair = (one.subject, one.object)
        if pair not in pairs:
            own, shared, near = _of_pair(text, *pair)
            pairs[pair] = (_hashes([*own, *everywhere]), shared, near)
        own_hashes, shared, near = pairs[pair]
        label = labels[one.relation]
        said = {_stem(w) for w in _words(_spaced(label)) if len(w) > 2}
        any_relation = [
            *shared, f"R{label}", f"near {min(len(said & near), 2)}", f"there {min(len(said & stems), 2)}",
            f"all {said <= stems}",
        ]  # fmt: skip
        rows.append(np.unique(np.concatenate((_under(own_hashes, label), _under(_hashes(any_relation), "")))))
    return rows


def _of_pair(text: str, subject: tuple[int, int], object_: tuple[int, int]) -> tuple[list[str], list[str], set[str]]:
    """Clues of a pair of places under a relation, those under any relation, and stems of the words nearby."""
    first, second = (subject, object_) if subject[0] <= object_[0] else (object_, subject)
    way = ">" if subject[0] <= object_[0] else "<"
    middle = _words(text[first[1] : second[0]])
    before, after = _words(text[: first[0]])[-3:], _words(text[second[1] :])[:3]
    s, o = _words(text[slice(*subject)]), _words(text[slice(*object_)])
    shapes = shape_of(text[slice(*subject)]), shape_of(text[slice(*object_)])
    gap = f"gap{way}{min(len(middle), 12)}"
    head, tail = middle[:_MIDDLE], middle[-2:]
    own = [
        way, gap, f"s:{shapes[0]}", f"o:{shapes[1]}", f"so:{shapes}", f"s#{min(len(s), 6)}", f"o#{min(len(o), 6)}",
        f"from{way}{middle[:2]}", f"to{way}{tail}", f"from1{way}{middle[:1]}", f"to1{way}{middle[-1:]}",
        f"before{way}{before[-1:]}", f"after{way}{after[:1]}", f"o end {o[-1:]}", f"o begin {o[:1]}",
        *(f"m{way}{w}" for w in head), *(f"mm{way}{a} {b}" for a, b in itertools.pairwise(head)),
        *(f"b{way}{w}" for w in before), *(f"a{way}{w}" for w in after), *(f"o {w}" for w in o), *(f"s {w}" for w in s),
    ]  # fmt: skip
    if len(middle) <= _WHOLE:
        own.append(f"whole{way}{middle}")
    shared = [f"any {shapes}", f"any {gap}", f"any before {before[-1:]}", f"any after {after[:1]}"]
    return own, shared, {_stem(w) for w in (*middle, *before[-2:], *after[:2])}


def _words(text: str) -> list[str]:
    """Lower-case words and signs; a number is as many # as it has digits."""
    return ["#" * len(w) if w.isdigit() else w.lower() for w in _TOKEN.findall(text)]


def _spaced(label: str) -> str:
    return re.sub(r"([a-z])([A-Z])", r"\1 \2", label.replace("_", " "))


def _stem(word: str) -> str:
    return word[:_STEM]


def _hashes(clues: Sequence[str]) -> NDArray[np.uint64]:
    return np.array([zlib.crc32(c.encode()) for c in clues], dtype=np.uint64)


def _under(hashes: NDArray[np.uint64], label: str) -> NDArray[np.int64]:
    """Hashes of clues as places of the weights under a relation."""
    salt = np.uint64(zlib.crc32(label.encode()))
    mixed = (hashes ^ (salt * np.uint64(0x9E3779B1))) * np.uint64(0x9E3779B97F4A7C15)
    return (mixed >> np.uint64(64 - _BITS)).astype(np.int64)
