"""One explanation as the page shows it: numbered evidence, marked texts and pictures, the check in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from markupsafe import Markup

from kgfuse.explain.chain import Check, Evidence, Explanation, Passage, Place
from kgfuse.workspace.counterfactuals import RANDOM_CONTROLS
from kgfuse.workspace.report.highlight import Span, marked
from kgfuse.workspace.report.neighbourhood import Neighbourhood, neighbourhood
from kgfuse.workspace.report.numbers import points
from kgfuse.workspace.report.pages import pages
from kgfuse.workspace.report.pictures import Mark, Picture, within
from kgfuse.workspace.report.recordings import Clip, Said, clips
from kgfuse.workspace.report.sources import Originals, originals

if TYPE_CHECKING:
    from kgfuse.workspace.prediction import Prediction, Ranked
    from kgfuse.workspace.workspace import Workspace

SHOWN: Final = 10
RANKED: Final = 5
_WHOLE_TEXT: Final = 4000


@dataclass(frozen=True, slots=True)
class Signed:
    """A bar to the right (for the answer) or the left (against it), in percent of half the width."""

    name: str
    value: float
    width: float


@dataclass(frozen=True, slots=True)
class Line:
    """A piece of evidence: a statement, or a sentence or region (``passage``).

    What is not cited of the latter has the number 0 and no line of its own: it shows in text and picture.
    """

    number: int
    key: str
    cited: bool
    effect: Signed
    evidence: Evidence | None = None
    passage: Passage | None = None
    where: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MarkedText:
    """A text of the item, or the sentences of it that matter; ``hidden``: some of it was not shown to the model."""

    source: str
    html: Markup
    hidden: bool


@dataclass(frozen=True, slots=True)
class MarkedPicture:
    """A picture with boxes over it."""

    source: str
    picture: Picture
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The counterfactual check in words; ``rows``: what is left of the evidence, and the probability then."""

    holds: bool
    sentence: str
    rows: tuple[tuple[str, float, float, str], ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """Everything about one answer."""

    key: str
    explanation: Explanation
    truth: tuple[str, ...]
    right: bool | None
    ranking: tuple[Ranked, ...]
    shares: tuple[Signed, ...]
    baseline: float
    lines: tuple[Line, ...]
    more: tuple[Line, ...]
    texts: tuple[MarkedText, ...]
    pictures: tuple[MarkedPicture, ...]
    clips: tuple[Clip, ...]
    verdict: Verdict
    graph: Neighbourhood


def chain(ws: Workspace, explanation: Explanation, prediction: Prediction | None, number: int) -> Chain:
    """Gather what the page says of one answer.

    Args:
        ws: the workspace.
        explanation: of the answer.
        prediction: what was explained, for the ranking; may be unknown.
        number: of the chain on the page.
    """
    key = f"c{number}"
    lines = _lines(explanation, key)
    found = originals(ws, explanation, prediction)
    item = next((i for i in ws.items() if i.iri == explanation.item), None)
    truth = {c for values in item.labels.values() for c in values} if item is not None else set()
    cited = [line.evidence for line in lines if line.cited and line.evidence is not None]
    listed = [line for line in lines if line.number]
    return Chain(
        key=key,
        explanation=explanation,
        truth=tuple(sorted(ws.graph.label(c) if ":" in c else c for c in truth)),
        right=explanation.label_iri in truth if truth else None,
        ranking=prediction.ranking[:RANKED] if prediction is not None else (),
        shares=_bars(explanation.shares),
        baseline=explanation.probability - sum(explanation.shares.values()),
        lines=tuple(listed[:SHOWN]),
        more=tuple(listed[SHOWN:]),
        texts=marked_texts(lines, found, _read(explanation)),
        pictures=(*marked_pictures(lines, found), *document_pages(ws, lines)),
        clips=tuple(heard(ws, lines)),
        verdict=_verdict(explanation.check, explanation.label, sum(line.cited for line in lines)),
        graph=neighbourhood(ws, explanation, cited, f"{key}-graph"),
    )


def _lines(explanation: Explanation, key: str) -> list[Line]:
    """Statements and passages, the most effective first; as many as the check removes are cited."""
    parts: list[Evidence | Passage] = [*explanation.statements, *explanation.passages]
    ranked = sorted(parts, key=lambda part: -part.effect)
    bars = _bars({str(n): part.effect for n, part in enumerate(ranked)})
    lines: list[Line] = []
    number = 0
    for n, (part, bar) in enumerate(zip(ranked, bars, strict=True)):
        cited = part.cited
        listed = cited or isinstance(part, Evidence)
        number += listed
        lines.append(
            Line(
                number=number if listed else 0,
                key=f"{key}-e{n + 1}",
                cited=cited,
                effect=bar,
                evidence=part if isinstance(part, Evidence) else None,
                passage=part if isinstance(part, Passage) else None,
                where=in_places(part.places if isinstance(part, Evidence) else (part.place,)),
            )
        )
    return lines


def _bars(values: Mapping[str, float]) -> tuple[Signed, ...]:
    most = max((abs(v) for v in values.values()), default=0.0) or 1.0
    return tuple(Signed(name, v, round(100 * abs(v) / most, 1)) for name, v in values.items())


def in_places(places: Sequence[Place]) -> tuple[str, ...]:
    """Where evidence stands, in words, a line a source: characters with their offsets, boxes with their pixels."""
    said: dict[str, list[str]] = {}
    for p in sorted(places, key=lambda p: (p.source, p.kind, p.start, p.end)):
        if p.box is not None:
            x, y, w, h = p.box
            spot = f"box {x},{y} {w}×{h} px"
        elif p.start < 0:
            spot = f"“{p.exact}”"
        elif p.exact == p.context:
            spot = f"“{p.exact}” {p.start}–{p.end}" if len(places) == 1 else f"in the sentence {p.start}–{p.end}"
        else:
            spot = f"“{p.exact}” {p.start}–{p.end}"
        said.setdefault(p.source, []).append(f"{spot} ({p.where})" if p.where else spot)
    return tuple(
        f"{source}: {', '.join(dict.fromkeys(spots))}" if source else spots[0] for source, spots in said.items()
    )


def _read(explanation: Explanation) -> list[str]:
    """Names of the texts that the model read."""
    return [p.place.source for p in explanation.passages if p.place.box is None]


def marked_texts(lines: Sequence[Line], found: Originals, first: Iterable[str] = ()) -> tuple[MarkedText, ...]:
    """Texts with the characters of the evidence marked; ``first`` names those that stand at the beginning."""
    spots = [(line, p) for line in lines for p in _places(line) if p.kind == "text"]
    names = list(dict.fromkeys([*first, *(p.source for _, p in spots)]))
    made = []
    for name in names:
        mine = [(line, p) for line, p in spots if p.source == name]
        text = found.texts.get(name, "")
        whole = 0 < len(text) <= _WHOLE_TEXT and all(text[p.start : p.end] == p.exact for _, p in mine)
        if whole:
            spans = [_span(line, p, 0) for line, p in mine]
            unseen = _unseen(text, [p for line, p in mine if line.passage is not None])
            made.append(MarkedText(name, marked(text, [*spans, *unseen]), bool(unseen)))
            continue
        contexts = sorted({(p.context_start, p.context) for _, p in mine})
        quotes = [
            marked(
                context, [_span(line, p, start) for line, p in mine if (p.context_start, p.context) == (start, context)]
            )
            for start, context in contexts
        ]
        made.append(MarkedText(name, Markup(" … ").join(quotes), False))
    return tuple(made)


def _places(line: Line) -> tuple[Place, ...]:
    if line.evidence is not None:
        return line.evidence.places
    return (line.passage.place,) if line.passage is not None else ()


def _span(line: Line, place: Place, shift: int) -> Span:
    if line.passage is not None:
        kind = "sentence" if line.cited else "passage"
        title = f"this sentence: {points(line.effect.value)} points"
    else:
        whole = place.exact == place.context
        kind = {(True, False): "cited", (True, True): "around", (False, False): "stated", (False, True): "context"}[
            line.cited, whole
        ]
        title = f"{line.number}: {line.evidence.text}" if line.evidence is not None else ""
    return Span(place.start - shift, place.end - shift, line.key, kind, title)


def _unseen(text: str, seen: Sequence[Place]) -> list[Span]:
    """What no passage covers, where passages are known: sentences that would give the answer away are hidden."""
    found, at = [], 0
    for start, end in sorted((p.start, p.end) for p in seen):
        if text[at:start].strip():
            found.append(_trimmed(text, at, start))
        at = max(at, end)
    if seen and text[at:].strip():
        found.append(_trimmed(text, at, len(text)))
    return found


def _trimmed(text: str, start: int, end: int) -> Span:
    inner = text[start:end]
    start += len(inner) - len(inner.lstrip())
    return Span(
        start, start + len(inner.strip()), "unseen", "unseen", "hidden from the model: it gives the answer away"
    )


def marked_pictures(lines: Sequence[Line], found: Originals) -> tuple[MarkedPicture, ...]:
    """Pictures with the boxes of the evidence."""
    made = []
    most = max((abs(line.effect.value) for line in lines if line.passage is not None), default=0.0) or 1.0
    for name, picture in found.pictures.items():
        marks = []
        for line in lines:
            for n, place in enumerate(p for p in _places(line) if p.box is not None and p.source == name):
                assert place.box is not None
                x, y, w, h = within(place.box, picture)
                region = line.passage is not None
                kind = ("region" if region else "stated") + (" cited" if line.cited else "")
                title = (
                    f"this region: {points(line.effect.value)} points"
                    if line.evidence is None
                    else f"{line.number}: {line.evidence.text}"
                )
                strength = round(max(0.0, line.effect.value) / most, 3) if region else 0.0
                number = line.number if n == 0 else 0
                marks.append(Mark(x, y, w, h, line.key, number, kind, strength, title))
        marks.sort(key=lambda m: ("region" not in m.kind, "cited" in m.kind))
        made.append(MarkedPicture(name, picture, tuple(marks)))
    return tuple(made)


def document_pages(ws: Workspace, lines: Sequence[Line]) -> list[MarkedPicture]:
    """Pages on which statements and cited sentences stand; the sentence around a statement's words is not boxed."""
    marked = []
    for line, place in _shown(lines):
        title = f"{line.number}: {line.evidence.text}" if line.evidence is not None else "a cited sentence"
        kind = "stated cited" if line.cited else "stated"
        marked.append((place, Mark(0, 0, 0, 0, line.key, line.number, kind, 0.0, title)))
    return [MarkedPicture(*page) for page in pages(ws, marked)]


def heard(ws: Workspace, lines: Sequence[Line]) -> list[Clip]:
    """Clips of recordings in which statements and cited sentences are spoken."""
    return clips(ws, [Said(place, line.key, line.number, line.cited) for line, place in _shown(lines)])


def _shown(lines: Sequence[Line]) -> Iterator[tuple[Line, Place]]:
    """Words of statements, without the sentences around them, and cited sentences."""
    for line in lines:
        for place in _places(line):
            words = place.exact != place.context or line.passage is not None
            if place.kind == "text" and words and (line.cited or line.evidence is not None):
                yield line, place


def _verdict(check: Check, label: str, cited: int) -> Verdict:
    mean, sd = check.without_random
    drop, chance = check.before - check.without_cited, check.before - mean
    answer = (
        "the answer stays" if check.label_without_cited == label else f"the answer becomes {check.label_without_cited}"
    )
    rows = (
        ("with everything", check.before, 0.0, label),
        (f"without the {cited} cited", check.without_cited, 0.0, answer),
        (f"without {cited} at random", mean, sd, f"mean and spread of {RANDOM_CONTROLS} draws from the others"),
        (f"with only the {cited} cited", check.only_cited, 0.0, "of the statements, sentences and regions"),
    )
    if not cited:
        return Verdict(False, "Nothing that was removed lowered the probability, so nothing is cited.", rows[:1])
    cost = (
        f"removing what is cited costs {100 * drop:.2f} points, as much at random {100 * chance:.2f} ± {100 * sd:.2f}"
    )
    if check.holds:
        return Verdict(True, f"The citation holds up: {cost}.", rows)
    return Verdict(False, f"The citation does not stand out: {cost}. Take the evidence below with care.", rows)
