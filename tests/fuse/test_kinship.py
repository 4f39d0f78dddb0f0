"""Classes fall into groups under their superclasses; what shares none stays apart."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kgfuse.fuse.data import ClassNodes, plain_classes
from kgfuse.fuse.kinship import distances, kinship, nearness


def under(parents: dict[str, set[str]], answers: list[str]) -> ClassNodes:
    """Answers with all that lies above them, from the direct superclasses of every class."""

    def above(name: str) -> set[str]:
        return {a for p in parents.get(name, ()) for a in (p, *above(p))}

    over = [above(a) for a in answers]
    ancestors = tuple(sorted(set().union(*over)))
    membership = np.array([[a in own for a in ancestors] for own in over], np.bool_).reshape(len(answers), -1)
    plain = plain_classes(answers)
    return ClassNodes(**{f: getattr(plain, f) for f in ("iris", "labels", "text", "text_mask", "image", "image_mask")},
                      node=plain.node, ancestors=ancestors, membership=membership)  # fmt: skip


@st.composite
def hierarchies(draw: st.DrawFn, parents: int = 2) -> ClassNodes:
    """Classes ``c0 … cn``, each under at most ``parents`` of those before it; some of them are answers."""
    count = draw(st.integers(2, 14))
    above = {}
    for n in range(count):
        known = st.sampled_from([f"c{m}" for m in range(n)]) if n else st.nothing()
        above[f"c{n}"] = draw(st.sets(known, max_size=min(parents, n))) if n else set()
    answers = draw(st.sets(st.sampled_from(sorted(above)), min_size=2))
    return under(above, sorted(answers))


def closure(classes: ClassNodes) -> list[set[str]]:
    """Each class with its superclasses, without those that all share."""
    own = [
        {iri, *(a for a, there in zip(classes.ancestors, row, strict=True) if there)}
        for iri, row in zip(classes.iris, classes.membership, strict=True)
    ]
    return [names - set.intersection(*own) for names in own]


@given(hierarchies())
def test_groups_part_the_classes_and_kin_share_a_superclass(classes: ClassNodes) -> None:
    found, own = kinship(classes), closure(classes)
    assert sorted(found.order) == list(range(len(classes.iris)))
    for a, names in enumerate(own):
        for b, others in enumerate(own):
            assert found.related[a, b] == (a == b or bool(names & others))
    for group in found.groups:
        assert (len(group.members) > 1) == bool(group.name)
        assert all(group.name in own[c] for c in group.members if group.name)


@given(hierarchies(parents=1))
def test_in_a_tree_kin_are_those_of_one_group(classes: ClassNodes) -> None:
    found = kinship(classes)
    group = {c: n for n, g in enumerate(found.groups) for c in g.members}
    for a in group:
        for b in group:
            assert found.related[a, b] == (group[a] == group[b])


@given(hierarchies(), st.randoms(use_true_random=False))
def test_the_order_of_the_classes_does_not_matter(classes: ClassNodes, chance: object) -> None:
    order = list(range(len(classes.iris)))
    chance.shuffle(order)  # type: ignore[attr-defined]
    iris = tuple(classes.iris[n] for n in order)
    plain = plain_classes(iris)
    other = ClassNodes(iris, iris, plain.text, plain.text_mask, plain.image, plain.image_mask, plain.node,
                       classes.ancestors, classes.membership[order])  # fmt: skip

    def named(kin: ClassNodes) -> list[tuple[str, list[str]]]:
        return [(g.name, [kin.iris[c] for c in g.members]) for g in kinship(kin).groups]

    assert named(other) == named(classes)


def test_a_superclass_of_all_tells_nothing_apart() -> None:
    parents = {"owl": {"bird"}, "wren": {"bird"}, "pike": {"fish"}, "saw": {"tool"}, "bird": {"animal"},
               "fish": {"animal"}, "animal": {"thing"}, "tool": {"thing"}}  # fmt: skip
    classes = under(parents, ["owl", "pike", "saw", "wren"])
    found = kinship(classes)
    assert [(g.name, [classes.iris[c] for c in g.members]) for g in found.groups] == [
        ("animal", ["owl", "wren", "pike"]),
        ("", ["saw"]),
    ]
    animals = kinship(under(parents, ["owl", "pike", "wren"]))
    assert [(g.name, len(g.members)) for g in animals.groups] == [("bird", 2), ("", 1)]


def test_of_superclasses_with_the_same_classes_the_deepest_names_them() -> None:
    parents = {"owl": {"bird"}, "wren": {"bird"}, "bird": {"animal"}, "saw": set()}
    classes = under(parents, ["owl", "saw", "wren"])
    assert kinship(classes, {"animal": 0, "bird": 1}).groups[0].name == "bird"
    assert kinship(classes, {"animal": 2, "bird": 1}).groups[0].name == "animal"


@given(hierarchies())
def test_distance_counts_the_superclasses_that_only_one_of_two_has(classes: ClassNodes) -> None:
    own, far = closure(classes), distances(classes)
    assert [[len(a ^ b) for b in own] for a in own] == far.tolist()
    near = nearness(classes, np.ones(len(own), np.bool_))
    assert np.allclose(near.sum(axis=1), 1)
    for row, distance in zip(near, far, strict=True):
        others = np.flatnonzero(distance)
        assert (np.diff(row[others][np.argsort(distance[others], kind="stable")]) <= 1e-7).all(), "the nearer the more"


def test_in_a_tree_distance_is_the_way_from_class_to_class() -> None:
    tree = under({"cat": {"mammal"}, "dog": {"mammal"}, "wren": {"bird"}, "mammal": {"animal"}, "bird": {"animal"},
                  "animal": {"thing"}, "oak": {"thing"}}, ["cat", "dog", "wren", "oak"])  # fmt: skip
    assert distances(tree).tolist() == [[0, 2, 4, 4], [2, 0, 4, 4], [4, 4, 0, 4], [4, 4, 4, 0]]
    known = np.array([True, True, True, False])
    assert np.allclose(nearness(tree, known)[0], [0, 0.8, 0.2, 0])
