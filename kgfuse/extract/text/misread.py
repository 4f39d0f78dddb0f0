"""Verbs that the parser took for nouns ("The owl hunts at night"), where the ontology knows them as verbs.

A small model reads "owl hunts" as hunts of owls. The sentence then has no verb at all, or one that does not agree with
so many hunts. Where the word is the head of a trigger, which goes on as the sentence does, the sentence is parsed again
with a verb in its place that is nothing else; only if that makes it the verb of the noun before, the new parse stands.
"""

from __future__ import annotations

import itertools
from typing import Any, Final

from kgfuse.extract.text.triggers import Triggers

_SURE: Final = {True: "lives", False: "contains"}
"""Words that are no noun, by whether a preposition follows."""
_NOUNS: Final = frozenset(("NOUN", "PROPN"))
_BEFORE: Final = frozenset(("NOUN", "PROPN", "ADJ", "PRON"))
_OBJECTS: Final = frozenset(("DET", "ADJ", "NOUN", "PROPN", "NUM", "PRON"))
_TRIED: Final = 2
_LONGEST: Final = 80
"""Tokens of a sentence that is parsed again, and how often at most: what is no language costs no more than it does."""
_OTHERS: Final = frozenset(("conj", "relcl", "acl", "advcl", "ccomp"))
_FINITE: Final = frozenset(("VBZ", "VBP", "VBD", "MD"))


class Misread:
    """Looks for such verbs, and parses their sentences again.

    Args:
        nlp: the pipeline.
        triggers: phrases of the ontology.
    """

    def __init__(self, nlp: Any, triggers: Triggers) -> None:
        self._nlp, self._triggers = nlp, triggers

    def mended(self, doc: Any) -> Any:
        """The same document, or one of the same words with other parses of some sentences."""
        found = {}
        for sent in doc.sents:
            if len(sent) > _LONGEST:
                continue
            for token in itertools.islice((t for t in sent if self._doubtful(t, sent)), _TRIED):
                parse = self._again(token, sent)
                if parse is not None:
                    found[sent.start] = parse
                    break
        return self._with(doc, found) if found else doc

    def _doubtful(self, token: Any, sent: Any) -> bool:
        if token.pos_ not in _NOUNS or token.i == sent.start or token.i + 1 >= sent.end or not _is_third(token.lower_):
            return False
        before, after = token.nbor(-1), token.nbor(1)
        if before.pos_ not in _BEFORE or before.head != token:
            return False
        if token.dep_ in ("nsubj", "nsubjpass") and token.head.pos_ not in _NOUNS:  # of which a noun is none
            if token.head.tag_ != "VBZ" or any(c.dep_.startswith("aux") for c in token.head.children):
                return False  # it agrees, or may
        elif token.dep_ not in ("ROOT", "nsubj") or any(t.tag_ in _FINITE for t in sent if t.dep_ not in _OTHERS):
            return False
        for trigger in self._triggers.at(token.lower_, _lemma(token.lower_)):
            if trigger.kind == "finite" and (after.lower_ == trigger.after[0] if trigger.after else _opens(after)):
                return True
        return False

    def _again(self, token: Any, sent: Any) -> Any | None:
        from spacy.tokens import Doc

        words = [t.text for t in sent]
        at = token.i - sent.start
        words[at] = _SURE[token.nbor(1).pos_ == "ADP"]
        parse = Doc(self._nlp.vocab, words=words, spaces=[bool(t.whitespace_) for t in sent])
        for _, pipe in self._nlp.pipeline:
            parse = pipe(parse)
        verb = parse[at]
        subject = next((c for c in verb.children if c.dep_ == "nsubj" and c.i == at - 1), None)
        is_verb = verb.pos_ == "VERB" and subject is not None and _may_stand(subject)
        return parse if is_verb and sum(1 for _ in parse.sents) == 1 else None

    def _with(self, doc: Any, parses: dict[int, Any]) -> Any:
        """A document of the same words: these sentences as parsed again, the others as they were."""
        from spacy.tokens import Doc

        rows: dict[str, list[Any]] = {name: [] for name in ("tags", "pos", "morphs", "lemmas", "heads", "deps", "ents")}
        for sent in doc.sents:
            parse = parses.get(sent.start)
            tokens = list(sent) if parse is None else list(parse)
            begin = 0 if parse is None else sent.start
            for old, new in zip(sent, tokens, strict=True):
                rows["tags"].append(new.tag_)
                rows["pos"].append(new.pos_)
                rows["morphs"].append(str(new.morph))
                rows["lemmas"].append(new.lemma_ if new.text == old.text else _lemma(old.lower_))
                rows["heads"].append(begin + new.head.i)
                rows["deps"].append(new.dep_)
                rows["ents"].append(f"{old.ent_iob_}-{old.ent_type_}" if old.ent_type_ else "O")
        spaces = [bool(t.whitespace_) for t in doc]
        heads = rows.pop("heads")
        return Doc(doc.vocab, words=[t.text for t in doc], spaces=spaces, heads=heads, **rows)


def _is_third(word: str) -> bool:
    return len(word) > 3 and word.endswith("s") and not word.endswith("ss")


def _lemma(word: str) -> str:
    """A verb's lemma from its form with -s.

    >>> [_lemma(w) for w in ("hunts", "catches", "carries", "uses")]
    ['hunt', 'catch', 'carry', 'use']
    """
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "sses", "xes", "zzes", "oes")):
        return word[:-2]
    return word[:-1]


def _may_stand(noun: Any) -> bool:
    """True for what can be a subject: a name or pronoun, or a noun with an article or the like."""
    return noun.pos_ in ("PROPN", "PRON") or any(c.dep_ in ("det", "poss", "nummod", "amod") for c in noun.children)


def _opens(token: Any) -> bool:
    return bool(token.pos_ in _OBJECTS)
