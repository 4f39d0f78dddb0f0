"""Ctrl-C, SIGKILL, a second process, a full disk: nothing is half-written; the next build ends in the same graph."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kgfuse import Workspace
from kgfuse.errors import WorkspaceError
from kgfuse.workspace import extraction
from tests.workspace.samples import TEXTS, graph_hash, texts, workspace

MORE = {**TEXTS, "elm": "The elm has leaves. It grows in parks.", "bat": "The bat eats moths. It lives in caves."}

# builds, and dies by SIGKILL when it hears of this stage and step
DYING = """
import os, signal, sys
from kgfuse import Workspace
from kgfuse.workspace import extraction
extraction._BATCH = 2
def on_event(stage, done, total, note):
    if stage == sys.argv[2] and done >= int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
with Workspace.open(sys.argv[1]) as ws:
    ws.build(on_event=on_event)
"""
HOLDING = """
import sys
from kgfuse import Workspace
with Workspace.open(sys.argv[1]):
    print("open", flush=True)
    sys.stdin.read()
"""
# no file may grow beyond so many bytes, as if the disk were full
FULL = """
import resource, sys
from kgfuse import Workspace
from kgfuse.errors import WorkspaceError
try:
    with Workspace.open(sys.argv[1]) as ws:
        ws.vocabulary
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]),) * 2)
        ws.add(sys.argv[2])
        ws.build()
except WorkspaceError as e:
    print(e.message)
    sys.exit(1)
"""
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}


def python(code: str, *args: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *map(str, args)]
    return subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=200, check=False)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder of texts, and the hash of the graph that a build without interruption makes of it."""
    root = tmp_path_factory.mktemp("undisturbed")
    folder = texts(root / "docs", MORE)
    with workspace(root / "ws", folder) as ws:
        return folder, graph_hash(ws)


def test_ctrl_c_at_any_stage_leaves_a_workspace_that_resumes(
    undisturbed: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, expected = undisturbed
    monkeypatch.setattr(extraction, "_BATCH", 1)
    with workspace(tmp_path / "ws", folder, build=False) as ws:
        for last in (
            ("extract:text", 2),
            ("extract:text", 1),
            ("resolve", 0),
            ("write", 1),
            ("write", 4),
            ("reason", 0),
        ):

            def on_event(stage: str, done: int, total: int, note: str, last: tuple[str, int] = last) -> None:
                if (stage, done) == last:
                    raise KeyboardInterrupt

            with pytest.raises(KeyboardInterrupt):
                ws.build(on_event=on_event)
        assert not ws.build().unchanged
        assert graph_hash(ws) == expected


@pytest.mark.parametrize(("stage", "step"), [("extract:text", 2), ("write", 3)])
def test_a_killed_build_resumes_to_the_same_graph(
    undisturbed: tuple[Path, str], tmp_path: Path, stage: str, step: int
) -> None:
    folder, expected = undisturbed
    workspace(tmp_path / "ws", folder, build=False).close()
    assert python(DYING, tmp_path / "ws", stage, str(step)).returncode == -signal.SIGKILL
    with Workspace.open(tmp_path / "ws") as ws:
        report = ws.build()
        assert report.extracted < len(MORE)
        assert graph_hash(ws) == expected
        assert ws.build().unchanged


def test_what_was_killed_while_it_was_written_is_written_again_even_if_the_file_is_put_back(
    undisturbed: tuple[Path, str], tmp_path: Path
) -> None:
    _, expected = undisturbed
    folder = texts(tmp_path / "docs", MORE)
    with workspace(tmp_path / "ws", folder) as ws:
        texts(folder, {"owl": "The owl eats voles. It has claws."})
        ws.add(folder)
        store, load_lines = ws._parts.store, ws._parts.store.load_lines

        def dying(lines: bytes, form: object) -> None:
            load_lines(lines, form)  # type: ignore[arg-type]
            raise KeyboardInterrupt

        store.load_lines = dying  # type: ignore[method-assign,assignment]
        with pytest.raises(KeyboardInterrupt):
            ws.build()
        store.load_lines = load_lines  # type: ignore[method-assign]
        texts(folder, MORE)
        ws.add(folder)
        ws.build()
        assert graph_hash(ws) == expected


def test_a_second_process_is_told_that_the_workspace_is_open(tmp_path: Path) -> None:
    workspace(tmp_path / "ws").close()
    command = [sys.executable, "-c", HOLDING, str(tmp_path / "ws")]
    with subprocess.Popen(command, env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        with pytest.raises(WorkspaceError, match="another process has this workspace open") as caught:
            Workspace.open(tmp_path / "ws")
        assert caught.value.remedy
        other.communicate("")
    Workspace.open(tmp_path / "ws").close()


@pytest.mark.parametrize("limit", [4_096, 200_000])
def test_a_disk_that_fills_up_is_told_and_the_workspace_goes_on_afterwards(
    undisturbed: tuple[Path, str], tmp_path: Path, limit: int
) -> None:
    folder, expected = undisturbed
    workspace(tmp_path / "ws").close()
    done = python(FULL, tmp_path / "ws", folder, str(limit))
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert str(tmp_path / "ws") in done.stdout
    with Workspace.open(tmp_path / "ws") as ws:
        assert ws.add(folder).problems == []
        ws.build()
        assert graph_hash(ws) == expected


def _remedy_where_the_disk_ends(place: Path, folder: Path) -> str:
    """What the error says to do, whichever step meets the end of the disk."""
    try:
        with workspace(place, build=False) as ws:
            ws.add(folder)
            ws.build()
    except WorkspaceError as error:
        return error.remedy
    return ""


@pytest.mark.system
@pytest.mark.parametrize("kilobytes", [300, 1500])
def test_a_small_disk_that_fills_up(undisturbed: tuple[Path, str], tmp_path: Path, kilobytes: int) -> None:
    folder, expected = undisturbed
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(disk)], check=True)
    try:
        assert _remedy_where_the_disk_ends(disk / "ws", folder)
        gc.collect()  # the error's frames are gone, and with them what they held of the graph
        subprocess.run(["mount", "-o", "remount,size=200m", str(disk)], check=True)
        if not (disk / "ws" / "kgfuse.toml").exists():
            workspace(disk / "ws").close()
        with Workspace.open(disk / "ws") as ws:
            ws.add(folder)
            ws.build()
            assert graph_hash(ws) == expected
    finally:
        subprocess.run(["umount", str(disk)], check=False)
