"""An answer about one item, and what is needed to explain it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kgfuse.fuse.model import FusionModel
from kgfuse.terms.mentions import Fact
from kgfuse.workspace.dataset import Dataset
from kgfuse.workspace.parts import Parts
from kgfuse.workspace.pictures import Tuned
from kgfuse.workspace.resolving import Resolved
from kgfuse.workspace.texts import TunedTexts

if TYPE_CHECKING:
    from kgfuse.explain.chain import Explanation


@dataclass(frozen=True, slots=True)
class Ranked:
    """A possible answer."""

    iri: str
    label: str
    probability: float


@dataclass(frozen=True)
class Prediction:
    """An answer about one item.

    Args:
        item: IRI of the item.
        name: the item's identifier or file name.
        target: IRI of the question.
        label: the answer's name for people; empty where the model abstains.
        label_iri: the answer.
        probability: calibrated, 0 to 1.
        abstained: whether the model gives no answer: it is not as sure as :attr:`needed`.
        needed: probability from which on the model answers, as its settings ``abstain`` and ``risk`` have it (several
            labels: of the least likely one); ``None`` where it never answers, because its risk cannot be promised.
        labels: all answers given; several for a multi-label target.
        ranking: possible answers, best first: as many as were asked for, ten otherwise.
        ancestors: superclasses of the answers with their probabilities, best first.
        shares: share that the fusion layer gives each modality.
        model: name of the model.
    """

    item: str
    name: str
    target: str
    label: str
    label_iri: str
    probability: float
    abstained: bool
    labels: tuple[Ranked, ...]
    ranking: tuple[Ranked, ...]
    ancestors: tuple[Ranked, ...]
    shares: dict[str, float]
    model: str
    needed: float | None
    _context: Context = field(repr=False, compare=False)

    @property
    def files(self) -> tuple[str, ...]:
        """Paths of the files that were read for it."""
        sources = self._context.dataset.samples[self._context.row].sources
        return tuple(str(source.path) for source in sources if source.path is not None)

    def explain(self) -> Explanation:
        """Lead the answer back to statements, sentences and pixels, and test that they matter."""
        from kgfuse.workspace.evidence import explain

        return explain(self, self._context)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        plain = {k: getattr(self, k) for k in ("item", "name", "target", "label", "label_iri", "abstained", "model")}
        ranked = {
            k: [{"iri": r.iri, "label": r.label, "probability": round(r.probability, 6)} for r in getattr(self, k)]
            for k in ("labels", "ranking", "ancestors")
        }
        shares = {k: round(v, 4) for k, v in self.shares.items()}
        needed = None if self.needed is None else round(self.needed, 6)
        return {**plain, "probability": round(self.probability, 6), "needed": needed, **ranked, "shares": shares}


@dataclass(frozen=True, eq=False, slots=True)
class Context:
    """What an explanation needs beside the prediction itself.

    Args:
        parts: the workspace.
        model: the fusion model.
        dataset: arrays it read.
        row: the item's row in them.
        found: the workspace's facts.
        extra: facts of the item that are not in the workspace.
        tuned: the tuned CNN tail, where there is one.
        texts: the tuned text classifier, where there is one.
        learned: IRIs of the items that the model learned from.
    """

    parts: Parts
    model: FusionModel
    dataset: Dataset
    row: int
    found: Resolved
    extra: tuple[Fact, ...]
    tuned: Tuned | None
    texts: TunedTexts | None = None
    learned: frozenset[str] = frozenset()
