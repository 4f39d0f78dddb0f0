"""Settings of transcription."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class SpeechSettings(BaseModel):
    """How recordings are transcribed.

    Attributes:
        model: name (such as ``small.en``) or folder of a faster-whisper model; empty takes the packaged ``tiny.en``.
            A name is fetched once from the Hugging Face hub, where there is a network.
        language: ISO 639 code of what is spoken, for models that know several; empty lets each recording tell.
        device: where the model runs; on ``cuda`` transcripts may differ in places.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = ""
    language: str = ""
    device: Literal["cpu", "cuda"] = "cpu"
