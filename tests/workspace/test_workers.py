"""Worker processes: the same result whatever their number; one that dies is told, and the rest goes on."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from kgfuse import Workspace
from kgfuse.errors import UsageError, WorkspaceError
from kgfuse.extract.protocol import Extractor
from kgfuse.extract.running import Result, run_batch
from kgfuse.terms.mentions import Source
from kgfuse.workspace import extraction
from kgfuse.workspace.workers import worker_count
from tests.workspace.samples import TEXT_ONLY, TEXTS, graph_hash, shape, texts, workspace

MORE = {
    **TEXTS,
    "elm": "The elm has leaves. It grows in parks. " * 9,
    "bat": "The bat eats moths. It lives in caves.",
    "fox": "The fox eats the owl. It has brown fur. " * 3,
}
# a plug-in as a package of its own brings it: what it does depends on the text
PLUGIN = """
import os, signal
from kgfuse.terms.mentions import Mention, TextSpan

class Deadly:
    name = "deadly"
    kinds = frozenset({"text"})
    fingerprint = "1"

    def extract(self, source):
        if "kill" in source.text:
            os.kill(os.getpid(), signal.SIGKILL)
        if "exit" in source.text:
            os._exit(7)
        if "raise" in source.text:
            raise ZeroDivisionError("it was in a mood")
        yield Mention(source.iri, TextSpan(0, 1, source.text[0]), "x", "deadly")

def build(vocabulary, settings):
    if settings.plugins.get("deadly", {}).get("at_start") and os.environ.get("PARENT") != str(os.getpid()):
        os._exit(3)
    return Deadly()
"""
DEADLY = {"extract": {"extractors": ["deadly"]}, "validate_shapes": False}
# builds with two workers, and is ended when it hears of the first batch
ENDING = """
import os, signal, sys
from kgfuse import Workspace
from kgfuse.workspace import extraction
extraction._BATCH = 1
def on_event(stage, done, total, note):
    if stage == "extract:text" and done >= 2:
        os.killpg(0, signal.SIGINT) if sys.argv[2] == "INT" else os.kill(os.getpid(), signal.SIGKILL)
try:
    with Workspace.open(sys.argv[1]) as ws:
        ws.build(workers=2, on_event=on_event)
except KeyboardInterrupt:
    sys.exit(9)
"""


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extraction, "_BATCH", 2)


@pytest.fixture
def deadly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install the plug-in where workers find it too: they start with this process's path."""
    place = tmp_path / "site"
    record = place / "deadly-1.dist-info"
    record.mkdir(parents=True)
    (place / "deadly.py").write_text(PLUGIN)
    (record / "METADATA").write_text("Metadata-Version: 2.1\nName: deadly\nVersion: 1\n")
    (record / "entry_points.txt").write_text("[kgfuse.extractors]\ndeadly = deadly:build\n")
    monkeypatch.syspath_prepend(place)
    monkeypatch.setenv("PARENT", str(os.getpid()))


def extractions(ws: Workspace) -> Mapping[tuple[str, str], bytes | None]:
    """What the catalog keeps, byte by byte."""
    catalog = ws._parts.catalog
    return {(name, key): catalog.extraction(name, key) for name, key in sorted(catalog.extraction_keys())}


def features(ws: Workspace) -> bytes:
    """The cached features of the pictures; nothing where there are none."""
    rows, is_there = ws._parts.features.get(
        ws._parts.image_encoder.sha256, [row.sha256 for row in ws.sources() if row.kind == "image"]
    )
    return bytes(rows[is_there].tobytes())


def test_neither_the_number_of_workers_nor_the_order_of_adding_changes_a_byte(tmp_path: Path) -> None:
    docs = texts(tmp_path / "docs", MORE)
    shape(tmp_path / "docs" / "owl.png", "brown")
    settings = {"extract": {"extractors": ["text", "image"], "image": {"ocr": "off"}}, "validate_shapes": False}
    orders = [sorted(docs.iterdir()), sorted(docs.iterdir(), reverse=True), sorted(docs.iterdir())[3:]]
    orders[2] += sorted(docs.iterdir())[:3]
    found = []
    for n, (workers, order) in enumerate(zip((1, 2, 1), orders, strict=True)):
        with workspace(tmp_path / f"ws{n}", settings=settings) as ws:
            for path in order:
                ws.add(path)
            assert ws.build(workers=workers).extracted == len(MORE) + 1
            assert ws.build(workers=workers).unchanged
            ws.export(tmp_path / f"{n}.nq")
            found.append((graph_hash(ws), extractions(ws), (tmp_path / f"{n}.nq").read_bytes(), features(ws)))
    assert found[0] == found[1] == found[2]
    assert found[0][3], "the picture's features came back from the worker"
    assert not multiprocessing.active_children()


@pytest.mark.usefixtures("deadly")
def test_a_source_that_ends_its_worker_is_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    odd = {"killer": "kill it", "leaver": "exit now", "moody": "raise it"}
    docs = texts(tmp_path / "docs", {**odd, **MORE})
    with workspace(tmp_path / "ws", docs, settings=DEADLY, build=False) as ws:
        assert ws.build(workers=2).extracted == len(MORE)
        said = {p.place: p for p in ws.problems()}
        assert said.keys() == {f"docs/{name}.txt" for name in odd}
        assert "was ended by SIGKILL" in said["docs/killer.txt"].message
        assert "ended with code 7" in said["docs/leaver.txt"].message
        assert "ZeroDivisionError" in said["docs/moody.txt"].message
        assert said["docs/killer.txt"].remedy
        assert ws.build(workers=2).extracted == 0, "what failed is not tried again by itself"
        texts(docs, dict.fromkeys(odd, "mended"))
        ws.add(docs)
        assert ws.build().extracted == len(odd)
        assert ws.problems() == []
    assert not multiprocessing.active_children()


@pytest.mark.usefixtures("deadly")
def test_workers_that_cannot_start_are_an_error_with_a_way_out(tmp_path: Path) -> None:
    settings = {**DEADLY, "extract": {**DEADLY["extract"], "plugins": {"deadly": {"at_start": True}}}}  # type: ignore[dict-item]
    with workspace(tmp_path / "ws", texts(tmp_path / "docs"), settings=settings, build=False) as ws:
        with pytest.raises(WorkspaceError, match="ended with code 3 while it was starting") as caught:
            ws.build(workers=2)
        assert "--workers 1" in caught.value.remedy
        assert ws.build(workers=1).extracted == len(TEXTS)


@pytest.mark.parametrize(("how", "code"), [("INT", 9), ("KILL", -signal.SIGKILL)])
def test_a_build_that_is_ended_leaves_no_worker_and_resumes(tmp_path: Path, how: str, code: int) -> None:
    docs = texts(tmp_path / "docs", MORE)
    with workspace(tmp_path / "straight", docs) as ws:
        expected = graph_hash(ws)
    workspace(tmp_path / "ws", docs, build=False).close()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    command = [sys.executable, "-c", ENDING, str(tmp_path / "ws"), how]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True) as run:
        said = run.communicate(timeout=200)[1]
    assert run.returncode == code
    assert "Traceback" not in said
    until = time.monotonic() + 20
    while _is_there(run.pid) and time.monotonic() < until:
        time.sleep(0.1)
    assert not _is_there(run.pid), "its workers are gone too"
    with Workspace.open(tmp_path / "ws") as ws:
        assert 0 < ws.build().extracted < len(MORE)
        assert graph_hash(ws) == expected


def _is_there(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_texts_are_streamed_in_batches_of_like_length(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with workspace(tmp_path / "ws", texts(tmp_path / "docs", MORE), settings=TEXT_ONLY, build=False) as ws:
        seen: list[list[int]] = []

        def watched(extractor: Extractor, sources: Sequence[Source]) -> list[Result]:
            seen.append([len(source.text or "") for source in sources])
            return run_batch(extractor, sources)

        monkeypatch.setattr(extraction, "run_batch", watched)
        ws.build()
    lengths = sorted(map(len, MORE.values()), reverse=True)
    assert [n for batch in seen for n in batch] == lengths
    assert max(map(len, seen)) == 2


def test_the_number_of_workers_follows_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: set(range(4)), raising=False)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert [worker_count(None, n) for n in (0, 16, 400, 10_000)] == [1, 1, 2, 4]
    assert worker_count(3, 1) == 3
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert worker_count(None, 10_000) == 1, "one process feeds the GPU"
    with pytest.raises(UsageError, match="0 workers"):
        worker_count(0, 5)
