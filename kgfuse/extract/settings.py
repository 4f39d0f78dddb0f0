"""Settings of extraction: typed, JSON-able, and part of the record of every run."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from kgfuse.extract.image.settings import ImageSettings
from kgfuse.extract.speech.settings import SpeechSettings


class TextSettings(BaseModel):
    """How texts are read.

    Attributes:
        model: name or path of a spaCy pipeline; ``auto`` takes an installed ``en_core_web_*``, else the one that ships.
        lexicon: match the labels and synonyms of the vocabulary.
        entities: use the pipeline's named entities, typed by the classes that carry ``kgf:nerLabel``.
        triggers: generate dependency patterns from the properties' labels and triggers.
        patterns: use the packs' ``patterns.jsonl``.
        suffices: let a mention alone state a property that is marked ``kgf:mentionSuffices``.
        copula: read "X is a C" as ``rdf:type`` where no property of the vocabulary has that trigger.
        mentions: say ``kgf:mentions`` of the item for lexicon entries and named entities.
        noun_chunks: also say it for every other noun phrase.
        chunk: longer texts are read in pieces of about this many characters, cut between paragraphs or sentences.
        batch: texts that are parsed at once; results do not depend on it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = "auto"
    lexicon: bool = True
    entities: bool = True
    triggers: bool = True
    patterns: bool = True
    suffices: bool = True
    copula: bool = True
    mentions: bool = True
    noun_chunks: bool = False
    chunk: int = Field(default=50_000, ge=1_000, le=900_000)
    batch: int = Field(default=64, ge=1)


class RelationSettings(BaseModel):
    """The trained relation extractor.

    Attributes:
        model: folder of a trained extractor; empty takes the one that a pack of the workspace brings, if any.
        threshold: least probability of a statement; ``None`` takes the one learned in training.
        device: ``auto``, ``cpu``, ``cuda`` …
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = ""
    threshold: float | None = Field(default=None, ge=0, le=1)
    device: str = "auto"


class ExtractSettings(BaseModel):
    """Settings of the extractors and of what is done with their finds.

    Attributes:
        text: the text extractor.
        relations: the trained relation extractor.
        image: the image extractor.
        speech: how recordings are transcribed.
        extractors: names to run, in this order; ``None`` runs every registered one that loads.
        plugins: settings of extractors from outside, by their name.
        min_confidence: statements below it are turned away by the gate.
        gazetteers: files of identifiers that names are linked to (TSV, CSV, JSON Lines; also ``.gz``), with id, label,
            aliases, type and description; relative paths start at the workspace's folder.
        admit: let in what the text only supposes (``speculated``) or reports as said by others (``attributed``); its
            statement nodes then say so. What a text denies never enters.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: TextSettings = Field(default_factory=TextSettings)
    relations: RelationSettings = Field(default_factory=RelationSettings)
    image: ImageSettings = Field(default_factory=ImageSettings)
    speech: SpeechSettings = Field(default_factory=SpeechSettings)
    extractors: tuple[str, ...] | None = None
    plugins: dict[str, dict[str, Any]] = Field(default_factory=dict)
    admit: tuple[Literal["speculated", "attributed"], ...] = ()
    gazetteers: tuple[str, ...] = ()
    min_confidence: float = Field(default=0.3, ge=0, le=1)
