"""From recordings to a graph whose every mention says its seconds; what cannot be heard is told."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from kgfuse import Workspace
from kgfuse.encode.weights import WHISPER_TINY_EN, packaged_file
from kgfuse.explain.chain import Explanation, Place
from kgfuse.sources import sound_kinds
from kgfuse.terms.mentions import TextSpan
from kgfuse.terms.namespaces import source_iri
from kgfuse.workspace.report import write_explanations, write_statements
from kgfuse.workspace.whereabouts import place_of
from tests.cli.conftest import answer, run
from tests.sources.sounds import INSPECTION, SAID, samples_of, tone, write
from tests.workspace.samples import TEXT_ONLY, graph_hash, resting_on, workspace

PACK = INSPECTION.parent
BR = "https://example.org/bridges#"
WIDE = {"COLUMNS": "200"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One inspection in four formats, silence, a piece of one, and a text."""
    folder = tmp_path_factory.mktemp("recordings") / "talks"
    folder.mkdir()
    samples = samples_of(INSPECTION, folder.parent)
    for form in ("wav", "flac", "mp3"):
        write(folder / f"{form}.{form}", samples)
    shutil.copy(INSPECTION, folder / "ogg.dat")
    write(folder / "silent.flac", tone(3, 0))
    (folder / "broken.mp3").write_bytes((folder / "flac.flac").read_bytes()[:500])
    (folder / "notes.txt").write_text("The Mill Bridge shows cracks.", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def ws(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with workspace(tmp_path_factory.mktemp("ws") / "ws", folder, ontology=PACK) as ws:
        yield ws


def text_of(ws: Workspace, name: str) -> str:
    row = ws._parts.catalog.source(name)
    assert row is not None
    return ws._parts.blobs.read_text(str(row.text_sha256))


def test_recordings_become_transcripts_whose_words_have_their_seconds(ws: Workspace) -> None:
    names = ("talks/flac.flac", "talks/mp3.mp3", "talks/ogg.dat", "talks/wav.wav")
    assert {r.name for r in ws.sources() if r.kind == "audio"} == {*names, "talks/silent.flac"}
    for name in names:
        assert text_of(ws, name) == SAID
        said = {
            (ws.graph.short(s.predicate), ws.graph.short(str(s.object)), m.selector.exact): (s, m)
            for s in ws.graph.statements(subject=f"{BR}tower-bridge")
            for m in s.mentions
            if m.file_name == name and isinstance(m.selector, TextSpan)
        }
        stated, mention = said["br:shows", "br:rust", "rust"]
        assert isinstance(mention.selector, TextSpan)
        assert SAID[mention.selector.start : mention.selector.end] == "rust"
        assert mention.where is not None
        assert mention.where.time is not None
        start, end = mention.where.time
        assert 11.3 < start < end < 12.7
        assert 0.3 < stated.confidence < 0.9
        assert "heard with probability" in stated.reason
    assert ws.check().findings == ()


def test_the_graph_has_characters_and_seconds_and_how_they_were_come_by(ws: Workspace) -> None:
    (row,) = ws.query(
        """SELECT ?exact ?time ?how ?seconds WHERE {
          GRAPH kgf:provenance {
            ?s rdf:subject br:tower-bridge ; rdf:predicate br:shows ; prov:wasDerivedFrom ?m .
            ?m oa:hasSource ?source ; oa:hasSelector ?quote , ?fragment .
            ?quote oa:exact ?exact .
            ?fragment a oa:FragmentSelector ; dcterms:conformsTo <http://www.w3.org/TR/media-frags/> ; rdf:value ?time .
            ?source kgf:fileName "talks/ogg.dat" ; kgf:transcription ?how .
          }
          ?source ma:duration ?seconds .
          FILTER(?exact = "rust")
        }"""
    )
    assert re.fullmatch(r"t=11\.\d+,12\.\d+", str(row["time"]))
    how = json.loads(str(row["how"]))
    assert (how["model"], how["decoding"]["temperature"], how["model_sha256"][:8]) == ("tiny.en", 0.0, "1a5afae0")
    assert float(str(row["seconds"])) == pytest.approx(12.61, abs=0.05)


def test_silence_and_what_is_none_are_told_and_the_rest_goes_on(ws: Workspace) -> None:
    problems = {p.place: p for p in ws.problems()}
    assert set(problems) == {"talks/silent.flac", "talks/broken.mp3"}
    assert "no speech" in problems["talks/silent.flac"].message
    assert "begins like FLAC, but is none or is damaged" in problems["talks/broken.mp3"].message
    assert text_of(ws, "talks/silent.flac") == ""
    assert [s.source for s in ws.graph.statements(subject=f"{BR}mill-bridge", predicate=f"{BR}shows")] == [
        source_iri("talks/notes.txt")
    ]


def test_adding_again_changes_nothing_and_order_and_workers_give_the_same_graph(
    ws: Workspace, folder: Path, tmp_path: Path
) -> None:
    before = graph_hash(ws)
    report = ws.add(folder)
    assert (report.added, report.changed, report.removed) == (0, 0, 0)
    assert ws.build().unchanged
    with workspace(tmp_path / "other", ontology=PACK) as other:
        for name in ("notes.txt", "wav.wav", "silent.flac", "ogg.dat", "mp3.mp3", "flac.flac", "broken.mp3"):
            base = tmp_path / "talks"
            base.mkdir(exist_ok=True)
            shutil.copy(folder / name, base / name)
            other.add(base)
        other.build(workers=2)
        assert graph_hash(other) == before
        other.remove("talks/ogg.dat")
        assert not [s for s in other.graph.statements() if s.source == source_iri("talks/ogg.dat")]
        assert other.check().findings == ()


def test_without_the_packages_the_remedy_is_told_and_adding_again_or_a_build_tries_again(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with workspace(tmp_path / "ws", ontology=PACK) as ws:
        with monkeypatch.context() as patch:
            patch.setattr(sound_kinds, "_NEEDS", ("av", "no_such_package"))
            report = ws.add(folder / "ogg.dat", folder / "notes.txt")
            assert report.added == 1
            assert "pip install 'kgfuse[speech]'" in report.problems[0]
        assert ws.add(folder / "ogg.dat").added == 1
        assert ws.problems() == []
        with monkeypatch.context() as patch:
            patch.setattr(sound_kinds, "_NEEDS", ("av", "no_such_package"))
            (problem,) = ws.build().problems
            assert "not transcribed" in problem
            assert "pip install 'kgfuse[speech]'" in problem
            assert ws.graph.statements(subject=f"{BR}mill-bridge")
        assert ws.build().problems == []
        assert text_of(ws, "ogg.dat") == SAID
        with monkeypatch.context() as patch:
            patch.setattr(sound_kinds, "_NEEDS", ("av", "no_such_package"))
            assert "keeps its former transcript" in ws.build().problems[0]
        assert ws.build().problems == []


def test_another_model_transcribes_again_and_one_that_is_none_is_told(folder: Path, tmp_path: Path) -> None:
    packaged = str(packaged_file(WHISPER_TINY_EN).parent)
    for model, problems in ((packaged, 0), (str(tmp_path), 1)):
        chosen = {**TEXT_ONLY, "extract": {**TEXT_ONLY["extract"], "speech": {"model": model}}}  # type: ignore[dict-item]
        home = tmp_path / f"ws-{problems}"
        with workspace(home, folder / "ogg.dat", ontology=PACK, settings=chosen) as ws:
            assert len(ws.problems()) == problems
            row = ws._parts.catalog.source("ogg.dat")
            assert row is not None
            assert bool(row.text_sha256) is not bool(problems)


def test_search_cards_and_proofs_say_the_seconds(ws: Workspace) -> None:
    hits = {f.hit.name: f.where for f in ws.search("rust", kind="text")}
    assert re.fullmatch(r"11\.\d\d–12\.\d\d s", hits["talks/ogg.dat"])
    cards = {c.words: c.where for c in ws.review(None) if c.source == "talks/ogg.dat"}
    assert re.fullmatch(r"10\.\d\d–12\.\d\d s", cards["Tower Bridge shows rust."])
    shown = run("search", ws.path, "rust", "--kind", "text", env=WIDE)
    assert f"({hits['talks/ogg.dat']})" in shown.stdout
    triple = (f"{BR}tower-bridge", f"{BR}shows", f"{BR}rust")
    proof = run("explain", ws.path, *triple, env=WIDE)
    assert re.search(r"talks/ogg\.dat:\d+–\d+ \(11\.\d\d–12\.\d\d s\)", proof.stdout)
    assert answer(run("search", ws.path, "rust", "--kind", "text", "--json"))["hits"][0]["where"].endswith(" s")  # type: ignore[index]


def test_ctrl_c_does_not_wait_for_an_hour_of_speech(folder: Path, tmp_path: Path) -> None:
    samples = samples_of(INSPECTION, tmp_path)
    long = write(tmp_path / "long.flac", np.tile(samples, 40))  # eight minutes: some twenty seconds of work
    with Workspace.create(tmp_path / "w.kg", [str(PACK)], TEXT_ONLY) as ws:
        ws.add(long)
        listening = threading.Timer(2, os.kill, (os.getpid(), signal.SIGINT))

        def on_event(stage: str, done: int, total: int, note: str) -> None:
            if stage == "transcribe" and not listening.is_alive():
                listening.start()

        before = signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs are started deaf to it
        try:
            with pytest.raises(KeyboardInterrupt):
                ws.build(on_event=on_event)
        finally:
            signal.signal(signal.SIGINT, before)
        row = ws._parts.catalog.source("long.flac")
        assert row is not None
        assert row.text_sha256 is None
        assert not [p for p in ws.problems() if p.stage == "transcribe"], "it is no fault of the recording's"


def explanation(ws: Workspace) -> Explanation:
    """An answer that rests on the last word of the recording."""
    name = "talks/ogg.dat"
    row = ws._parts.catalog.source(name)
    assert row is not None
    text = text_of(ws, name)
    at, around = text.index("rust"), text.index("Tower Bridge shows")
    where = place_of(ws._parts.blobs, row, at, at + 4)
    place = Place(name, "text", at, at + 4, "rust", around, text[around:], where=where.words, seconds=where.time)
    said = (str(row.item), f"{BR}shows", f"{BR}rust")
    return resting_on(place, said, "Tower Bridge · shows · rust", "ogg", f"{BR}Bridge")


def test_an_answer_plays_the_sentence_and_stands_at_the_word(ws: Workspace, tmp_path: Path) -> None:
    why = explanation(ws)
    seconds = why.to_dict()["statements"][0]["places"][0]["seconds"]
    write_explanations(ws, [why], tmp_path / "why.html")
    html = (tmp_path / "why.html").read_text(encoding="utf-8")
    (audio,) = re.findall(r"<audio [^>]*>", html)
    assert 'src="data:audio/mpeg;base64,' in audio
    at = float(re.findall(r'data-at="([\d.]+)"', audio)[0])
    start = float(re.findall(r'aria-label="talks/ogg.dat, ([\d.]+) to', audio)[0])
    assert start + at == pytest.approx(seconds[0], abs=0.01)


@pytest.mark.system
def test_a_browser_can_play_it_and_stands_at_the_word(ws: Workspace, tmp_path: Path) -> None:
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    assert browser is not None, "install chromium: apt-get install chromium"
    found = [s for s in ws.graph.statements(subject=f"{BR}tower-bridge") if s.extractors]
    page = tmp_path / "page.html"
    write_statements(ws, found, page)
    written = re.sub(r"<output>[^<]*</output>", "<output></output>", page.read_text(encoding="utf-8"))
    page.write_text(written, encoding="utf-8")
    told = subprocess.run(
        [
            browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
            f"--user-data-dir={tmp_path / 'u'}", "--enable-logging=stderr", "--v=0", "--dump-dom",
            page.as_uri(),
        ],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert "CONSOLE" not in told.stderr
    clips = re.findall(r'data-start="([\d.]+)" data-at="([\d.]+)".*?<output>([\d.]*) ?s?</output>', told.stdout, re.S)
    assert len(clips) >= 8
    for start, at, now in clips:
        assert float(now) == pytest.approx(float(start) + float(at), abs=0.02)
