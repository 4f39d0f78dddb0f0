"""A workspace's one configuration file, ``kgfuse.toml``."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kgfuse.encode.preprocess_text import TextPipeline
from kgfuse.errors import WorkspaceError
from kgfuse.extract.settings import ExtractSettings

FILE = "kgfuse.toml"
FORMAT = 1


class NeighbourSettings(BaseModel):
    """Visual neighbours: pictures whose CNN features point the same way."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    k: int = Field(default=5, ge=0, le=100, description="neighbours an item; 0 switches them off")
    minimum: float = Field(default=0.6, ge=-1, le=1, description="least cosine of centred features")


class EncoderSettings(BaseModel):
    """Which encoder reads texts for the fusion layer; the one for pictures is ``extract.image.model``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str = Field(
        default="", description="Hugging Face name or path of a BERT-family model; empty: the shipped one"
    )
    device: str = "auto"
    texts: TextPipeline = Field(default_factory=TextPipeline, description="what is done to a text before it is encoded")


class Settings(BaseModel):
    """Everything that decides what a workspace extracts and how."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int = FORMAT
    ontologies: tuple[str, ...] = ()
    seed: int = 0
    validate_shapes: bool = Field(default=True, description="run SHACL at the end of every build")
    encoders: EncoderSettings = EncoderSettings()
    neighbours: NeighbourSettings = NeighbourSettings()
    extract: ExtractSettings = ExtractSettings()

    def preprocessing(self) -> dict[str, list[dict[str, Any]]]:
        """What is done to sources before a model sees them: the steps of each modality, in order."""
        return {"image": self.extract.image.preprocessing, "text": self.encoders.texts.record}


def load(folder: Path) -> Settings:
    """Read a workspace's settings.

    Raises:
        WorkspaceError: no workspace, a broken file, or one from a newer kgfuse.
    """
    path = folder / FILE
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError) as e:
        raise WorkspaceError("not a kgfuse workspace", where=folder, remedy=f"make one: kgfuse init {folder}") from e
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as e:
        raise WorkspaceError(f"cannot be read: {e}", where=path, remedy="mend the file by hand") from e
    found = values.get("format", FORMAT)
    if isinstance(found, int) and found > FORMAT:
        raise WorkspaceError("was made by a newer kgfuse", where=folder, remedy="upgrade kgfuse")
    return check(values, path)


def check(values: dict[str, object], where: Path | str) -> Settings:
    """Settings from nested values.

    Raises:
        WorkspaceError: an unknown name or an unfitting value.
    """
    try:
        return Settings.model_validate(values)
    except ValidationError as e:
        first = e.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise WorkspaceError(f"{name}: {first['msg']}", where=where, remedy="mend this setting") from e


def save(settings: Settings, folder: Path) -> None:
    """Write a workspace's settings."""
    values = settings.model_dump(mode="json", exclude_none=True)
    (folder / FILE).write_text(tomli_w.dumps(values), encoding="utf-8")
