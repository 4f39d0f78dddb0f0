"""Recordings: what they are, their sound as samples, and cuts of it; FFmpeg reads them, by way of PyAV.

The container is told by the first bytes and named to FFmpeg, so that no playlist is followed; files are handed over as
open streams, so that no protocol but reading is in play.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np
import numpy.typing as npt

from kgfuse.errors import SourceError
from kgfuse.sources.sound_kinds import FLAC, MP3, OGG, WAV

if TYPE_CHECKING:
    from av.container import InputContainer

RATE: Final = 16_000
"""Samples a second of what `decode` gives."""
MAX_SECONDS: Final = 4 * 3600
_FORMATS: Final = {WAV: "wav", FLAC: "flac", MP3: "mp3", OGG: "ogg"}
_RATES: Final = (1_000, 768_000)
_CHANNELS: Final = 64
_PATIENCE: Final = 0.5
_KBIT: Final = 32
_OGG_PAGE: Final = 65_307
_OGG_HEAD: Final = 27
_OGG_LAST: Final = 4

Samples = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Sound:
    """What a recording is.

    Args:
        seconds: that it lasts.
        rate: samples a second of the original.
        notes: what is wrong with it, in sentences.
    """

    seconds: float
    rate: int
    notes: tuple[str, ...] = ()


def decode(path: Path, media_type: str, where: str, into: Path | None = None) -> Sound:
    """Read a recording through; its samples, 16 kHz, mono, 16 bit, go to a file where one is named.

    Raises:
        SourceError: it holds no sound, cannot be decoded, or is too long.
    """
    count, broken = 0, Counter[str]()
    with path.open("rb") as file, _opened(file, media_type, where) as container:
        stream = container.streams.audio[0]
        rate, said = int(stream.codec_context.sample_rate), _told(container, path, media_type)
        with (into or Path(os.devnull)).open("wb") as out:
            for samples in _samples(container, where, broken):
                out.write(samples.tobytes())
                count += len(samples)
    seconds = count / RATE
    if not count:
        raise SourceError("holds no sound that can be decoded", where=where, remedy="save or fetch it again")
    notes = []
    if broken:
        notes.append(f"damaged pieces were left out: {broken.total()} ({min(broken)})")
    if said is not None and seconds < 0.99 * said - _PATIENCE:
        notes.append(f"ends after {seconds:.1f} seconds, where its header says {said:.1f}: the rest is missing")
    if media_type == OGG and not _has_last_page(path):
        notes.append("has no last page: the rest may be missing")
    return Sound(round(seconds, 3), rate, tuple(notes))


def clips(path: Path, media_type: str, where: str, spans: Sequence[tuple[float, float]], into: Path) -> list[str]:
    """Cut a recording: each span (seconds) becomes a small MP3 file; the names of those.

    Raises:
        SourceError: it cannot be decoded.
    """
    pieces: list[list[Samples]] = [[] for _ in spans]
    wanted = [(round(start * RATE), round(end * RATE)) for start, end in spans]
    last, at = max((end for _, end in wanted), default=0), 0
    with path.open("rb") as file, _opened(file, media_type, where) as container:
        for samples in _samples(container, where, Counter()):
            for piece, (start, end) in zip(pieces, wanted, strict=True):
                if start < at + len(samples) and end > at:
                    piece.append(samples[max(0, start - at) : end - at])
            at += len(samples)
            if at >= last:
                break
    names = [f"clip-{n}.mp3" for n in range(len(spans))]
    for name, piece in zip(names, pieces, strict=True):
        _write(into / name, np.concatenate(piece) if piece else np.zeros(0, np.int16))
    return names


@contextmanager
def _opened(file: BinaryIO, media_type: str, where: str) -> Iterator[InputContainer]:
    """The container of a recording that has sound.

    Raises:
        SourceError: it is none, or is out of all measure.
    """
    import av

    name = _FORMATS[media_type]
    try:
        container = av.open(file, "r", format=name, metadata_errors="replace")
    except (av.FFmpegError, ValueError, OverflowError) as e:
        raise SourceError(
            f"begins like {name.upper()}, but is none or is damaged: {_said(e)}", where=where, remedy="save it again"
        ) from e
    with container:
        if not container.streams.audio:
            raise SourceError("holds no sound", where=where, remedy="leave it out")
        context = container.streams.audio[0].codec_context
        if context is None:  # FFmpeg knows no decoder
            raise SourceError("its sound is coded in a way that is not known", where=where, remedy="save it again")
        rate, channels = context.sample_rate or 0, context.channels or 0
        if not _RATES[0] <= rate <= _RATES[1] or not 0 < channels <= _CHANNELS:
            raise SourceError(
                f"says that it has {rate:,} samples a second in {channels} channels",
                where=where,
                remedy="save it again",
            )
        yield container


def _samples(container: InputContainer, where: str, broken: Counter[str]) -> Iterator[Samples]:
    """The sound in pieces: 16 kHz, mono. What cannot be decoded is left out and told in ``broken``.

    Raises:
        SourceError: it lasts too long.
    """
    import av

    stream, count = container.streams.audio[0], 0
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    for frame in chain(_frames(container, stream, broken), [None]):
        try:
            pieces = resampler.resample(frame)
        except (av.FFmpegError, ValueError) as e:
            broken[_said(e)] += 1
            continue
        for piece in pieces:
            samples: Samples = piece.to_ndarray().reshape(-1).astype(np.int16, copy=False)
            count += len(samples)
            if count > MAX_SECONDS * RATE:
                hours = MAX_SECONDS // 3600
                raise SourceError(f"lasts more than {hours} hours", where=where, remedy="cut it into shorter ones")
            yield samples


def _frames(container: InputContainer, stream: Any, broken: Counter[str]) -> Iterator[Any]:
    """Decoded frames, without their times: gaps in them are no sound."""
    import av

    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except av.FFmpegError as e:
            broken[_said(e)] += 1
            return
        try:
            for frame in packet.decode():
                frame.pts = None
                yield frame
        except av.FFmpegError as e:
            broken[_said(e)] += 1


def _told(container: InputContainer, path: Path, media_type: str) -> float | None:
    """How long the file says that it is; ``None`` where it does not."""
    if media_type == WAV:
        return _wav_seconds(path)
    duration = None if container.duration is None else container.duration / 1_000_000
    if media_type == FLAC:
        return duration
    if media_type == MP3:
        with path.open("rb") as file:
            head = file.read(1 << 20)
        return duration if b"Xing" in head or b"Info" in head else None
    return None


def _wav_seconds(path: Path) -> float | None:
    """What the headers of a WAV file say: bytes of sound by bytes a second."""
    with path.open("rb") as file:
        file.seek(12)
        speed = 0
        while len(head := file.read(8)) == 8:
            size = int.from_bytes(head[4:], "little")
            if head[:4] == b"fmt ":
                speed = int.from_bytes(file.read(size)[8:12], "little")
                continue
            if head[:4] == b"data":
                return size / speed if speed and size < 0xFFFFFFFF else None
            file.seek(size + size % 2, 1)
    return None


def _has_last_page(path: Path) -> bool:
    """Whether an Ogg file ends with a whole page that says it is the last (RFC 3533, section 6)."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 2 * _OGG_PAGE))
        tail = file.read()
    page = tail[max(tail.rfind(b"OggS"), 0) :]
    segments = page[_OGG_HEAD : _OGG_HEAD + page[26]] if len(page) > _OGG_HEAD else b""
    return bool(segments) and page[5] & _OGG_LAST != 0 and len(page) >= _OGG_HEAD + len(segments) + sum(segments)


def _write(path: Path, samples: Samples) -> None:
    """Write an MP3 file."""
    import av

    with av.open(str(path), "w", format="mp3") as container:
        stream: Any = container.add_stream("libmp3lame", rate=RATE)
        stream.layout, stream.bit_rate = "mono", _KBIT * 1000
        for start, end in pairwise([*range(0, len(samples), RATE), len(samples)]):
            frame = av.AudioFrame.from_ndarray(samples[None, start:end], format="s16", layout="mono")
            frame.sample_rate = RATE
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _said(error: Exception) -> str:
    return str(getattr(error, "strerror", "") or error)[:100]
