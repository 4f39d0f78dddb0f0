"""An intake into an empty catalog, by the vocabulary of the field guide."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kgfuse.catalog import Blobs, Catalog
from kgfuse.ontology import Vocabulary, load_all
from kgfuse.workspace.intake import Intake


@pytest.fixture(scope="session")
def vocabulary() -> Vocabulary:
    return Vocabulary(load_all(["field-guide"]))


@pytest.fixture
def intake(tmp_path: Path, vocabulary: Vocabulary) -> Iterator[Intake]:
    (tmp_path / "ws").mkdir()
    catalog = Catalog(tmp_path / "ws")
    yield Intake(catalog, Blobs(tmp_path / "ws" / "blobs"), vocabulary)
    catalog.close()
