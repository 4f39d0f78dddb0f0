"""Whether a text itself vouches for what a clause says: denied, speculated, left open, or reported of somebody else.

Cues with a scope, as in NegEx (Chapman et al. 2001) and ConText (Harkema et al. 2009), but the scope is read off the
dependency parse: a cue reaches what it governs, up to the next clause of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from kgfuse.extract.text.clauses import choice, governors, has_own_subject, is_negated
from kgfuse.extract.text.english import EXCEPTIONS, NEGATORS, words
from kgfuse.terms.mentions import Assertion

MODALS: Final = words("may might could")
DOUBTS: Final = words("perhaps possibly probably allegedly reportedly supposedly presumably maybe potentially likely")
SEEMING: Final = words("seem appear")
GUESSING: Final = words("suspect assume speculate hypothesise hypothesize expect predict propose guess suppose wonder")
REPORTING: Final = words(
    "say claim report argue believe think state assert maintain insist contend allege announce declare suggest write "
    "note consider regard deem rumour rumor"
)
DENYING: Final = words("deny doubt refute dispute reject")
_CONDITIONS: Final = words("if whether unless")
CUES: Final = (
    words("according likely rather instead or") | MODALS | DOUBTS | SEEMING | GUESSING | REPORTING | DENYING
    | _CONDITIONS | NEGATORS | EXCEPTIONS
)  # fmt: skip
"""Forms or lemmas of which a sentence has one, or a question mark, where it says anything but plainly."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a clause is said.

    Args:
        assertion: see :data:`kgfuse.terms.mentions.Assertion`.
        cue: the token that says so; ``None`` for what is plainly asserted.
        holder: token of who says so, for what is attributed; ``None`` where the text does not tell.
    """

    assertion: Assertion = "asserted"
    cue: Any = None
    holder: Any = None


PLAIN: Final = Standing()


def standing(anchor: Any, target: Any, subject: Any = None) -> Standing:
    """How the text stands to the relation that the anchor token says of the target token.

    Args:
        anchor: head of the words that say the relation.
        target: head of its object.
        subject: head of its subject, where there is one.
    """
    if is_negated(anchor, target) or (subject is not None and any(c.lower_ == "no" for c in subject.children)):
        return Standing("negated", anchor)
    for verb in _verbs(anchor):
        doubt = next((c for c in verb.children if _is_doubt(c)), None)
        if doubt is not None:
            return Standing("speculated", doubt)
        said_by = next((c for c in verb.children if c.lower_ == "according" and c.dep_ == "prep"), None)
        if said_by is not None:
            return Standing("attributed", said_by, _according(said_by))
        above = verb.head
        if above == verb:
            break
        if verb.dep_ in ("ccomp", "xcomp", "oprd"):
            found = _of_verb_above(above, verb)
            if found is not None:
                return found
    if _is_past(anchor) and (either := choice(target) or (subject is not None and choice(subject))):
        return Standing("speculated", either)
    last = _last(anchor)
    return Standing("speculated", last) if last.text.endswith("?") else PLAIN


def _is_past(anchor: Any) -> bool:
    """True for what happened once: "was born in Rome or Milan" leaves it open, "eats mice or seeds" says both."""
    while anchor.dep_ == "conj" and not has_own_subject(anchor):
        anchor = anchor.head
    if anchor.dep_ in ("acl", "amod"):  # "a tool used for cutting or sawing"
        return False
    return any(t.tag_ == "VBD" for t in (anchor, *(c for c in anchor.children if c.dep_ in ("aux", "auxpass"))))


def _last(token: Any) -> Any:
    """The last token of a token's sentence but for space; `Token.sent` costs many times as much."""
    doc, at = token.doc, token.i + 1
    while at < len(doc) and not doc[at].is_sent_start:
        at += 1
    while at - 1 > token.i and doc[at - 1].is_space:
        at -= 1
    return doc[at - 1]


def _verbs(anchor: Any) -> list[Any]:
    """The clause's verbs from the anchor up to the root; a relative clause stands for itself."""
    found = []
    for token in governors(anchor):
        if token.pos_ in ("VERB", "AUX", "ADJ") or token == anchor:
            found.append(token)
        if token.dep_ in ("relcl", "ROOT", "parataxis"):
            break
    return found


def _is_doubt(child: Any) -> bool:
    if child.dep_ == "aux":
        return child.lower_ in MODALS and child.tag_ == "MD"
    if child.dep_ == "mark":
        return child.lower_ in _CONDITIONS
    return child.dep_ in ("advmod", "amod") and child.lower_ in DOUBTS


def _of_verb_above(above: Any, clause: Any) -> Standing | None:
    lemma = above.lemma_.lower()
    if lemma in SEEMING or (above.lower_ == "likely" and clause.dep_ == "xcomp"):
        return Standing("speculated", above)
    if lemma in DENYING:
        return Standing("negated", above)
    passive = any(c.dep_ == "auxpass" for c in above.children)
    if lemma in GUESSING and (clause.dep_ == "ccomp" or passive):
        return Standing("speculated", above)
    if lemma in REPORTING and (clause.dep_ == "ccomp" or passive):
        return Standing("attributed", above, _sayer(above, passive=passive))
    return None


def _sayer(verb: Any, *, passive: bool) -> Any | None:
    if passive:
        agents = [c for c in verb.children if c.dep_ == "agent"]
        return next((o for a in agents for o in a.children if o.dep_ == "pobj"), None)
    return next((c for c in verb.children if c.dep_ == "nsubj"), None)


def _according(cue: Any) -> Any | None:
    to = [c for c in cue.children if c.lower_ == "to"]
    return next((o for t in (*to, cue) for o in t.children if o.dep_ == "pobj"), None)
