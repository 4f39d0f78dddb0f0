"""ComplEx by PyKEEN, run in PyKEEN's own environment by ``tests.benchmarks.links``; prints one JSON object.

    python links_pykeen.py FOLDER --setup strong --dimension 256 --seed 0

FOLDER holds train.txt, valid.txt and test.txt, tab-separated. Setup ``default`` is what ``pykeen.pipeline`` does for
ComplEx: one random negative a triple, softplus loss, Adam, an L2 penalty. ``strong`` is what the recipe of Lacroix et
al. (2018) comes to in PyKEEN's own parts: all entities as negatives (LCWA) under cross-entropy, inverse triples, the
sum of cubes as penalty, Adagrad. Looking at validation does not count as training time.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import logging
import time
from pathlib import Path
from typing import Any

SMALL = 1e-3


class Enough(Exception):  # noqa: N818 (no error)
    """Validation no longer improves, or time is up."""


class Watch:
    """Stops the clock after each epoch, looks at validation, keeps the best state."""

    def __init__(self, look: Any, options: argparse.Namespace) -> None:
        self.look, self.options = look, options
        self.history: list[dict[str, float]] = []
        self.best, self.best_at, self.kept = -1.0, 0, {}
        self.spent = [0.0, 0.0]
        self.start()

    def start(self) -> None:
        self.since = (time.perf_counter(), time.process_time())

    def after(self, model: Any, epoch: int) -> None:
        for at, now in enumerate((time.perf_counter(), time.process_time())):
            self.spent[at] += now - self.since[at]
        if epoch % self.options.every == 0:
            mrr = self.look(model)["mrr"]
            model.train()
            self.history.append(
                {"epoch": epoch, "seconds": self.spent[0], "processor_seconds": self.spent[1], "mrr": mrr}
            )
            if mrr > self.best:
                self.best, self.best_at = mrr, epoch
                self.kept = {name: value.detach().clone() for name, value in model.state_dict().items()}
            if epoch - self.best_at >= self.options.patience or self.spent[1] > self.options.seconds:
                raise Enough
        self.start()


def ranking(model: Any, triples: Any, known: Any) -> dict[str, float]:
    """Filtered figures, ties by the mean rank."""
    from pykeen.evaluation import RankBasedEvaluator

    found = RankBasedEvaluator(filtered=True).evaluate(
        model, triples, additional_filter_triples=known, use_tqdm=False, batch_size=64
    )
    figures = {"mrr": found.get_metric("both.realistic.inverse_harmonic_mean_rank")}
    return figures | {f"hits@{k}": found.get_metric(f"both.realistic.hits_at_{k}") for k in (1, 3, 10)}


def prepared(options: argparse.Namespace, train: Any, device: str) -> tuple[Any, Any]:
    """Model and training loop of a setup."""
    import torch
    from pykeen.models import ComplEx
    from pykeen.regularizers import PowerSumRegularizer
    from pykeen.training import LCWATrainingLoop, SLCWATrainingLoop

    if options.setup == "default":
        model = ComplEx(triples_factory=train, embedding_dim=options.dimension, random_seed=options.seed).to(device)
        optimiser: Any = torch.optim.Adam(model.parameters())
        return model, SLCWATrainingLoop(model=model, triples_factory=train, optimizer=optimiser)
    small = functools.partial(torch.nn.init.normal_, std=SMALL)
    model = ComplEx(
        triples_factory=train,
        embedding_dim=options.dimension,
        loss="crossentropy",
        entity_initializer=small,
        relation_initializer=small,
        regularizer=PowerSumRegularizer,
        regularizer_kwargs={"weight": options.penalty, "p": 3.0, "normalize": False},
        random_seed=options.seed,
    ).to(device)
    optimiser = torch.optim.Adagrad(model.parameters(), lr=0.1)
    return model, LCWATrainingLoop(model=model, triples_factory=train, optimizer=optimiser)


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Train, and rank the test triples."""
    import pykeen
    import torch
    from pykeen.training import TrainingCallback
    from pykeen.triples import TriplesFactory

    logging.getLogger("pykeen").setLevel(logging.ERROR)
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    train = TriplesFactory.from_path(options.folder / "train.txt", create_inverse_triples=options.setup == "strong")
    names = {"entity_to_id": train.entity_to_id, "relation_to_id": train.relation_to_id}
    plain, held, test = (
        TriplesFactory.from_path(options.folder / f"{n}.txt", **names) for n in ("train", "valid", "test")
    )
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model, loop = prepared(options, train, device)
    known = [plain.mapped_triples]
    watch = Watch(lambda m: ranking(m, held.mapped_triples, known), options)

    class Callback(TrainingCallback):  # type: ignore[misc]
        def post_epoch(self, epoch: int, epoch_loss: float, **_: Any) -> None:
            watch.after(self.model, epoch)

    with contextlib.suppress(Enough):
        loop.train(
            triples_factory=train,
            num_epochs=options.epochs,
            batch_size=256,
            callbacks=Callback(),
            use_tqdm=False,
            use_tqdm_batch=False,
        )
    model.load_state_dict(watch.kept)
    result = {"pykeen": pykeen.get_version(), "torch": torch.__version__, "device": device, "history": watch.history}
    result["test"] = ranking(model, test.mapped_triples, [*known, held.mapped_triples])
    return result


def main() -> None:
    p = argparse.ArgumentParser()
    p.add_argument("folder", type=Path)
    p.add_argument("--setup", choices=("default", "strong"), default="strong")
    p.add_argument("--dimension", type=int, default=256)
    p.add_argument("--penalty", type=float, default=0.01)
    p.add_argument("--epochs", type=int, default=200)
    p.add_argument("--patience", type=int, default=10, help="epochs")
    p.add_argument("--every", type=int, default=1)
    p.add_argument("--seconds", type=float, default=1e9, help="of processor time, for training")
    p.add_argument("--seed", type=int, default=0)
    print(json.dumps(run(p.parse_args())))


if __name__ == "__main__":
    main()
