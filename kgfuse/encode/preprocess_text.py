"""Preparing text for a model's eyes: a typed, recorded pipeline. Stored texts and their offsets never change.

Plain Python, so that it runs wherever the encoders do.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field


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


class TextPipeline(BaseModel):
    """What is done to a text before a model reads it; the defaults clean and leave the words alone.

    Attributes:
        unicode: normal form, or ``none``.
        spaces: runs of white space become one space.
        controls: drop control and zero-width characters.
        case: fold case.
        stop_words: drop English function words.
        lemmas: reduce English words to their base form, by rules.
        punctuation: keep punctuation; dropped where ``stop_words`` or ``lemmas`` make a list of words anyway.
        sentences: at most this many sentences; ``None`` for all.

    >>> TextPipeline(case=True, stop_words=True, lemmas=True).apply("The foxes were eating  berries.")
    'fox eat berry'
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    unicode: Literal["NFC", "NFKC", "none"] = "NFC"
    spaces: bool = True
    controls: bool = True
    case: bool = False
    stop_words: bool = False
    lemmas: bool = False
    punctuation: bool = True
    sentences: int | None = Field(default=None, ge=1)

    def apply(self, text: str) -> str:
        """The text as the model is to see it."""
        text = clean(text, unicode=self.unicode, controls=self.controls, spaces=self.spaces)
        if self.sentences is not None:
            text = " ".join(s for _, _, s in sentences(text)[: self.sentences])
        if self.case:
            text = text.casefold()
        if self.stop_words or self.lemmas or not self.punctuation:
            return " ".join(self._words(text))
        return text

    def _words(self, text: str) -> list[str]:
        found = words(text)
        if self.stop_words:
            found = [w for w in found if w.casefold() not in STOP_WORDS]
        return [lemma(w) for w in found] if self.lemmas else found

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
