"""Recordings are told by content, decoded within limits, and cut; what is wrong with one is said."""

from __future__ import annotations

import wave
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgfuse.errors import SourceError, WorkspaceError
from kgfuse.sources import sound
from kgfuse.sources.identify import identify
from kgfuse.sources.places import TimePlaces, dumps, loads
from kgfuse.sources.sandbox import Sandbox
from kgfuse.sources.sound import decode
from kgfuse.sources.sound_kinds import FLAC, MP3, OGG, WAV
from tests.sources.sounds import tone, write

KINDS = {"wav": WAV, "flac": FLAC, "mp3": MP3, "ogg": OGG}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two seconds of a tone in each format, under a name that lies."""
    folder = tmp_path_factory.mktemp("sounds")
    return {form: write(folder / f"{form}.txt", tone(2), form) for form in KINDS}


@pytest.mark.parametrize("form", KINDS)
def test_a_recording_is_told_by_its_content_and_decoded_whole(form: str, files: dict[str, Path]) -> None:
    found = identify(files[form])
    assert (found.kind, found.media_type) == ("audio", KINDS[form])
    with Sandbox() as sandbox:
        told, file = sandbox.samples(files[form], KINDS[form], "x")
        samples = np.fromfile(file, np.int16)
    assert told.notes == ()
    assert abs(told.seconds - 2) < 0.1
    assert len(samples) == round(told.seconds * sound.RATE)
    spectrum = np.abs(np.fft.rfft(samples[: sound.RATE].astype(float)))
    assert abs(int(np.argmax(spectrum)) - 440) <= 2


def test_an_mp3_needs_no_tag_and_a_text_is_none(files: dict[str, Path], tmp_path: Path) -> None:
    data = files["mp3"].read_bytes()
    assert data.startswith(b"ID3")
    bare = data[10 + int.from_bytes(data[6:10], "big") :]
    (tmp_path / "bare").write_bytes(bare)
    assert identify(tmp_path / "bare").media_type == MP3
    for n, text in enumerate(("ÿûé", "ID3 is a tag.", "RIFF and raff", "OggSomething else", "fLaCid")):
        (tmp_path / f"{n}.txt").write_text(text, encoding="latin-1")
    (tmp_path / "utf16").write_text("An owl.", encoding="utf-16")
    assert identify(tmp_path / "0.txt").kind == "text"
    assert identify(tmp_path / "utf16").kind == "text"


@pytest.mark.parametrize("form", KINDS)
def test_what_is_missing_at_the_end_is_told(form: str, files: dict[str, Path], tmp_path: Path) -> None:
    data = files[form].read_bytes()
    (tmp_path / "cut").write_bytes(data[: len(data) // 2])
    found = decode(tmp_path / "cut", KINDS[form], "cut")
    assert 0 < found.seconds < 1.5
    assert any("the rest is missing" in note or "the rest may be missing" in note for note in found.notes)


@pytest.mark.parametrize("form", KINDS)
def test_no_recording_is_refused_with_the_reason(form: str, files: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "head").write_bytes(files[form].read_bytes()[:60])
    with Sandbox() as sandbox, pytest.raises(SourceError) as e:
        sandbox.sound(tmp_path / "head", KINDS[form], "head")
    assert "none or is damaged" in e.value.what or "no sound that can be decoded" in e.value.what
    assert e.value.remedy


def test_lengths_rates_and_channels_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sound, "MAX_SECONDS", 1)
        with pytest.raises(SourceError, match="lasts more than"):
            decode(write(tmp_path / "long.flac", tone(3, 0)), FLAC, "long")
    with wave.open(str(tmp_path / "odd.wav"), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(3)
        out.writeframes(bytes(600))
    with pytest.raises(SourceError, match="3 samples a second"):
        decode(tmp_path / "odd.wav", WAV, "odd")


def test_no_playlist_is_followed(tmp_path: Path) -> None:
    secret = write(tmp_path / "secret.wav", tone(1))
    (tmp_path / "list.wav").write_text(f"#EXTM3U\n#EXTINF:1,\n{secret}\n")
    assert identify(tmp_path / "list.wav").kind == "text"
    for media_type in KINDS.values():
        with pytest.raises(SourceError):
            decode(tmp_path / "list.wav", media_type, "list")


def test_an_unknown_coding_is_refused(files: dict[str, Path]) -> None:
    odd = bytearray(files["wav"].read_bytes())
    odd[20:22] = b"\x77\x77"  # the format tag of "fmt "
    files["wav"].with_name("odd").write_bytes(bytes(odd))
    with pytest.raises(SourceError, match="not known"):
        decode(files["wav"].with_name("odd"), WAV, "odd")


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_damage_is_told_or_left_out_and_never_more(files: dict[str, Path], data: st.DataObject) -> None:
    form = data.draw(st.sampled_from(sorted(KINDS)))
    good = bytearray(files[form].read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(good) - 1))
        good[at : at + 8] = data.draw(st.binary(min_size=8, max_size=8))
    path = files[form].with_name("damaged")
    path.write_bytes(bytes(good))
    with suppress(SourceError):
        found = decode(path, KINDS[form], "damaged")
        assert 0 < found.seconds <= sound.MAX_SECONDS


def test_cuts_are_small_and_of_their_length(files: dict[str, Path], tmp_path: Path) -> None:
    with Sandbox() as sandbox:
        cuts = sandbox.clips(files["ogg"], OGG, "x", [(0.5, 1.5), (1.8, 9.0)])
    for data, seconds in zip(cuts, (1.0, 0.2), strict=True):
        (tmp_path / "cut.mp3").write_bytes(data)
        assert len(data) < 8_000
        assert abs(decode(tmp_path / "cut.mp3", MP3, "cut").seconds - seconds) < 0.1


def test_times_of_words_are_found_and_kept() -> None:
    places = TimePlaces((0, 4, 9), ((0, 300), (300, 900), (1_200, 1_500)), (0.9, 0.8, 1.0))
    assert loads(dumps(places)) == places
    assert places.seconds(0, 3) == (0.0, 0.3)
    assert places.seconds(5, 10) == (0.3, 1.5)
    assert places.seconds(9, 9) == (1.2, 1.5)
    assert TimePlaces((), (), ()).seconds(0, 1) is None


@pytest.mark.parametrize("sure", [(0.9,), (0.9, 0.0), (0.9, float("nan")), (0.9, 1.5)])
def test_damaged_probabilities_are_refused(sure: tuple[float, ...]) -> None:
    damaged = dumps(TimePlaces((0, 4), ((0, 300), (300, 900)), sure))
    with pytest.raises(WorkspaceError, match="add its file again"):
        loads(damaged)
