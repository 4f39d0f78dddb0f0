"""How names resemble one another: folded words, titles, initials, acronyms, and forms of companies left out."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from kgfuse.terms.namespaces import label_key


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# “Saint”, “King”, “General” and their like begin names of places and companies as often
_TITLES: Final = _words("mr mrs ms miss dr prof professor sir dame president chancellor minister judge senator")
_FORMS: Final = _words(
    "inc incorporated corp corporation co company ltd limited llc plc gmbh ag sa spa bv nv kg group holdings"
)
_SMALL: Final = _words("of the and for in on de la le du des y und der die das & a an")
_PARENTHESIS: Final = re.compile(r"^(.*\S)\s*\(([^()]+)\)$")
_INVERTED: Final = re.compile(r"^([^\s,]+), ([^\s,]+(?: [^\s,]+)?)$")


@dataclass(frozen=True)
class Name:
    """A name as it is written."""

    label: str

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Folded words without title, article and form of company, given name first.

        >>> Name("Dr. Lena Costa").words, Name("Costa, Lena").words, Name("The Acme Corp.").words
        (('lena', 'costa'), ('lena', 'costa'), ('acme',))
        """
        kept = self.folded
        while len(kept) > 1 and kept[0] in _TITLES:
            kept = kept[1:]
        while len(kept) > 1 and kept[-1] in _FORMS:
            kept = kept[:-1]
        return kept

    @cached_property
    def folded(self) -> tuple[str, ...]:
        """Folded words without article, given name first."""
        plain = self._plain
        if found := _INVERTED.match(plain.strip()):
            plain = f"{found[2]} {found[1]}"
        words = _folded(plain)
        return words[1:] if len(words) > 1 and words[0] == "the" else words

    @property
    def is_surname_with_title(self) -> bool:
        """Whether it says no more than a title and one name, which many may share."""
        return len(self.words) == 1 and len(self.folded) > 1 and self.folded[0] in _TITLES

    @cached_property
    def short(self) -> str:
        """The acronym that the name is, or brings in parentheses, folded; empty where there is none.

        >>> Name("IBM").short, Name("International Business Machines (IBM)").short, Name("Iberia").short
        ('ibm', 'ibm', '')
        """
        found = _PARENTHESIS.match(self.label.strip())
        own = found[2] if found else self.label.strip()
        letters = own.replace(".", "")
        return letters.casefold() if 2 <= len(letters) <= 6 and letters.isalpha() and letters.isupper() else ""

    @cached_property
    def is_acronym(self) -> bool:
        """Whether it is nothing but an acronym."""
        return bool(self.short) and "(" not in self.label

    @cached_property
    def acronyms(self) -> frozenset[str]:
        """What the name is abbreviated to."""
        words = self.folded
        if len(words) < 2:
            return frozenset()
        large = [w for w in words if w not in _SMALL]
        return frozenset(a for a in ("".join(w[0] for w in words), "".join(w[0] for w in large)) if len(a) > 1)

    @property
    def _plain(self) -> str:
        found = _PARENTHESIS.match(self.label.strip())
        return found[1] if found else self.label


def initials_fit(short: tuple[str, ...], full: tuple[str, ...]) -> bool:
    """Whether one name is the other with given names cut to initials.

    >>> initials_fit(("l", "costa"), ("lena", "costa")), initials_fit(("m", "costa"), ("lena", "costa"))
    (True, False)
    """
    if not 2 <= len(short) <= len(full) or short[-1] != full[-1] or short == full:
        return False
    given = full[:-1]
    return all(len(s) == 1 and s == g[0] for s, g in zip(short[:-1], given, strict=False)) and len(short[-1]) > 1


def misspelt(a: tuple[str, ...], b: tuple[str, ...]) -> bool:
    """Whether one name may be a slip of the pen for the other: one long word differs a little, and not in its ending.

    >>> misspelt(("lena", "costta"), ("lena", "costa")), misspelt(("martina", "costa"), ("martino", "costa"))
    (True, False)
    """
    if len(a) != len(b):
        return False
    differing = [(x, y) for x, y in zip(a, b, strict=True) if x != y]
    if len(differing) != 1:
        return False
    ((x, y),) = differing
    if max(len(x), len(y)) < 6 or x[0] != y[0] or x[:-1] == y[:-1] or x.startswith(y) or y.startswith(x):
        return False
    from rapidfuzz.distance import OSA

    # digits tell things apart: Apollo11, Apollo12
    return not re.search(r"\d", x + y) and OSA.distance(x, y, score_cutoff=1) <= 1


def _folded(text: str) -> tuple[str, ...]:
    plain = "".join(c for c in unicodedata.normalize("NFKD", label_key(text)) if not unicodedata.combining(c))
    return tuple(w for w in re.split(r"[^\w&]+", plain) if w)
