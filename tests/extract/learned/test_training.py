"""A reader that is trained on annotated sentences finds the same relations between names that it never saw."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kgfuse.encode.reader import ReaderConfig
from kgfuse.errors import ModelError, UsageError
from kgfuse.extract.learned.artefact import RECORD, RelationReader
from kgfuse.extract.learned.corpus import Annotated
from kgfuse.extract.learned.fitting import fit
from kgfuse.extract.learned.schema import Schema
from kgfuse.extract.learned.training import TrainSettings
from tests.extract.learned.conftest import SCHEMA, sentences


def test_new_sentences_are_read(reader: RelationReader) -> None:
    new = sentences(40, 99)
    found = reader.read([e.text for e in new], SCHEMA)
    said = {(n, f.subject_label, f.relation.key, f.object_label) for n, row in enumerate(found) for f in row}
    gold = {(n, t.subject, t.relation, t.object) for n, e in enumerate(new) for t in e.triples}
    hits = len(said & gold)
    assert hits / len(gold) > 0.5
    assert hits / max(len(said), 1) > 0.5


def test_every_span_holds_words_of_the_text(reader: RelationReader) -> None:
    texts = [e.text for e in sentences(20, 5)] + [
        "",
        "   ",
        "😀 Red River — Ana Abel",
        "ab́c " * 300,
        "Red \ud800 River",
        "紅い河" * 90,
        "\u202e" * 9,
    ]
    for text, row in zip(texts, reader.read(texts, SCHEMA, least=0.0), strict=True):
        for found in row:
            for start, end in (found.subject, found.object):
                assert 0 <= start < end <= len(text)
                assert text[start:end].strip()


def test_the_batch_hardly_moves_a_probability(reader: RelationReader) -> None:
    texts = [e.text for e in sentences(12, 7)]
    together = reader.read(texts, SCHEMA, least=0.0)
    for text, row in zip(texts, together, strict=True):
        (alone,) = reader.read([text], SCHEMA, least=0.0)
        known = {(f.relation.key, f.subject, f.object): f.probability for f in alone}
        for found in row:
            key = (found.relation.key, found.subject, found.object)
            if found.probability > 0.05:
                assert known[key] == pytest.approx(found.probability, abs=1e-4)


def test_a_saved_extractor_reads_the_same(reader: RelationReader, tmp_path: Path) -> None:
    version = reader.save(tmp_path)
    again = RelationReader.load(tmp_path, "cpu")
    texts = [e.text for e in sentences(10, 11)]
    assert again.read(texts, SCHEMA) == reader.read(texts, SCHEMA)
    assert again.save(tmp_path / "copy") == version
    assert again.learned[SCHEMA.name].scores == reader.learned[SCHEMA.name].scores


def test_altered_weights_are_refused(reader: RelationReader, tmp_path: Path) -> None:
    reader.save(tmp_path)
    (file,) = tmp_path.glob("reader-*.safetensors")
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(bytes(data))
    with pytest.raises(ModelError, match="not those of the record"):
        RelationReader.load(tmp_path)
    record = json.loads((tmp_path / RECORD).read_text(encoding="utf-8"))
    (tmp_path / RECORD).write_text(json.dumps(record | {"format": 99}), encoding="utf-8")
    with pytest.raises(ModelError, match="format 99"):
        RelationReader.load(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"weights": "../../etc/passwd"},
        {"weights": "0" * 64},
        {"reader": {"hidden": 10**9}},
        {"reader": {"layers": 3}},
        {"learned": {"style:": {}}},
        {"learned": None},
        {"schemas": [{"name": "x"}]},
        {"encoder": "no/such-model"},
    ],
)
def test_a_broken_record_is_refused_with_a_remedy(
    reader: RelationReader, tmp_path: Path, change: dict[str, object]
) -> None:
    reader.save(tmp_path)
    record = json.loads((tmp_path / RECORD).read_text(encoding="utf-8"))
    (tmp_path / RECORD).write_text(json.dumps(record | change), encoding="utf-8")
    with pytest.raises(ModelError):
        RelationReader.load(tmp_path, "cpu")


@pytest.mark.parametrize(
    ("part", "value"),
    [("missing", "many"), ("missing", float("nan")), ("threshold", 7), ("bias", float("inf")), ("verifier", {})],
)
def test_learned_numbers_that_are_none_are_refused(
    reader: RelationReader, tmp_path: Path, part: str, value: object
) -> None:
    reader.save(tmp_path)
    record = json.loads((tmp_path / RECORD).read_text(encoding="utf-8"))
    for one in record["learned"].values():
        one[part] = value
    (tmp_path / RECORD).write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(ModelError, match="cannot be read"):
        RelationReader.load(tmp_path, "cpu")


def test_a_verifier_of_another_size_is_refused(reader: RelationReader, tmp_path: Path) -> None:
    reader.save(tmp_path)
    record = json.loads((tmp_path / RECORD).read_text(encoding="utf-8"))
    for one in record["learned"].values():
        del one["verifier"]["weights"][20:]
    (tmp_path / RECORD).write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(ModelError, match="products"):
        RelationReader.load(tmp_path, "cpu")


@pytest.mark.parametrize("content", ["", "{", "[]", '"x"', "\x00"])
def test_a_record_that_is_none_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / RECORD).write_text(content, encoding="utf-8")
    with pytest.raises(ModelError):
        RelationReader.load(tmp_path, "cpu")


def test_a_save_that_dies_half_way_leaves_the_former_extractor(
    reader: RelationReader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader.save(tmp_path)
    before = RelationReader.load(tmp_path, "cpu").read(["Red River was filmed in Oslo."], SCHEMA)
    settings = TrainSettings(epochs=3, copies=0, dev=0.3, seed=4)
    other = fit([Annotated(SCHEMA, sentences(40, 4))], settings, ReaderConfig(split=6, hidden=32), device="cpu")

    def killed(*_: object, **__: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("kgfuse.extract.learned.artefact.json.dumps", killed)
    with pytest.raises(KeyboardInterrupt):
        other.save(tmp_path)
    monkeypatch.undo()
    assert RelationReader.load(tmp_path, "cpu").read(["Red River was filmed in Oslo."], SCHEMA) == before
    other.save(tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


def test_training_repeats_with_the_seed() -> None:
    settings = TrainSettings(epochs=3, copies=0, dev=0.3, seed=3)
    config = ReaderConfig(split=5, hidden=32, spans=2)
    texts = [e.text for e in sentences(6, 2)]
    one, two = (
        fit([Annotated(SCHEMA, sentences(30, 3))], settings, config, device="cpu").read(texts, SCHEMA, least=0.0)
        for _ in range(2)
    )
    assert one == two


def test_ontologies_that_are_kept_out_share_one_verifier_whatever_their_style() -> None:
    renamed = [Schema(name, SCHEMA.relations) for name in ("a", "b", "c", "d")]
    annotated = [Annotated(s, sentences(24, n), "one" if n < 2 else "two") for n, s in enumerate(renamed)]
    settings = TrainSettings(epochs=3, copies=0, unseen=True)
    learned = fit(annotated, settings, ReaderConfig(split=5, hidden=32), device="cpu").learned
    one, two = learned["style:one"], learned["style:two"]
    assert (one.verifier, one.threshold, one.missing) == (two.verifier, two.threshold, two.missing)
    assert one.scores["sentences"] == 48
    assert one.habits != two.habits


def test_too_few_examples_are_said_to_be_too_few() -> None:
    with pytest.raises(UsageError, match="too few"):
        fit([Annotated(SCHEMA, sentences(3, 1))], TrainSettings(epochs=1), device="cpu")
