"""Which files are recordings, by their first bytes, and whether what reads them is installed."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

WAV: Final = "audio/wav"
FLAC: Final = "audio/flac"
MP3: Final = "audio/mpeg"
OGG: Final = "audio/ogg"
REMEDY: Final = "pip install 'kgfuse[speech]', then add it again"
_NEEDS: Final = ("av", "faster_whisper")
_KBITS: Final = (  # of MPEG audio layer III, by version (1; 2 and 2.5) and index; ISO/IEC 11172-3 and 13818-3
    (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
)
_HERTZ: Final = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}


def missing() -> bool:
    """Whether the packages that read recordings are not installed."""
    return any(find_spec(name) is None for name in _NEEDS)


def sound_kind(head: bytes) -> str | None:
    """The media type of a recording, by its first bytes; ``None`` for what is none."""
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return WAV
    if head.startswith(b"fLaC"):
        return FLAC
    if head.startswith(b"OggS"):
        return OGG
    return MP3 if _is_mp3(head) else None


def _is_mp3(head: bytes) -> bool:
    """Whether a file that begins so is MP3: an ID3 tag, or two frames of layer III one after the other."""
    if head.startswith(b"ID3") and len(head) > 10 and head[3] < 0xFF and head[4] < 0xFF and max(head[6:10]) < 0x80:
        return True
    length = _frame(head)
    return 0 < length <= len(head) - 4 and _frame(head[length:]) > 0


def _frame(data: bytes) -> int:
    """Bytes of the MP3 frame that begins here; 0 where none does."""
    if len(data) < 4 or data[0] != 0xFF or data[1] & 0xE6 != 0xE2:
        return 0
    version, index, at = data[1] >> 3 & 3, data[2] >> 4, data[2] >> 2 & 3
    if version not in _HERTZ or index in (0, 15) or at == 3:
        return 0
    is_first = version == 3
    return (144 if is_first else 72) * 1000 * _KBITS[not is_first][index] // _HERTZ[version][at] + (data[2] >> 1 & 1)
