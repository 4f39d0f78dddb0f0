"""The confusion matrix: every item in one place, an answer within the superclass told apart from one outside."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgfuse.fuse.data import ClassNodes
from kgfuse.fuse.kinship import kinship
from kgfuse.workspace.report.confusion import MOST_PAIRS, Confusion, confusion
from tests.fuse.test_kinship import closure, hierarchies, under


def of(classes: ClassNodes, true: list[int], best: list[int], most: int) -> Confusion:
    return confusion(
        np.array(true, np.int64),
        np.array(best, np.int64),
        kinship(classes),
        classes.labels,
        tuple(f"item {n}" for n in range(len(true))),
        {name: name for name in (*classes.ancestors, *classes.iris)},
        most,
    )


@given(hierarchies(), st.data(), st.integers(1, 8))
def test_every_item_is_counted_once_and_kin_is_told_from_the_rest(
    classes: ClassNodes, data: st.DataObject, most: int
) -> None:
    one = st.integers(0, len(classes.iris) - 1)
    pairs = data.draw(st.lists(st.tuples(one, one), max_size=40))
    true, best = [a for a, _ in pairs], [b for _, b in pairs]
    found, above = of(classes, true, best, most), closure(classes)
    kin = [a != b and bool(above[a] & above[b]) for a, b in pairs]
    assert found.right == sum(a == b for a, b in pairs)
    assert found.near == sum(kin)
    assert found.far == len(pairs) - found.right - found.near
    met = {*true, *best}
    assert found.shown == min(len(met), most) == len(found.columns)
    assert found.left_out == len(met) - found.shown
    assert found.idle == len(classes.iris) - len(met)
    lines = [line for block in found.blocks for line in block.lines] + ([found.rest] if found.rest else [])
    assert [line.label for line in lines[: found.shown]] == [label for label, _ in found.columns]
    assert sum(line.support for line in lines) == len(pairs)
    column = {label: n for n, (label, _) in enumerate(found.columns)}
    for line in lines:
        assert sum(cell.count for cell in line.cells) == line.support
    for line in lines[: found.shown]:
        a = classes.labels.index(line.label)
        for label, n in column.items():
            b = classes.labels.index(label)
            expected = "hit" if a == b else "near" if above[a] & above[b] else "far"
            assert (line.cells[n].count, line.cells[n].kind) == (pairs.count((a, b)), expected)
    if found.families:
        assert sum(f.support for f in found.families) == len(pairs)
        assert sum(f.right for f in found.families) == found.right
        assert sum(f.near for f in found.families) == found.near
        assert sum(f.far for f in found.families) == found.far
    assert len(found.pairs) == min(MOST_PAIRS, len({p for p in pairs if p[0] != p[1]}))
    for pair in found.pairs:
        a, b = classes.labels.index(pair.true), classes.labels.index(pair.given)
        assert pair.count == pairs.count((a, b)) == len(pair.items) + pair.more
        assert bool(pair.shared) == bool(above[a] & above[b])
        assert not pair.shared or pair.shared in above[a] & above[b]


@pytest.mark.parametrize("most", [2, 24])
def test_the_most_confused_classes_are_shown(most: int) -> None:
    classes = under(
        {"owl": {"bird"}, "wren": {"bird"}, "saw": {"tool"}, "axe": {"tool"}}, ["axe", "owl", "saw", "wren"]
    )
    found = of(classes, [0, 0, 1, 1, 1, 2, 3], [0, 0, 1, 3, 3, 2, 1], most)
    assert [block.name for block in found.blocks] == (["bird"] if most == 2 else ["bird", "tool"])
    assert [label for label, _ in found.columns][:2] == ["owl", "wren"]
    assert (found.right, found.near, found.far) == (4, 3, 0)
    if most == 2:
        assert found.left_out == 2
        assert found.rest is not None
        assert [cell.count for cell in found.rest.cells] == [0, 0, 3]
    else:
        assert found.rest is None
