"""Recordings for tests: tones, silence, the spoken inspection of the examples in any format, a person reading."""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path

import av
import numpy as np

from kgfuse.sources.sound import RATE, Samples, decode
from kgfuse.sources.sound_kinds import OGG

INSPECTION = Path(__file__).parents[2] / "examples/bridges/inspection.ogg"
"""12.6 seconds, made by espeak-ng 1.51 and FFmpeg 5.1:

espeak-ng -v en-gb -s 130 -w inspection.wav "This is the inspection of two bridges. London Bridge crosses the Thames.
London Bridge shows cracks. Tower Bridge spans the Thames. Tower Bridge shows rust."
ffmpeg -i inspection.wav -c:a libopus -ar 16000 -b:a 24k inspection.ogg
"""
SAID = (
    "This is the inspection of two bridges. London Bridge crosses the Thames. London Bridge shows cracks. "
    "Tower Bridge spans the Thames. Tower Bridge shows rust."
)
CODECS = {"wav": "pcm_s16le", "flac": "flac", "mp3": "libmp3lame", "ogg": "libopus"}


def tone(seconds: float, hertz: float = 440.0) -> Samples:
    """A tone; 0 hertz is silence."""
    t = np.arange(round(seconds * RATE)) / RATE
    return (8000 * np.sin(2 * np.pi * hertz * t)).astype(np.int16)


def write(path: Path, samples: Samples, form: str = "") -> Path:
    """Samples as a file of the format that its name, or ``form``, says."""
    form = form or path.suffix[1:]
    with av.open(str(path), "w", format=form) as container:
        stream = container.add_stream(CODECS[form], rate=RATE)
        stream.layout = "mono"
        if form == "mp3":
            stream.bit_rate = 96_000
        resampler = av.AudioResampler(format=stream.codec_context.format, layout="mono", rate=RATE, frame_size=960)
        frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        frame.sample_rate = RATE
        for piece in (*resampler.resample(frame), *resampler.resample(None)):
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return path


def samples_of(path: Path, into: Path, media_type: str = OGG) -> Samples:
    """Samples of a recording."""
    decode(path, media_type, path.name, into / "samples")
    return np.fromfile(into / "samples", np.int16)


def person() -> Path | None:
    """A person who reads the beginning of "A Tale of Two Cities" (Pete Warden, CC0); ``None`` where it is not there."""
    found = find_spec("moonshine_voice")
    if found is None or not found.submodule_search_locations:
        return None
    path = Path(found.submodule_search_locations[0]) / "assets/two_cities.wav"
    sha = "f3348494d77cb74a02862f5e685ed09faf3e75832c5cc5c80703282c2cd8b52e"
    return path if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha else None
