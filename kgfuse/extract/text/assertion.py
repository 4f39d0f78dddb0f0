"""How a clause is said: as a fact, denied, supposed, or reported as the word of somebody else.

Cue words with a scope, as in NegEx (Chapman et al. 2001, doi:10.1006/jbin.2001.1029) and ConText (Harkema et al. 2009,
doi:10.1016/j.jbi.2009.05.002), but where those count words to the next conjunction, a scope here is what the cue
governs in the dependency parse. A denial goes before a supposition, a supposition before a report. Verbs that vouch for
what they govern ("found that", "showed that") report nothing: what they say is asserted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from kgfuse.extract.text.clauses import is_negated
from kgfuse.extract.text.english import words
from kgfuse.terms.mentions import Assertion

MODALS: Final = words("may might could")
DOUBT: Final = words(
    "perhaps possibly probably maybe presumably conceivably potentially likely unlikely supposedly apparently "
    "seemingly arguably"
)
HEARSAY: Final = words("reportedly allegedly purportedly reputedly ostensibly")
DOUBTFUL: Final = words(
    "likely unlikely possible probable potential suspected presumed putative hypothetical conceivable expected "
    "supposed rumoured rumored doubtful unclear uncertain"
)
"""Adjectives: of a noun ("a suspected cause") or of a clause ("is likely to")."""
SUPPOSE: Final = words(
    "believe think suspect suppose assume guess speculate hypothesise hypothesize postulate propose suggest expect "
    "hope wish want plan intend aim consider wonder doubt fear imagine predict estimate seem appear"
)
REPORT: Final = words(
    "say tell state claim report announce argue allege assert declare maintain insist write note explain contend "
    "mention add remark testify complain warn promise describe post tweet quote"
)
DENY: Final = words("deny refute reject dispute disprove exclude dismiss fail refuse forget")
_CONDITIONS: Final = words("if unless whether")
_CLAUSAL: Final = frozenset(("ccomp", "xcomp", "csubj", "parataxis", "acl", "advcl"))
_INNER: Final = frozenset(
    ("conj", "prep", "pobj", "dobj", "obj", "attr", "acomp", "agent", "pcomp", "oprd", "advmod", "npadvmod", "nsubj",
     "nsubjpass", "amod", "compound", "nmod", "poss", "nummod", "dative", "dep", "aux", "auxpass", "quantmod")
)  # fmt: skip
_PEOPLE: Final = frozenset(("nsubj", "agent", "nsubjpass"))
_DEPTH: Final = 12


@dataclass(frozen=True, slots=True)
class Said:
    """How something is said, and the token of whoever says so, where the sentence names them."""

    manner: Assertion
    by: Any | None = None


def manner_of(anchor: Any, target: Any, subject: Any | None = None) -> Said:
    """How the sentence says that the anchor's relation holds of the target.

    Args:
        anchor: the word that states the relation.
        target: the object's word.
        subject: the subject's word; "no fox eats …" is a denial.
    """
    denied = is_negated(anchor, target) or (subject is not None and any(c.lower_ == "no" for c in subject.children))
    doubted = any(_doubts(c) for one in (anchor, target) for c in one.children)
    reported: Any | None = None
    is_report = False
    for clause in _clauses(anchor):
        head = clause.head
        doubted = doubted or any(_doubts(c) for c in clause.children) or _conditional(clause)
        if (who := _according_to(clause)) is not None:
            is_report, reported = True, reported or who
        if any(c.lower_ in HEARSAY and c.dep_ == "advmod" for c in clause.children):
            is_report = True
        if head == clause or clause.dep_ not in (*_CLAUSAL, "pcomp"):
            continue
        if clause.dep_ == "pcomp":
            head = head.head
        if clause.dep_ == "acl" and any(c.lower_ == "no" for c in head.children):
            denied = True
        lemma = head.lemma_.lower()
        who = _sayer(head) if clause.dep_ != "xcomp" or any(c.dep_ == "agent" for c in head.children) else None
        if lemma in DENY and clause.dep_ in ("ccomp", "xcomp"):
            denied, reported = not denied, reported or who
        elif lemma in SUPPOSE or head.lower_ in DOUBTFUL or _is_doubtful(head, clause):
            doubted, reported = True, reported or who
        elif lemma in REPORT:
            is_report, reported = True, reported or who
    if (inserted := _inserted_report(anchor)) is not None:
        is_report, reported = True, reported or inserted
    if denied:
        return Said("negated", reported)
    if doubted or _asked(anchor):
        return Said("speculated", reported)
    return Said("attributed", reported) if is_report else Said("asserted")


def _clauses(anchor: Any) -> Iterator[Any]:
    """The word that states a relation and what governs it, as far as what is said of those reaches it.

    A relative clause says what it says by itself: "the fox, which eats mice, may be red" supposes nothing of mice.
    """
    token = anchor
    for _ in range(_DEPTH):
        yield token
        if token.head == token or token.dep_ in ("relcl", "appos"):
            return
        if token.dep_ == "acl" and token.tag_ in ("VBN", "VBG", "VBD"):
            return
        if token.dep_ == "conj" and token.pos_ in ("VERB", "AUX") and _has_subject(token):
            return
        if token.dep_ == "advcl" and not _is_purpose(token):
            return
        if token.dep_ not in _CLAUSAL and token.dep_ not in _INNER:
            return
        if token.dep_ in ("nsubj", "nsubjpass") and token.head.pos_ == "VERB":
            return
        token = token.head


def _has_subject(token: Any) -> bool:
    return any(c.dep_ in ("nsubj", "nsubjpass") for c in token.children)


def _is_purpose(clause: Any) -> bool:
    """True for an infinitive: "is expected to open", which the parser may take for an adverbial clause."""
    return any(c.dep_ == "aux" and c.tag_ == "TO" for c in clause.children) and not _has_subject(clause)


def _doubts(child: Any) -> bool:
    if child.dep_ == "aux":
        return child.lower_ in MODALS
    if child.dep_ == "advmod":
        return child.lower_ in DOUBT and not _is_negative_doubt(child)
    return child.dep_ == "amod" and child.lower_ in DOUBTFUL


def _is_doubtful(copula: Any, clause: Any) -> bool:
    """True in "it is possible that …"."""
    return any(c.dep_ in ("acomp", "attr") and c.lower_ in DOUBTFUL and c.i < clause.i for c in copula.children)


def _is_negative_doubt(child: Any) -> bool:
    return any(c.dep_ == "neg" for c in child.children)


def _conditional(clause: Any) -> bool:
    return any(c.dep_ in ("mark", "advmod") and c.lower_ in _CONDITIONS and c.i < clause.i for c in clause.children)


def _asked(anchor: Any) -> bool:
    """True in a question."""
    sent = anchor.sent
    last = next((t for t in reversed(list(sent)) if not t.is_space and not t.is_quote), None)
    return last is not None and last.text == "?"


def _sayer(verb: Any) -> Any | None:
    """Who says it: the subject of a verb in the active, the agent of one in the passive."""
    is_passive = any(c.dep_ in ("auxpass", "nsubjpass") for c in verb.children)
    for child in verb.children:
        if child.dep_ == "agent":
            return next((c for c in child.children if c.dep_ == "pobj"), None)
        if child.dep_ == "nsubj" and not is_passive and child.lower_ not in ("it", "that", "this", "which", "there"):
            return child
    if verb.dep_ == "conj" and not is_passive:
        return _sayer(verb.head)
    return None


def _according_to(clause: Any) -> Any | None:
    """The source in "according to X", "in the opinion of X" before or behind a clause."""
    for child in clause.children:
        if child.dep_ == "prep" and child.lower_ == "according":
            for to in child.children:
                found = next((c for c in to.children if c.dep_ == "pobj"), None)
                if found is not None:
                    return found
                if to.dep_ == "pobj":
                    return to
        if child.dep_ == "prep" and child.lower_ == "in":
            for noun in child.children:
                if noun.lemma_.lower() in ("opinion", "view", "words", "word"):
                    owner = next((c for c in noun.children if c.dep_ == "poss"), None)
                    of = next((c for c in noun.children if c.dep_ == "prep" and c.lower_ == "of"), None)
                    return owner or (next(iter(of.children), None) if of is not None else None)
    return None


def _inserted_report(anchor: Any) -> Any | None:
    """The sayer of a report set behind its words: "The bridge opened in 1990, the ministry said."."""
    root = anchor.sent.root
    for child in root.children:
        if child.dep_ in ("parataxis", "ccomp") and child.lemma_.lower() in REPORT and child != anchor:
            inside = {t.i for t in child.subtree}
            if anchor.i not in inside:
                return _sayer(child)
    return None
