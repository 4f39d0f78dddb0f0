"""Preparing text for a model's eyes: a typed, recorded pipeline. Stored texts and their offsets never change.

Plain Python, so that it runs wherever the encoders do.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator

from kgfuse.encode.steps import Step, records


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


STOP_WORDS: Final = _words(
    "a about above after again against all also am an and any are as at be because been before being below "
    "between both but by can cannot could did do does doing down during each few for from further had has have "
    "having he her here hers herself him himself his how i if in into is it its itself just me more most my "
    "myself no nor not now of off on once only or other our ours ourselves out over own same she should so some "
    "such than that the their theirs them themselves then there these they this those through to too under until "
    "up very was we were what when where which while who whom why will with would you your yours yourself "
    "yourselves"
)
_ABBREVIATIONS: Final = _words("mr mrs ms dr prof st vs etc e.g i.e cf fig no vol approx ca inc ltd co jr sr")
_WORD: Final = re.compile(r"[^\W_]+(?:['’][^\W\d_]+)?")
_END: Final = re.compile(r"""[.!?…。！？]+["'”’»)\]]*(?=\s|$)|\n\s*\n""")
_IRREGULAR: Final = {
    "mice": "mouse", "geese": "goose", "feet": "foot", "teeth": "tooth", "men": "man", "women": "woman",
    "children": "child", "leaves": "leaf", "knives": "knife", "wolves": "wolf", "halves": "half", "went": "go",
    "gone": "go", "ate": "eat", "eaten": "eat", "made": "make", "found": "find", "known": "know", "grew": "grow",
    "grown": "grow", "built": "build", "kept": "keep", "was": "be", "were": "be", "is": "be", "are": "be", "been": "be",
    "has": "have", "had": "have", "does": "do", "did": "do", "done": "do", "better": "good", "best": "good",
}  # fmt: skip
_KEPT: Final = _words("species series this his its news gas bus lens less during spring string thing king red")


class Clean(Step):
    """Clean up; the words stay.

    Args:
        unicode: normal form, or ``none``.
        spaces: runs of white space become one space.
        controls: drop control and zero-width characters.
    """

    step: Literal["clean"] = "clean"
    unicode: Literal["NFC", "NFKC", "none"] = "NFC"
    spaces: bool = True
    controls: bool = True

    def apply(self, text: str) -> str:
        """Clean."""
        return clean(text, unicode=self.unicode, controls=self.controls, spaces=self.spaces)


class Sentences(Step):
    """Keep the first sentences.

    Args:
        most: how many.
    """

    step: Literal["sentences"] = "sentences"
    most: int = Field(ge=1)

    def apply(self, text: str) -> str:
        """Split, and keep the first."""
        return " ".join(s for _, _, s in sentences(text)[: self.most])


class Fold(Step):
    """Fold case."""

    step: Literal["fold"] = "fold"

    def apply(self, text: str) -> str:
        """Fold."""
        return text.casefold()


class Words(Step):
    """Keep words and numbers, without punctuation."""

    step: Literal["words"] = "words"

    def apply(self, text: str) -> str:
        """Make a list of words."""
        return " ".join(words(text))


class StopWords(Step):
    """Drop English function words, and punctuation."""

    step: Literal["stop_words"] = "stop_words"

    def apply(self, text: str) -> str:
        """Drop."""
        return " ".join(w for w in words(text) if w.casefold() not in STOP_WORDS)


class Lemmas(Step):
    """Reduce English words to their base form, by rules; drop punctuation."""

    step: Literal["lemmas"] = "lemmas"

    def apply(self, text: str) -> str:
        """Reduce."""
        return " ".join(lemma(w) for w in words(text))


TextStep: TypeAlias = Annotated[Clean | Sentences | Fold | Words | StopWords | Lemmas, Field(discriminator="step")]
_CLEANING: Final = ("unicode", "spaces", "controls")
_FORMER: Final = frozenset({*_CLEANING, "case", "stop_words", "lemmas", "punctuation", "sentences"})


class TextPipeline(BaseModel):
    """What is done to a text before a model reads it; the default cleans and leaves the words alone.

    Args:
        steps: in order.

    >>> TextPipeline(steps=(Clean(), Fold(), StopWords(), Lemmas())).apply("The foxes were eating  berries.")
    'fox eat berry'
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    steps: tuple[TextStep, ...] = (Clean(),)

    @model_validator(mode="before")
    @classmethod
    def _of_former_settings(cls, values: Any) -> Any:
        """Workspaces that were made when there was one setting for each step keep their settings."""
        if not isinstance(values, dict) or not values.keys() <= _FORMER or not values:
            return values
        steps: list[dict[str, Any]] = [{"step": "clean"} | {k: values[k] for k in _CLEANING if k in values}]
        if values.get("sentences") is not None:
            steps.append({"step": "sentences", "most": values["sentences"]})
        steps += [{"step": name} for key, name in (("case", "fold"), ("stop_words", "stop_words")) if values.get(key)]
        if values.get("lemmas"):
            steps.append({"step": "lemmas"})
        elif not values.get("punctuation", True):
            steps.append({"step": "words"})
        return {"steps": steps}

    @property
    def record(self) -> list[dict[str, Any]]:
        """Each step with its version and parameters."""
        return records(self.steps)

    def apply(self, text: str) -> str:
        """The text as the model is to see it."""
        for one in self.steps:
            text = one.apply(text)
        return text

    def bag(self, text: str) -> dict[str, int]:
        """How often each word occurs in the prepared text, in order of first occurrence."""
        counts: dict[str, int] = {}
        for word in words(self.apply(text)):
            counts[word] = counts.get(word, 0) + 1
        return counts


def clean(text: str, *, unicode: str = "NFC", controls: bool = True, spaces: bool = True) -> str:
    """Normalise Unicode, drop what cannot be seen, collapse white space.

    >>> clean("re\u0301sume\u0301\u200b  here")
    'résumé here'
    """
    if unicode in ("NFC", "NFKC"):
        text = unicodedata.normalize("NFC" if unicode == "NFC" else "NFKC", text)
    if controls:
        text = "".join(c for c in text if c in "\t\n\r\u200d" or unicodedata.category(c) not in ("Cc", "Cf", "Cs"))
    return " ".join(text.split()) if spaces else text


def sentences(text: str) -> list[tuple[int, int, str]]:
    """Split into sentences with their offsets; abbreviations and initials do not end one.

    >>> [s for _, _, s in sentences("Dr. Smith saw it. It ran! Really?")]
    ['Dr. Smith saw it.', 'It ran!', 'Really?']
    """
    found: list[tuple[int, int, str]] = []
    start = 0
    for end in _END.finditer(text):
        before = text[start : end.start()].rsplit(None, 1)
        last = before[-1].lower() if before else ""
        if end[0].startswith(".") and (last in _ABBREVIATIONS or re.fullmatch(r"[^\W\d_]", last)):
            continue
        _keep(found, text, start, end.end())
        start = end.end()
    _keep(found, text, start, len(text))
    return found


def words(text: str) -> list[str]:
    """Words and numbers, in order, as written.

    >>> words("It isn't 3 o'clock.")
    ['It', "isn't", '3', "o'clock"]
    """
    return _WORD.findall(text)


def lemma(word: str) -> str:
    """Base form of an English word by rules; a word that no rule fits stays itself.

    >>> [lemma(w) for w in ("foxes", "berries", "running", "lived", "mice", "glass")]
    ['fox', 'berry', 'run', 'live', 'mouse', 'glass']
    """
    low = word.casefold()
    if low in _IRREGULAR:
        return _IRREGULAR[low]
    if len(low) < 4 or low in _KEPT or not low.isascii():
        return word
    if low.endswith("ies") and len(low) > 4:
        return word[:-3] + "y"
    if low.endswith(("ches", "shes", "xes", "sses", "zzes", "oes")):
        return word[:-2]
    if low.endswith("s") and not low.endswith(("ss", "us", "is")):
        return word[:-1]
    for ending in ("ing", "ed"):
        stem = word[: -len(ending)]
        if low.endswith(ending) and len(stem) > 2 and re.search(r"[aeiouy]", stem.lower()):
            return _restore(stem)
    return word


def _restore(stem: str) -> str:
    """Undo what an ending did to a stem: "runn" was "run", "liv" was "live"."""
    low = stem.lower()
    if len(low) > 2 and low[-1] == low[-2] and low[-1] not in "lsz":
        return stem[:-1]
    if re.search(r"[^aeiou](?:[iu]|[ao])[vzcgs]$|[^aeiou]at$|[^aeiou]iz$|[^aeiouy]i[nk]$|ur$|rg$|dg$|uc$", low):
        return stem + "e"
    return stem


def _keep(found: list[tuple[int, int, str]], text: str, start: int, end: int) -> None:
    piece = text[start:end]
    left = len(piece) - len(piece.lstrip())
    stripped = piece.strip()
    if stripped:
        found.append((start + left, start + left + len(stripped), stripped))
