"""Classes are placed by their items, and where these are few or none by what is known of them and their relatives."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from torch import Tensor

from kgfuse.fuse.closed import class_folds
from kgfuse.fuse.experts import Problem
from kgfuse.fuse.prototypes import KnownClasses, PrototypeExpert


def clouds(
    seed: int, each: list[int], width: int = 24, relatives: int = 3
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Items, labels, centres, and what says roughly where the centres are: features and superclasses."""
    chance = torch.Generator().manual_seed(seed)
    families = torch.randn(relatives, width, generator=chance)
    family = torch.arange(len(each)) % relatives
    centres = families[family] + 0.5 * torch.randn(len(each), width, generator=chance)
    labels = torch.repeat_interleave(torch.arange(len(each)), torch.tensor(each))
    spread = torch.randn(width, width, generator=chance) / width**0.5
    items = centres[labels] + torch.randn(len(labels), width, generator=chance) @ spread
    features = centres + 0.7 * torch.randn(centres.shape, generator=chance)
    return items, labels, centres, features, torch.nn.functional.one_hot(family).bool()


def problem(items: Tensor, labels: Tensor, classes: int) -> Problem:
    return Problem(items, labels, classes, items[:0], labels[:0], torch.ones(classes))


def fitted(
    items: Tensor, labels: Tensor, classes: int, features: Tensor | None = None, membership: Tensor | None = None
) -> PrototypeExpert:
    expert = PrototypeExpert(items.shape[1], {"kind": classes})
    known = KnownClasses(
        {"text": (0, items.shape[1])},
        {} if features is None else {"text": torch.nn.functional.normalize(features, dim=1)},
        [] if features is None else [torch.nn.functional.normalize(features, dim=1)],
        torch.zeros(classes, 0, dtype=torch.bool) if membership is None else membership,
    )
    expert.fit("kind", problem(items, labels, classes), known, (0.3,))
    return expert


def accuracy(expert: PrototypeExpert, items: Tensor, labels: Tensor) -> float:
    return float((expert(items)["kind"].argmax(1) == labels).float().mean())


def test_with_many_items_it_is_the_discriminant_of_scikit_learn() -> None:
    items, labels, *_ = clouds(0, [200] * 5)
    known = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.3, priors=[0.2] * 5).fit(items, labels)
    expected = known.decision_function(items)
    found = fitted(items, labels, 5)(items)["kind"].numpy()
    assert (expected.argmax(1) == found.argmax(1)).mean() > 0.98


def test_what_is_known_of_classes_helps_where_items_are_few() -> None:
    gains = []
    for seed in range(6):
        items, labels, _, features, membership = clouds(seed, [40] * 12)
        few = torch.arange(len(labels)) % 40 < 2
        alone = accuracy(fitted(items[few], labels[few], 12), items[~few], labels[~few])
        gains.append(
            accuracy(fitted(items[few], labels[few], 12, features, membership), items[~few], labels[~few]) - alone
        )
    print(gains)
    assert np.mean(gains) > 0.03, gains


@pytest.mark.parametrize("seed", range(3))
def test_a_class_without_items_is_placed_by_its_description_and_relatives(seed: int) -> None:
    items, labels, _, features, membership = clouds(seed, [30] * 15)
    seen = labels < 11
    expert = fitted(items[seen], labels[seen], 15, features, membership)
    unseen = expert(items[~seen])["kind"][:, 11:].argmax(1) + 11
    assert (unseen == labels[~seen]).float().mean() > 0.7
    shuffled = features[torch.randperm(15, generator=torch.Generator().manual_seed(1))]
    misled = fitted(items[seen], labels[seen], 15, shuffled)(items[~seen])["kind"][:, 11:].argmax(1) + 11
    assert (misled == labels[~seen]).float().mean() < 0.6


def test_descriptions_that_say_nothing_are_not_believed() -> None:
    items, labels, *_ = clouds(5, [40] * 12)
    noise = torch.randn(12, items.shape[1], generator=torch.Generator().manual_seed(3))
    few = torch.arange(len(labels)) % 40 < 5
    alone = accuracy(fitted(items[few], labels[few], 12), items[~few], labels[~few])
    misled = accuracy(fitted(items[few], labels[few], 12, noise), items[~few], labels[~few])
    assert misled > alone - 0.03


def test_more_numbers_than_items_and_the_order_of_items_do_not_matter() -> None:
    items, labels, _, features, membership = clouds(1, [3, 1, 4, 2, 5], width=200)
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))
    one = fitted(items, labels, 5, features, membership)(items)["kind"]
    two = fitted(items[order], labels[order], 5, features, membership)(items)["kind"]
    assert torch.isfinite(one).all()
    assert torch.allclose(one, two, atol=1e-2 * float(one.abs().max()))
    assert (one.argmax(1) == labels).float().mean() > 0.9


def test_one_item_a_class_places_it_and_its_relatives_without_getting_loud() -> None:
    items, labels, _, features, membership = clouds(2, [30] * 12)
    first = torch.arange(len(labels)) % 30 == 0
    expert = fitted(items[first], labels[first], 12, features, membership)
    scores = expert(items[~first])["kind"]
    assert float(scores.abs().max()) < 1_000
    assert float((scores.argmax(1) == labels[~first]).float().mean()) > 0.4  # one in twelve by chance


def test_items_that_are_all_alike_do_not_break_it() -> None:
    items = torch.nn.functional.normalize(torch.ones(12, 6), dim=1)
    expert = fitted(items, torch.arange(12) % 3, 3, torch.eye(3, 6))
    assert torch.isfinite(expert(items)["kind"]).all()


def test_folds_of_classes_hold_out_some_and_leave_some() -> None:
    for number in range(4, 12):
        labels = torch.from_numpy(np.random.default_rng(number).integers(number, size=200))
        folds = class_folds(labels, number)
        held = torch.bincount(folds)
        assert len(held) >= 2
        assert (held >= 1).all()
        assert (number - held >= 2).all()
