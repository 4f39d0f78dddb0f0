"""Texts read by worker processes, without a workspace: the documents of one process, in order."""

from __future__ import annotations

from pathlib import Path

import pytest

from kgfuse.extract import documents
from kgfuse.extract.documents import Reader, ontology_of, text_source
from kgfuse.extract.settings import ExtractSettings
from kgfuse.workspace.reading import read

SAID = ("The barn owl is a bird. It eats mice.", "", "The saw is made of steel.", "Foxes do not eat grass.")
# a plug-in as a package of its own brings it; no other test has a module of this name
PLUGIN = """
import os, signal

class Lethal:
    name = "lethal"
    kinds = frozenset({"text"})
    fingerprint = "1"

    def extract(self, source):
        if "kill" in source.text:
            os.kill(os.getpid(), signal.SIGKILL)
        return ()

def build(vocabulary, settings):
    return Lethal()
"""


@pytest.fixture
def lethal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install the plug-in where workers find it too: they start with this process's path."""
    record = tmp_path / "lethal-1.dist-info"
    record.mkdir()
    (tmp_path / "lethal.py").write_text(PLUGIN)
    (record / "METADATA").write_text("Metadata-Version: 2.1\nName: lethal\nVersion: 1\n")
    (record / "entry_points.txt").write_text("[kgfuse.extractors]\nlethal = lethal:build\n")
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.usefixtures("lethal")
def test_workers_give_the_documents_of_one_process_and_tell_of_the_text_that_ends_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(documents, "_BATCH", 2)
    settings = ExtractSettings.model_validate({"extractors": ["text", "lethal"]})
    reader = Reader(ontology_of("field-guide"), settings)
    texts = [text_source(f"{n}.txt", text) for n, text in enumerate(SAID * 2)]
    straight = list(read(reader, ["field-guide"], texts, 1))
    assert sum(len(d.statements) for d in straight) == 8
    one_kills = [*texts[:3], text_source("killer.txt", "It kills."), *texts[3:]]
    found = list(read(reader, ["field-guide"], iter(one_kills), 2))
    killer = found.pop(3)
    assert found == straight
    assert (killer.name, killer.statements) == ("killer.txt", ())
    assert "was ended by SIGKILL" in killer.problem
