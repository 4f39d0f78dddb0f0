"""English words for numbers and months: the one table that everything which reads or writes values stands on."""

from __future__ import annotations

from typing import Final

MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
MONTH_NUMBERS: Final = {
    **{m.lower(): n for n, m in enumerate(MONTHS, 1)},
    **{m[:3].lower(): n for n, m in enumerate(MONTHS, 1)},
    "sept": 9,
}
"""Months by name and by abbreviation, in lower case and without the full stop."""
_UNDER_TWENTY: Final = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS: Final = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
SMALL: Final = {w: n for n, w in enumerate(_UNDER_TWENTY)} | {w: 10 * n for n, w in enumerate(_TENS, 2)}
"""Number words below a hundred."""
TO_TWELVE: Final = {w: n for w, n in SMALL.items() if 1 <= n <= 12}
SCALE: Final = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "trillion": 10**12, "dozen": 12}
_ORDINAL_WORDS: Final = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
    "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth",
    "twentieth", "twenty-first",
)  # fmt: skip
ORDINALS: Final = {w: n for n, w in enumerate(_ORDINAL_WORDS, 1)}
