"""How the workspace splits items: class by class, or group by group where these have groups."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgfuse.catalog import ItemRow
from kgfuse.errors import TrainingError
from kgfuse.fuse.data import Split
from kgfuse.workspace.dataset import Sample, make_split

classes = st.lists(st.sampled_from(["a", "b", "c", None]), min_size=8, max_size=60)


def samples(groups: list[str | None], split: str | None = None) -> list[Sample]:
    rows = [
        ItemRow(f"i:{n}", str(n), "", split=split, meta={} if group is None else {"group": group})
        for n, group in enumerate(groups)
    ]
    return [Sample(row, (), ()) for row in rows]


def sides(split: Split) -> list[list[int]]:
    return [part.tolist() for part in (split.train, split.validation, split.test)]


@given(classes, st.one_of(st.none(), st.integers(0, 5)))
def test_groups_of_one_item_are_split_like_items(strata: list[str | None], seed: int | None) -> None:
    if not any(strata):
        return
    alone, plain = ([f"g{n}" for n in range(len(strata))], [None] * len(strata))
    assert sides(make_split(samples(alone), strata, seed)) == sides(make_split(samples(plain), strata, seed))


@given(classes, st.integers(2, 8), st.one_of(st.none(), st.integers(0, 5)))
def test_no_group_is_on_two_sides(strata: list[str | None], number: int, seed: int | None) -> None:
    groups = [None if n % 7 == 6 else f"g{n % number}" for n in range(len(strata))]
    try:
        found = sides(make_split(samples(groups), strata, seed))
    except TrainingError as error:
        assert "of one group" in error.what or "no labelled" in error.what  # noqa: PT017
        return
    assert sorted(row for part in found for row in part) == [n for n, c in enumerate(strata) if c is not None]
    named = [{groups[row] for row in part} - {None} for part in found]
    assert sum(map(len, named)) == len(set().union(*named))


def test_sizes_and_classes_are_kept_as_nearly_as_groups_let_them() -> None:
    strata = ["a", "b"] * 100
    groups: list[str | None] = [f"g{n // 4}" for n in range(200)]
    found = sides(make_split(samples(groups), strata, 0))
    assert [len(part) for part in found] == pytest.approx([140, 20, 40], abs=8)
    assert all(abs(sum(row % 2 for row in part) / len(part) - 0.5) < 0.01 for part in found)


def test_a_validation_part_is_held_out_group_by_group_where_the_manifest_has_none() -> None:
    groups: list[str | None] = [f"g{n // 5}" for n in range(60)]
    train, validation, test = sides(make_split(samples(groups, "train"), ["a", "b"] * 30))
    assert not test
    assert validation
    assert not {groups[row] for row in train} & {groups[row] for row in validation}


def test_one_group_alone_cannot_be_split() -> None:
    with pytest.raises(TrainingError, match="all 8 items that could be dealt out are of one group"):
        make_split(samples(["Ada"] * 8), ["a", "b"] * 4, 0)
