"""A field guide of two dozen entries, built once: texts and pictures, a small model, predictions."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from kgfuse import Workspace
from kgfuse.workspace.demo import unpack_field_guide

ENTRIES = """
turkey peacock owl hen mallard swan sparrow fox wolf bat lion gorilla hedgehog frog beetle mosquito
sushi ramen pizza hamburger curry dumpling rice car bus taxi tram motorcycle tractor
"""


@pytest.fixture(scope="session")
def guide_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Articles, pictures and a manifest of the entries."""
    folder = tmp_path_factory.mktemp("guide") / "field-guide"
    wanted = set(ENTRIES.split())
    kept = []
    for manifest in unpack_field_guide(folder):
        kept += [line for line in manifest.read_text(encoding="utf-8").splitlines() if json.loads(line)["id"] in wanted]
        manifest.unlink()
    (folder / "manifest.jsonl").write_text("\n".join(kept) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def guide(guide_folder: Path) -> Iterator[Workspace]:
    """The workspace of these entries, with predictions."""
    with Workspace.create(guide_folder.parent / "guide.kg", ontologies=["field-guide"]) as ws:
        ws.add(guide_folder / "manifest.jsonl")
        ws.build()
        ws.train("fg:Thing", overrides=["epochs=15", "gnn.enabled=false", "image.finetune=false"], runs=0)
        ws.classify()
        yield ws
