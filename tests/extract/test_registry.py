"""Extractors are found by entry point; the built-in ones like any other."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from kgfuse.errors import PackError, UsageError, WorkspaceError
from kgfuse.extract import registry
from kgfuse.extract.protocol import Extractor
from kgfuse.extract.serialise import loads
from kgfuse.extract.settings import ExtractSettings
from kgfuse.extract.text import TextExtractor
from kgfuse.ontology.vocabulary import Vocabulary


def test_built_in_extractors_are_registered() -> None:
    assert {"text", "image"} <= set(registry.available())


def test_an_extractor_is_loaded_by_name(zoo: Vocabulary) -> None:
    settings = ExtractSettings(extractors=("text",))
    (loaded,) = registry.build_all(zoo, settings, encoder=None)
    assert isinstance(loaded, Extractor)
    assert isinstance(loaded, TextExtractor)


def test_an_unknown_name_lists_the_known_ones(zoo: Vocabulary) -> None:
    with pytest.raises(UsageError, match="image, relations, table, text"):
        registry.load("txet", zoo, ExtractSettings())


def test_two_packages_with_one_name_are_both_named(zoo: Vocabulary, monkeypatch: pytest.MonkeyPatch) -> None:
    stranger = EntryPoint("text", "elsewhere:build", registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [stranger])
    with pytest.raises(PackError, match="elsewhere:build"):
        registry.load("text", zoo, ExtractSettings())


def test_one_that_does_not_import_says_which(zoo: Vocabulary, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = EntryPoint("broken", "no_such_module_here:build", registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [broken])
    assert "broken" in registry.available()
    with pytest.raises(PackError, match="no_such_module_here"):
        registry.load("broken", zoo, ExtractSettings())


def test_a_damaged_extraction_is_reported() -> None:
    with pytest.raises(WorkspaceError, match="cannot be read"):
        loads(b"damaged")
