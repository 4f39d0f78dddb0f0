"""A trained extractor works in a workspace like any other: statements with their words, gate, provenance."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from kgfuse import Workspace
from kgfuse.encode.device import one_thread
from kgfuse.errors import ModelError, UsageError
from kgfuse.extract.learned.artefact import RelationReader
from kgfuse.extract.learned.extractor import FOLDER, LearnedExtractor, windows_of
from kgfuse.extract.learned.tokens import tokenise
from kgfuse.extract.registry import build_all, load
from kgfuse.extract.settings import ExtractSettings
from kgfuse.ontology import Vocabulary, load_all
from kgfuse.terms.mentions import Mention, Source, Statement, TextSpan, Value
from kgfuse.terms.namespaces import source_iri
from tests.extract.learned.conftest import FILMS, F, sentences

TEXT = (
    "Silent Harbour is a 1971 drama directed by Lena Costa. Rosa Keller directed Paper Tower, which was shot in Riga."
)


@pytest.fixture
def pack(reader: RelationReader, tmp_path: Path) -> Path:
    """The films ontology as a pack, with the trained reader in it."""
    folder = tmp_path / "films"
    folder.mkdir()
    (folder / "ontology.ttl").write_bytes(FILMS.read_bytes())
    about = 'name = "films"\nversion = "1"\ndescription = "films"\nlicence = "CC0-1.0"\n'
    (folder / "pack.toml").write_text(about + f'[prefixes]\nf = "{F}"\n', encoding="utf-8")
    reader.save(folder / FOLDER)
    return folder


def source(text: str) -> Source:
    return Source(source_iri("a.txt"), "a.txt", "text", "text/plain", "0" * 64, text=text)


def spoken(statement: Statement) -> tuple[str, str, str]:
    assert isinstance(statement.subject, Mention)
    o = statement.object
    said = o.lexical if isinstance(o, Value) else o.label if isinstance(o, Mention) else o
    return statement.subject.label, statement.predicate.removeprefix(F), said


def test_statements_hold_the_properties_of_the_pack(pack: Path) -> None:
    vocabulary = Vocabulary(load_all([str(pack)]))
    found = list(LearnedExtractor(vocabulary, pack / FOLDER, device="cpu").extract(source(TEXT)))
    statements = [f for f in found if isinstance(f, Statement)]
    said = {spoken(s) for s in statements}
    assert ("Silent Harbour", "director", "Lena Costa") in said
    assert ("Paper Tower", "location", "Riga") in said
    for statement in statements:
        for mention in statement.evidence:
            assert isinstance(mention.selector, TextSpan)
            assert TEXT[mention.selector.start : mention.selector.end] == mention.selector.exact
        assert 0 <= statement.confidence <= 1


def test_a_text_says_the_same_in_every_batch(pack: Path) -> None:
    rng = random.Random(3)
    said = [s.text for s in sentences(40, 7)]
    texts = ["", "Yes.", TEXT, *(" ".join(rng.choices(said, k=rng.choice((1, 1, 2, 7)))) for _ in range(20))]
    sources = [replace(source(text), iri=source_iri(f"{n}.txt")) for n, text in enumerate(texts)]
    # whatever is found counts here, sure or not
    extractor = LearnedExtractor(Vocabulary(load_all([str(pack)])), pack / FOLDER, threshold=0.0, device="cpu")
    with one_thread():
        alone = {s.iri: list(extractor.extract(s)) for s in sources}
        assert sum(map(len, alone.values())) > 200
        for size in (2, 5, len(sources)):
            rng.shuffle(sources)
            for at in range(0, len(sources), size):
                batch = sources[at : at + size]
                for one, found in zip(batch, extractor.extract_batch(batch), strict=True):
                    assert found == alone[one.iri]


def test_a_workspace_uses_the_extractor_that_its_pack_brings(pack: Path, tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text(TEXT, encoding="utf-8")
    with Workspace.create(tmp_path / "w.kg", [str(pack)]) as ws:
        ws.add(file)
        ws.build()
        assert ws.query("ASK { GRAPH kgf:provenance { ?s kgf:extractor 'relations' } }").answer
        assert ws.query("ASK { ?film <http://example.org/films#director> ?x . ?x rdfs:label 'Lena Costa' }").answer
        assert not ws.check().findings


def test_without_a_trained_extractor_there_is_none(tmp_path: Path) -> None:
    vocabulary = Vocabulary(load_all([str(FILMS)]))
    settings = ExtractSettings()
    assert "relations" not in {e.name for e in build_all(vocabulary, settings)}
    with pytest.raises(UsageError, match="nothing to work with"):
        load("relations", vocabulary, settings)
    missing = ExtractSettings.model_validate({"relations": {"model": str(tmp_path / "nowhere")}})
    with pytest.raises(ModelError, match="no trained extractor"):
        load("relations", vocabulary, missing)


@pytest.mark.parametrize(
    "text", ["", "One. Two. Three.", "A\n\nB. C", "é" * 900 + ". " + "word " * 300, "“Hi,” he said.\r\nBye."]
)
def test_windows_are_parts_of_the_text_in_order(text: str, reader: RelationReader) -> None:
    end = 0
    for offset, window in windows_of(text, reader.tokenizer):
        assert offset >= end
        assert len(window) == len(text[offset : offset + len(window)])
        end = offset + len(window)
    assert end <= len(text)


@pytest.mark.parametrize("text", ["word " * 2000, "x" * 5000, "河を渡る" * 500, "كتاب " * 600, "A. " * 900])
def test_nothing_of_a_text_without_sentence_ends_is_left_out(text: str, reader: RelationReader) -> None:
    windows = [window for _, window in windows_of(text, reader.tokenizer)]
    assert "".join("".join(windows).split()) == "".join(text.split())
    for window, tokens in zip(windows, tokenise(reader.tokenizer, windows), strict=True):
        assert not tokens.end or window[tokens.end[-1] :].strip() == ""
