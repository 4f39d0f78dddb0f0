"""Words that were heard or read with doubt: what is said by them is as much less sure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from statistics import geometric_mean

from kgfuse.extract.protocol import Found
from kgfuse.terms.mentions import Mention, Source, Statement, TextSpan


def replaced(one: Statement, change: Callable[[Mention], Mention]) -> Statement:
    """A statement each of whose mentions is changed.

    It keeps the share of its confidence that the mention of its evidence keeps which loses most.
    """
    evidence = tuple(dict.fromkeys(map(change, one.evidence)))
    kept = [change(mention).confidence / mention.confidence for mention in one.evidence if mention.confidence]
    share = min((1.0, *kept))
    return replace(
        one,
        subject=change(one.subject) if isinstance(one.subject, Mention) else one.subject,
        object=change(one.object) if isinstance(one.object, Mention) else one.object,
        evidence=evidence,
        said_by=None if one.said_by is None else change(one.said_by),
        confidence=round(one.confidence * share, 3) if share < 1 else one.confidence,
    )


def as_heard(found: Iterable[Found], source: Source) -> Iterator[Found]:
    """What was found in a transcript, with the probability that its words were heard rightly in its confidence.

    A mention is as sure as a word of it is on average (geometric mean), so that one doubtful word in a long sentence is
    not all there is to it, and a statement as its most doubtful mention. What was found elsewhere is yielded as it is.
    """
    if not source.heard:
        yield from found
        return
    starts, sure = zip(*source.heard, strict=True)

    def heard(mention: Mention) -> Mention:
        if not isinstance(mention.selector, TextSpan):
            return mention
        first = max(0, bisect_right(starts, mention.selector.start) - 1)
        rightly = geometric_mean(sure[first : max(first + 1, bisect_left(starts, mention.selector.end))])
        return mention if rightly >= 1 else replace(mention, confidence=round(mention.confidence * rightly, 3))

    for one in found:
        if isinstance(one, Mention):
            yield heard(one)
            continue
        now = replaced(one, heard)
        if now.confidence < one.confidence:
            now = replace(now, reason=f"{one.reason}; heard with probability {now.confidence / one.confidence:.2f}")
        yield now
