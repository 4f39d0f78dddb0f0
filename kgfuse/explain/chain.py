"""What an explanation is made of: places, statements with their effect, and the test of what is cited."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Place:
    """Characters or pixels of a source.

    Args:
        source: name of the source.
        kind: ``text`` or ``image``.
        start, end: code points of the stored text; -1 for pictures.
        exact: those characters; empty for pictures.
        context_start: where the sentence around them begins; -1 for pictures.
        context: that sentence.
        box: left, top, width, height in pixels; ``None`` for texts.
        sha256: blob of the picture; empty for texts.
        page: of the document, from 1; 0 where it has none.
        where: place in the document in words, such as ``page 3``; empty for plain texts.
        seconds: of the recording, from when to when the characters are spoken; ``None`` for all else.
    """

    source: str
    kind: str
    start: int = -1
    end: int = -1
    exact: str = ""
    context_start: int = -1
    context: str = ""
    box: tuple[int, int, int, int] | None = None
    sha256: str = ""
    page: int = 0
    where: str = ""
    seconds: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """A statement about the item, and what it does to the answer.

    Args:
        subject, predicate, object: IRIs; a literal in N-Triples form.
        text: the statement in words.
        effect: on the answer's probability: mean of what is lost when the statement, and all that follows from it,
            is removed, and of what it adds when all other evidence is.
        follows: statements that are inferred from it and were removed with it, in words.
        confidence: of extraction; 1 for what was imported.
        extractor: who found it; ``import`` for what a manifest or RDF file says.
        reason: why it was extracted.
        places: where it stands.
        cited: whether it is among the most effective, which the counterfactual test removes.
    """

    subject: str
    predicate: str
    object: str
    text: str
    effect: float
    follows: tuple[str, ...]
    confidence: float
    extractor: str
    reason: str
    places: tuple[Place, ...]
    cited: bool = False


@dataclass(frozen=True, slots=True)
class Passage:
    """A sentence or picture region, and what it does to the answer when the encoder sees it.

    Args:
        place: where it is.
        effect: on the answer's probability: mean of what is lost when it is hidden, and of what it adds when all
            other evidence is.
        cited: whether it is among the most effective, which the counterfactual test removes.
    """

    place: Place
    effect: float
    cited: bool = False


@dataclass(frozen=True, slots=True)
class Check:
    """The counterfactual test of what is cited.

    Args:
        before: probability of the answer.
        without_cited: the same when the cited statements and passages are removed.
        without_random: mean and standard deviation when as many others are removed at random.
        only_cited: when nothing else of the item's statements and passages is left.
        label_without_cited: the answer when the cited are removed.
    """

    before: float
    without_cited: float
    without_random: tuple[float, float]
    only_cited: float
    label_without_cited: str

    @property
    def holds(self) -> bool:
        """Whether removing what is cited costs a point or more, and more than removing as much at random does."""
        mean, sd = self.without_random
        return self.before - self.without_cited >= 0.01 and self.without_cited < mean - sd


@dataclass(frozen=True, slots=True)
class Change:
    """What would change the answer: evidence whose joint removal gives another, no part of which can be left out.

    Args:
        parts: statements, sentences and regions, in words.
        label: the answer without them.
        smallest: every smaller set of the evidence was tried, and changes nothing.
    """

    parts: tuple[str, ...]
    label: str
    smallest: bool


@dataclass(frozen=True, slots=True)
class Neighbour:
    """An item that the model learned from, and how like it the explained one is.

    Args:
        item, name: IRI and name.
        labels: its known answers.
        likeness: cosine over all that the model reads of both, -1 to 1.
        by: the same for each modality that both have.
    """

    item: str
    name: str
    labels: tuple[str, ...]
    likeness: float
    by: dict[str, float]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why the model answered as it did.

    Args:
        item, name, label, probability: the answer.
        shares: exact Shapley share of each modality in the answer's probability; they sum to it, less what the model
            says with nothing to go by.
        statements: about the item, most effective first.
        passages: sentences and picture regions, most effective first.
        check: the counterfactual test of the most effective ones.
        change: what would change the answer; ``None`` where no evidence does.
        nearest: training items that are most like this one, the most alike first.
    """

    item: str
    name: str
    label: str
    label_iri: str
    probability: float
    shares: dict[str, float]
    statements: tuple[Evidence, ...]
    passages: tuple[Passage, ...]
    check: Check
    change: Change | None = None
    nearest: tuple[Neighbour, ...] = ()

    @property
    def against(self) -> tuple[Evidence | Passage, ...]:
        """Statements and passages that speak against the answer by a point or more, the strongest first."""
        parts: list[Evidence | Passage] = [*self.statements, *self.passages]
        return tuple(sorted((p for p in parts if p.effect <= -0.01), key=lambda p: p.effect))

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return {**asdict(self), "check": {**asdict(self.check), "holds": self.check.holds}}
