"""Answers for any number of files, as they come: in batches, with what fails told and the rest going on."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest

from kgfuse import Workspace
from kgfuse.errors import PROBLEM, UsageError
from tests.workspace.samples import manifest, shape, workspace

SETTINGS = {
    "extract": {"extractors": ["text", "image"], "image": {"ocr": "off", "tags": False}},
    "validate_shapes": False,
}
QUICK = ("epochs=2", "gnn.enabled=false", "kernel.enabled=false", "width=16", "hidden=16", "device=cpu")
BIRDS, TOOLS = ("owl", "wren", "gull", "hen"), ("saw", "axe", "adze", "drill")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    root = tmp_path_factory.mktemp("streamed")
    rows = []
    for names, kind, colour, told in ((BIRDS, "Bird", "blue", "It eats mice."), (TOOLS, "Tool", "grey", "It cuts.")):
        for n, name in enumerate(names):
            shape(root / "data" / f"{name}.png", colour, shift=n, size=48)
            row = {"id": name, "type": "fg:Thing", "text": f"The {name} is old. {told}", "images": [f"{name}.png"]}
            split = "test" if n == 3 else "validation" if n == 2 else "train"
            rows.append(row | {"split": split, "label": {"rdf:type": f"fg:{kind}"}})
    with workspace(root / "ws", manifest(root / "data", rows), settings=SETTINGS) as ws:
        ws.train("fg:Thing", overrides=QUICK, runs=0, name="kinds")
        yield ws


def filled(folder: Path) -> Path:
    """Texts and pictures, some of one item, some of one name in two folders, and files that cannot be read."""
    for n in range(5):
        shape(folder / f"thing{n}.png", "blue" if n % 2 else "grey", shift=n, size=48)
    (folder / "thing0.txt").write_text("It is a thing that eats mice.", encoding="utf-8")
    for name in ("left", "right"):
        (folder / name).mkdir()
        (folder / name / "same.txt").write_text(f"On the {name} it eats mice and has feathers.", encoding="utf-8")
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    (folder / "empty.txt").write_bytes(b"")
    return folder


def test_a_stream_answers_as_all_at_once_does_and_tells_what_fails(trained: Workspace, tmp_path: Path) -> None:
    folder = filled(tmp_path / "new")
    told: list[str] = []

    def on_event(stage: str, done: int, total: int, note: str) -> None:
        told.extend([note] if stage == PROBLEM else [])

    streamed = list(trained.classify_stream([folder, "owl", tmp_path / "gone.txt"], batch=3, on_event=on_event))
    assert len(told) == 3
    for name in ("broken.png", "empty.txt", "gone.txt"):
        assert [line for line in told if name in line], name
    (folder / "broken.png").unlink()
    at_once = trained.classify([folder, "owl"])
    assert {a.name for a in streamed} == {a.name for a in at_once}
    assert len(streamed) == len(at_once) == 8
    assert {"input/left/same", "input/right/same", "owl", "input/thing0"} <= {a.name for a in streamed}
    known = {a.name: a for a in at_once}
    for answer in streamed:
        assert answer.label == known[answer.name].label
        assert answer.probability == pytest.approx(known[answer.name].probability, abs=0.02)
        assert answer.explain().name
    pair = next(a for a in streamed if a.name == "input/thing0")
    assert sorted(Path(f).name for f in pair.files) == ["thing0.png", "thing0.txt"], (
        "one item, also across a batch's end"
    )


def test_files_are_read_as_they_are_needed_and_let_go_again(trained: Workspace, tmp_path: Path) -> None:
    paths = []
    for n in range(12):
        paths.append(tmp_path / f"t{n:02d}.txt")
        paths[-1].write_text(f"Number {n} eats mice.", encoding="utf-8")
    taken: list[Path] = []

    def inputs() -> Iterator[Path]:
        for path in paths:
            taken.append(path)
            yield path

    held: list[weakref.ref[object]] = []
    for n, answer in enumerate(trained.classify_stream(inputs(), batch=4)):
        assert len(taken) <= 4 * (n // 4 + 1) + 1
        held.append(weakref.ref(answer._context.dataset.data.text))
        assert answer.name == f"input/t{n:02d}"
        del answer
        gc.collect()
        assert len({id(there) for ref in held if (there := ref()) is not None}) <= 2, "no batch outlives the next"
    assert len(held) == 12


def test_files_of_one_name_in_several_folders_are_several_items(trained: Workspace, tmp_path: Path) -> None:
    paths = []
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        paths.append(tmp_path / name / "same.txt")
        paths[-1].write_text(f"{name} eats mice.", encoding="utf-8")
    assert [a.files for a in trained.classify_stream(paths)] == [(str(path),) for path in paths]


def test_what_is_asked_wrongly_is_told_before_anything_is_read(trained: Workspace) -> None:
    for wrong in ({"top": 0}, {"batch": 0}, {"model": "nix"}, {"target": "fg:eats"}):
        with pytest.raises(UsageError):
            trained.classify_stream(iter(()), **wrong)  # type: ignore[arg-type]
    assert list(trained.classify_stream(iter(()))) == []
