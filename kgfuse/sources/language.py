"""The language of a text, by byte n-grams (py3langid), where it can be told."""

from __future__ import annotations

import functools
import unicodedata
from typing import Any, Final

NAMES: Final = {
    "ar": "Arabic", "bg": "Bulgarian", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek", "en": "English",
    "es": "Spanish", "et": "Estonian", "fa": "Persian", "fi": "Finnish", "fr": "French", "he": "Hebrew", "hi": "Hindi",
    "hr": "Croatian", "hu": "Hungarian", "id": "Indonesian", "it": "Italian", "ja": "Japanese", "ko": "Korean",
    "lt": "Lithuanian", "lv": "Latvian", "nl": "Dutch", "no": "Norwegian", "pl": "Polish", "pt": "Portuguese",
    "ro": "Romanian", "ru": "Russian", "sk": "Slovak", "sl": "Slovenian", "sr": "Serbian", "sv": "Swedish",
    "th": "Thai", "tr": "Turkish", "uk": "Ukrainian", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip
_SAMPLE: Final = 20_000
_LETTERS: Final = 2_000
_LEAST_LETTERS: Final = 60
_LEAST_OTHER_SCRIPT: Final = 12
_SURE: Final = 0.9


@functools.lru_cache(maxsize=1)
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def guess(text: str) -> tuple[str, float]:
    """The likeliest language (ISO 639) and its probability."""
    language, probability = _identifier().classify(text.encode("utf-8", "replace").decode("utf-8"))
    return str(language), float(probability)


def language(text: str) -> str:
    """The language of a text as an ISO 639 code; empty where it is too short or too mixed to tell.

    Short texts are told only where they are not in Latin script: a list of names reads like any language.
    """
    sample = text[:_SAMPLE]
    letters = [c for c in sample[:_LETTERS] if c.isalpha()]
    others = sum(not c.isascii() and not unicodedata.name(c, "LATIN").startswith("LATIN") for c in letters)
    foreign = others >= _LEAST_OTHER_SCRIPT and others > 0.5 * len(letters)
    if len(letters) < _LEAST_LETTERS and not foreign:
        return ""
    found, probability = guess(sample)
    if probability >= _SURE or (foreign and found != "en"):
        return found
    return ""


def without_model(code: str) -> str:
    """Why a text in a language is not read, to follow its name.

    >>> without_model("it"), without_model("zxx")
    ('is in Italian, for which there is no model', 'holds no words of any language')
    """
    if code == "zxx":  # of figures and the like, in ISO 639
        return "holds no words of any language"
    named = NAMES.get(code, f"the language {code!r}")
    return f"is in {named}, for which there is no model"
