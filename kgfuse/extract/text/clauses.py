"""Reading a dependency parse: who a clause is about, what a word governs, and whether it is denied."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from kgfuse.extract.text.english import (
    DETERMINERS,
    EXCEPTIONS,
    HEDGES,
    LIGHT,
    NEGATORS,
    RELATIVES,
)

_SUBJECTS: Final = frozenset(("nsubj", "nsubjpass"))
_OBJECTS: Final = frozenset(("dobj", "obj"))
_INHERITS: Final = frozenset(("conj", "xcomp", "advcl", "pcomp", "prep", "ccomp", "parataxis", "dep", "oprd", "agent"))
_COMPLEMENTS: Final = frozenset(("acomp", "attr", "oprd", "advmod", "prep", "agent", "npadvmod"))
_EXAMPLES: Final = frozenset(("including", "like"))


def is_passive(token: Any) -> bool:
    """True for a participle that its noun undergoes: "is eaten", "a cake eaten cold"."""
    if token.pos_ not in ("VERB", "AUX", "ADJ"):
        return False
    if any(child.dep_ in ("auxpass", "nsubjpass") for child in token.children):
        return True
    if token.tag_ not in ("VBN", "VBD", "JJ"):
        return False
    if token.dep_ in ("acl", "amod", "acomp", "advcl", "oprd") and not has_own_subject(token):
        return not any(child.dep_ == "aux" and child.lower_ in ("has", "have", "had") for child in token.children)
    if token.dep_ == "conj" and not has_own_subject(token):
        return is_passive(token.head) or token.head.pos_ in ("ADJ", "NOUN") or token.head.lemma_ == "be"
    return token.dep_ == "ROOT" and token.tag_ == "VBN" and not has_own_subject(token)


def has_own_subject(token: Any) -> bool:
    """True where the clause names its subject itself."""
    return any(child.dep_ in _SUBJECTS for child in token.children)


def subjects(token: Any, depth: int = 0) -> list[Any] | None:
    """Tokens that the clause around a token is about; ``None`` where the sentence has no subject of its own.

    Conjoined subjects are all given; participles, relative clauses and appositions lead to the noun they describe,
    and a noun that a copula predicates leads on to the copula's subject.
    """
    if depth > 12:
        return None
    own = [child for child in token.children if child.dep_ in _SUBJECTS]
    if own:
        return [found for subject in own for found in _referents(subject, depth)]
    if token.dep_ in ("relcl", "acl", "amod", "appos") or (token.dep_ == "prep" and token.head.pos_ in _NOUNS):
        return _antecedents(token.head, depth)
    if token.dep_ in ("xcomp", "ccomp"):
        controlled = [child for child in token.head.children if child.dep_ in _OBJECTS and child.i < token.i]
        if controlled and token.head.lemma_ not in ("use", "have", "take", "need", "require"):
            return [found for one in controlled for found in with_conjuncts(one)]
    if token.dep_ in _SUBJECTS:
        return _referents(token, depth)
    if token.dep_ in _INHERITS or token.dep_ in _COMPLEMENTS or token.dep_ in _OBJECTS:
        return subjects(token.head, depth + 1)
    if token.dep_ == "pobj" and token.head.head != token.head:
        return subjects(token.head.head, depth + 1)
    return None


_NOUNS: Final = frozenset(("NOUN", "PROPN", "PRON"))


def _referents(subject: Any, depth: int) -> list[Any]:
    if subject.lower_ in RELATIVES and subject.pos_ in ("PRON", "DET", "SCONJ") and not subject.text.isupper():
        clause: Any = subject.head
        while clause.dep_ in ("conj", "xcomp", "ccomp", "advcl") and clause.head != clause:
            clause = clause.head
        return _antecedents(clause.head, depth) if clause.dep_ == "relcl" else []
    return with_conjuncts(lighten(subject))


def _antecedents(noun: Any, depth: int) -> list[Any]:
    """What a noun that is being described stands for: itself, or the subject that it is predicated of."""
    top = noun
    while top.dep_ == "conj" and top.head.dep_ in ("attr", "appos", "conj"):
        top = top.head
    if top.dep_ == "attr" or (top.dep_ == "pobj" and top.head.lower_ in ("as", "among") and noun.pos_ in _NOUNS):
        found = subjects(top.head, depth + 1)
        if found:
            return found
    if top.dep_ == "pobj" and top.head.lower_ == "of" and top.head.head.lower_ in LIGHT:
        return _antecedents(top.head.head, depth + 1)
    if top.dep_ == "appos":
        return _antecedents(top.head, depth + 1)
    return [lighten(noun)]


def lighten(noun: Any) -> Any:
    """The noun that is meant: "a variety of insects" is about insects."""
    for _ in range(3):
        if noun.lemma_.lower() not in LIGHT and noun.lower_ not in LIGHT:
            break
        of = next((c for c in noun.children if c.dep_ == "prep" and c.lower_ == "of"), None)
        inner = next((c for c in of.children if c.dep_ == "pobj"), None) if of is not None else None
        if inner is None or any(c.dep_ == "poss" for c in noun.children):
            break
        noun = inner
    return noun


def with_conjuncts(token: Any) -> list[Any]:
    """A token and what it is joined with by "and", "or" and commas, in order."""
    found, queue = [], [token]
    while queue:
        here = queue.pop(0)
        found.append(here)
        for child in here.lefts:
            if child.dep_ in ("compound", "nmod") and any(c.dep_ == "conj" for c in child.children):
                queue.append(child)
        queue += [c for c in here.children if c.dep_ == "conj" and c.i > here.i and not has_own_subject(c)]
    return found


def choice(token: Any) -> Any | None:
    """The "or" that joins a token with others of which the text says one; ``None`` where there is none."""
    names = [c for c in token.lefts if c.dep_ in ("compound", "nmod", "amod")]
    prepositions = [token.head] if token.dep_ == "pobj" else []
    joined = [one for start in (token, *names, *prepositions) for one in with_conjuncts(_first_conjunct(start))]
    return next((c for one in joined for c in one.children if c.dep_ == "cc" and c.lower_ == "or"), None)


def _first_conjunct(token: Any) -> Any:
    while token.dep_ == "conj" and token.head.pos_ not in ("VERB", "AUX"):
        token = token.head
    return token


def with_examples(token: Any) -> list[Any]:
    """A token, its conjuncts, and the examples given for it ("such as mice", "including beetles")."""
    found: list[Any] = []
    for one in with_conjuncts(token):
        one = lighten(one)
        found.append(one)
        for child in one.children:
            such_as = child.lower_ == "as" and any(c.lower_ == "such" for c in child.children)
            if child.dep_ == "prep" and child.i > one.i and (such_as or child.lower_ in _EXAMPLES):
                for example in child.children:
                    if example.dep_ == "pobj":
                        found += with_conjuncts(example)
    return list(dict.fromkeys(found))


def dependents(token: Any, deps: frozenset[str]) -> list[Any]:
    """Children with one of these relations, in order."""
    return [child for child in token.children if child.dep_ in deps]


def preposition_objects(prep: Any) -> list[Any]:
    """Objects of a preposition, those of a preposition joined to it included ("in forests and on hills")."""
    found: list[Any] = []
    for child in prep.children:
        if child.dep_ in ("pobj", "pcomp"):
            found += with_examples(child)
        elif (child.dep_ == "conj" and child.pos_ == "ADP") or (child.dep_ == "prep" and child.i == prep.i + 1):
            found += preposition_objects(child)
    return found


def phrase(noun: Any) -> tuple[int, int]:
    """Tokens of a noun phrase from its first modifier to its head, without determiners, numbers' articles, owners."""
    start = noun.i
    lefts = [c for c in noun.lefts if c.dep_ in ("amod", "compound", "nummod", "nmod", "advmod", "quantmod", "punct")]
    for child in reversed(lefts):
        if child.right_edge.i != start - 1 or any(c.dep_ == "conj" for c in child.children):
            break
        start = child.left_edge.i
    while start < noun.i and (
        noun.doc[start].lower_ in DETERMINERS or noun.doc[start].is_punct or noun.doc[start].dep_ in ("advmod", "cc")
    ):
        start += 1
    return start, noun.i + 1


def governors(token: Any) -> Iterator[Any]:
    """The token and its heads up to the root."""
    yield token
    while token.head != token:
        token = token.head
        yield token


def is_negated(anchor: Any, target: Any) -> bool:
    """True where the text denies that the anchor's relation holds of the target ("does not eat", "without wings")."""
    for one in (anchor, target):
        for up in governors(one):
            if any(_denies(child) for child in up.children):
                return True
            if up.dep_ == "prep" and up.lower_ in EXCEPTIONS:
                return True
            if up.dep_ in ("relcl", "acl", "advcl", "ccomp", "ROOT", "parataxis"):
                break
            if up.dep_ == "conj" and _stands_alone(up):
                break
    if any(c.lower_ in ("no", "neither", "never") and c.i < target.i for c in target.children):
        return True
    return target.dep_ == "conj" and _instead(target)


def _stands_alone(conjunct: Any) -> bool:
    """True for a conjunct that a denial of the first one does not reach ("does not bark but howls")."""
    joint = {c.lower_ for c in conjunct.head.children if c.dep_ == "cc"}
    verbal = conjunct.pos_ in ("VERB", "AUX")
    return has_own_subject(conjunct) or "but" in joint or (verbal and not joint & {"or", "nor"})


def _denies(child: Any) -> bool:
    if child.dep_ != "neg" and child.lower_ not in NEGATORS:
        return False
    if child.dep_ not in ("neg", "det", "advmod", "preconj", "cc"):
        return False
    following = child.doc[child.i + 1] if child.i + 1 < len(child.doc) else None
    return following is None or following.lower_ not in ("only", "just", "merely")


def _instead(target: Any) -> bool:
    between = [t.lower_ for t in target.doc[target.head.i + 1 : target.i]]
    return (
        between[:2] in (["rather", "than"], ["instead", "of"])
        or between[:2] == ["but", "not"]
        or between[:1] == ["not"]
    )


def is_hedged(anchor: Any) -> bool:
    """True where the clause restricts what it says ("rarely eats")."""
    return any(child.lower_ in HEDGES and child.dep_ == "advmod" for child in anchor.children)
