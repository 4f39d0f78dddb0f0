"""How labels are written, learned from examples: dates, numbers, affixes, and names that stand for others.

A text says "1985" where the data say ``01 January 1985``, or "Kempe Gowda" where they say ``Kempe_Gowda_I``. From the
places of an example's labels (`locate`) this module learns, for each relation and role, the rendering that gives the
label from the words, and which words stand for which label. What is rare for one relation falls back to all relations.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from kgfuse.extract.learned.dates import Date, parse_date
from kgfuse.extract.learned.locate import fold
from kgfuse.extract.values.spelling import MONTHS, SCALE, TO_TWELVE

_NUMBER: Final = re.compile(r"-?\d[\d,]*(?:\.\d+)?")
_SCALED: Final = re.compile(r"(?:thousand|million|billion|trillion)\b", re.I)
_BEFORE_NUMBER: Final = "$€£¥~ "
_ANY: Final = "*"
_LEAST: Final = 2
_SURE: Final = 0.5


@dataclass(frozen=True, slots=True)
class Aligned:
    """One label, and the words that say it.

    Args:
        relation: which relation's argument it is.
        role: ``subject`` or ``object``.
        surface: the words.
        label: what the data call it.
    """

    relation: str
    role: str
    surface: str
    label: str


def same(a: str, b: str) -> bool:
    """Equal but for case, spaces and underscores."""
    return loose(a) == loose(b)


def loose(text: str) -> str:
    """Comparison form: lower case, no spaces or underscores."""
    return re.sub(r"[_\s]+", "", text).lower()


class Formats:
    """Learned renderings and names.

    Args:
        rules: ``(relation or *, role, kind of words)`` → (rendering, what goes before, what goes after).
        names: ``(relation or *, words)`` → label.
        spellings: single words that the data write otherwise, such as ``FC`` as ``F.C.``.
    """

    def __init__(
        self,
        rules: Mapping[tuple[str, str, str], tuple[str, str, str]],
        names: Mapping[tuple[str, str], str],
        spellings: Mapping[str, str],
    ):
        self.rules = dict(rules)
        self.names = dict(names)
        self.spellings = dict(spellings)

    @classmethod
    def learn(cls, aligned: Iterable[Aligned]) -> Formats:
        """Learn from labels and the words that say them."""
        found = list(aligned)
        votes: defaultdict[tuple[str, str, str], Counter[tuple[str, str, str]]] = defaultdict(Counter)
        labels: defaultdict[tuple[tuple[str, str, str], tuple[str, str, str]], set[str]] = defaultdict(set)
        totals: Counter[tuple[str, str, str]] = Counter()
        for one in found:
            kind = kind_of(one.surface)
            keys = _keys(one.relation, one.role, kind, one.surface)
            totals.update(keys)
            for rule in dict.fromkeys(_explaining(one.surface, one.label)):
                for key in keys:
                    votes[key][rule] += 1
                    labels[key, rule].add(one.label)
        rules = {}
        for key, counted in votes.items():
            rule, count = min(counted.items(), key=lambda c: (-c[1], c[0] != ("same", "", ""), c[0]))
            is_habit = len(labels[key, rule]) >= _LEAST
            if is_habit and (key[2] != "text" or count >= _SURE * totals[key]):
                rules[key] = rule
        names: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        for one in found:
            if kind_of(one.surface) != "text":
                continue
            for relation in (one.relation, _ANY):
                names[relation, loose(one.surface)][one.label] += 1
        kept = {}
        for (relation, words), written in names.items():
            label, count = min(written.items(), key=lambda c: (-c[1], c[0]))
            if count >= _SURE * sum(written.values()):
                kept[relation, words] = label
        return cls(rules, kept, _spellings(found))

    def label(self, relation: str, role: str, surface: str) -> str:
        """What the data would call these words as an argument of the relation."""
        words = loose(surface)
        for name in (relation, _ANY):
            if (name, words) in self.names:
                return self.names[name, words]
        kind = kind_of(surface)
        for key in _keys(relation, role, kind, surface):
            if key in self.rules:
                rendering, before, after = self.rules[key]
                core = dict(_renderings(surface)).get(rendering)
                if core is not None:
                    return f"{before}{self._spelt(core)}{after}"
        return self._spelt(surface)

    def _spelt(self, text: str) -> str:
        return " ".join(self.spellings.get(word, word) for word in text.split(" "))

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return {
            "rules": [[*key, *rule] for key, rule in sorted(self.rules.items())],
            "names": [[*key, label] for key, label in sorted(self.names.items())],
            "spellings": dict(sorted(self.spellings.items())),
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Formats:
        """The formats of `to_dict`."""
        rules = {(r[0], r[1], r[2]): (r[3], r[4], r[5]) for r in record["rules"]}
        return cls(rules, {(n[0], n[1]): n[2] for n in record["names"]}, record["spellings"])


def _keys(relation: str, role: str, kind: str, surface: str) -> list[tuple[str, str, str]]:
    """Where the rule for these words is looked for; quantities of one unit come before all quantities."""
    keys = [(relation, role, kind), (_ANY, role, kind), (_ANY, _ANY, kind)]
    if kind != "quantity":
        return keys
    unit = re.sub(r"[\d\W_]+", " ", surface).strip().lower()
    return [(relation, role, f"{kind} {unit}"), *keys]


def _spellings(aligned: Iterable[Aligned]) -> dict[str, str]:
    """Words whose letters the labels keep and whose punctuation they change, where they do so mostly."""
    votes: defaultdict[str, Counter[str]] = defaultdict(Counter)
    seen: defaultdict[str, set[str]] = defaultdict(set)
    for one in aligned:
        said, written = one.surface.split(), one.label.replace("_", " ").strip('"').split()
        if len(said) == len(written):
            for a, b in zip(said, written, strict=True):
                if fold(a) == fold(b) and not any(c.isdigit() for c in a):
                    votes[a][b if loose(a) != loose(b) else a] += 1
                    seen[a].add(one.label)
    best = {a: min(found.items(), key=lambda c: (-c[1], c[0])) for a, found in votes.items()}
    return {a: b for a, (b, _) in best.items() if b != a and len(seen[a]) >= _LEAST}


def kind_of(surface: str) -> str:
    """``year``, ``month``, ``date``, ``number``, ``quantity`` or ``text``."""
    date = parse_date(surface)
    if date is not None:
        return ("year", "month", "date")[date.precision - 1]
    stripped = surface.strip().lstrip(_BEFORE_NUMBER)
    if _NUMBER.fullmatch(stripped) or stripped.lower() in TO_TWELVE:
        return "number"
    return "quantity" if _NUMBER.match(stripped) else "text"


def _renderings(surface: str) -> Iterator[tuple[str, str]]:
    """Every way to write the words, by name."""
    text = surface.strip()
    yield "same", text
    yield "plain", re.sub(r"[\"“”]", "", re.sub(r"^(the|a|an)\s+", "", text, flags=re.I))
    if kind_of(text) == "text":
        return
    if (date := parse_date(text)) is not None:
        yield from _of_date(date)
    spelt = TO_TWELVE.get(text.lower())
    lexical = None if spelt is None else str(spelt)
    found = _NUMBER.search(text)
    if lexical is None and found is not None:
        lexical = found[0].replace(",", "")
        if scale := _SCALED.match(text[found.end() :].lstrip()):
            lexical = f"{round(float(lexical) * SCALE[scale[0].lower()], 6):.10g}"
    if lexical is not None:
        yield from _of_number(lexical)


def _of_date(date: Date) -> Iterator[tuple[str, str]]:
    month, day = date.month or 1, date.day or 1
    yield "date:iso", f"{date.year:04}-{month:02}-{day:02}"
    yield "date:dmy", f"{day:02} {MONTHS[month - 1]} {date.year}"
    yield "date:dmy0", f"{date.day or 0:02} {MONTHS[month - 1]} {date.year}"
    yield "date:mdy", f"{MONTHS[month - 1]} {day}, {date.year}"
    yield "date:my", f"{MONTHS[month - 1]} {date.year}"
    yield "date:y", f"{date.year}"


def _of_number(lexical: str) -> Iterator[tuple[str, str]]:
    value = float(lexical)
    yield "number:as", lexical
    yield "number:int", f"{value:.0f}"
    yield "number:float", f"{value}"
    yield "number:2", f"{value:.2f}"
    yield "number:comma", f"{value:,.0f}"
    yield "number:x1000", f"{round(value * 1000, 6)}"
    yield "number:/1000", f"{round(value / 1000, 6)}"


def _explaining(surface: str, label: str) -> Iterator[tuple[str, str, str]]:
    """The renderings that give the label, with what stands before and after them."""
    target = label.replace("_", " ")
    for name, core in _renderings(surface):
        at = target.lower().find(core.lower())
        if not core or at < 0:
            continue
        before, after = target[:at], target[at + len(core) :]
        yield name, before, after
