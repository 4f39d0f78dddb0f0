"""Closed word classes of English that the patterns lean on, and noun and verb forms."""

from __future__ import annotations

from typing import Final


def words(text: str) -> frozenset[str]:
    """A word class written as one string."""
    return frozenset(text.split())


BE: Final = words("be is are was were been being am 's 're")
ARTICLES: Final = words("a an the")
PREPOSITIONS: Final = words(
    "about above across after against along alongside amid among around as at before behind below beneath beside "
    "between beyond by down during for from in inside into like near of off on onto out over past per since "
    "through throughout till to toward towards under underneath until up upon via with within without"
)
DEFINITE: Final = words("the this these that those such")
DETERMINERS: Final = words(
    "a an the this these that those such some any many much most more several few both all each every other "
    "another various certain numerous different own its their his her our your my"
)
POSSESSIVES: Final = words("its their his her")
SUBJECT_PRONOUNS: Final = words("it they he she this these")
QUANTIFIERS: Final = words("most some many all both each several one none")
RELATIVES: Final = words("that which who whom whose")
NEGATORS: Final = words("not n't never no neither nor none without unlike hardly nobody nothing")
EXCEPTIONS: Final = words("except unlike without but")
HEDGES: Final = words("rarely seldom sometimes occasionally")
BEARING: Final = words("have bear carry wear possess show feature sport display boast get")
GENERIC: Final = words(
    "animal creature species bird fish insect plant flower tree fruit vegetable food dish drink product object "
    "thing item device machine vehicle tool instrument material building place structure organism variety type "
    "breed brand article model garment kind"
)
"""Nouns that, with a definite article in subject position, take up the document's subject again."""
LIGHT: Final = words(
    "variety range kind type sort lot number part species group mixture most some piece amount handful bit plenty "
    "mix combination selection form slice bunch pair set dozen hundred thousand layer sheet block majority rest "
    "couple all many several few one each series array edge centre center middle heart outskirts"
)
"""Nouns whose ``of`` complement is what is meant: "a variety of insects"."""
ATTRIBUTIVE: Final = words(
    "big small large little tiny huge giant great tall short long low high wide narrow broad thick thin fine "
    "heavy light deep shallow young old new ancient modern early late adult baby juvenile wild tame domestic "
    "fresh dried dry wet raw ripe hot cold warm cool mild sweet sour bitter salty soft hard strong weak fast slow "
    "clean dirty clear open shady sunny rocky sandy grassy leafy muddy snowy icy salt other many most same "
    "similar common rare good bad fat lean male female live dead red orange yellow green blue purple pink brown "
    "black white grey gray dark bright pale northern southern eastern western central tropical local simple plain "
    "rich poor whole main certain various different single double two three four five six seven eight nine ten"
)
ATTRIBUTIVE_ENDINGS: Final = (
    "al", "ous", "ful", "ish", "ic", "ible", "able", "less", "ive", "ed", "ing", "est", "ary", "ern", "like"
)  # fmt: skip
MEASURED_BY: Final = {
    "length": ("long",), "height": ("high", "tall"), "width": ("wide", "broad"), "depth": ("deep",),
    "thickness": ("thick",), "age": ("old",),
}  # fmt: skip
"""Adjectives that say a quantity after a figure: "324 metres tall"."""
MEASURING: Final = {"weight": "weigh", "mass": "weigh", "duration": "last", "price": "cost"}
"""Verbs whose object is the figure of a quantity: "weighs 3 kg"."""
_IRREGULAR: Final = {
    "mice": "mouse", "geese": "goose", "feet": "foot", "teeth": "tooth", "men": "man", "women": "woman",
    "children": "child", "people": "person", "oxen": "ox", "lice": "louse", "dice": "die", "leaves": "leaf",
    "loaves": "loaf", "knives": "knife", "wolves": "wolf", "calves": "calf", "halves": "half", "shelves": "shelf",
    "hooves": "hoof", "lives": "life", "wives": "wife", "thieves": "thief", "scarves": "scarf", "larvae": "larva",
    "algae": "alga", "cacti": "cactus", "fungi": "fungus", "data": "datum", "bacteria": "bacterium",
}  # fmt: skip
_UNCHANGED: Final = words("species series sheep deer fish means news gas bus lens glass grass")


def singular(word: str) -> str:
    """Singular of an English noun in lower case; a word that is no plural mostly stays itself.

    >>> [singular(w) for w in ("potatoes", "berries", "foxes", "mice", "leaves", "horses", "glass", "bus")]
    ['potato', 'berry', 'fox', 'mouse', 'leaf', 'horse', 'glass', 'bus']
    """
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) < 4 or not word.endswith("s") or word in _UNCHANGED or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "xes", "sses", "oes", "zzes")):
        return word[:-2]
    return word[:-1]


def gerund(verb: str) -> str:
    """The ``-ing`` form of a verb's base form, up to doubled consonants.

    >>> [gerund(v) for v in ("bake", "cook", "see")]
    ['baking', 'cooking', 'seeing']
    """
    if verb.endswith("e") and not verb.endswith(("ee", "oe", "ye")) and len(verb) > 2:
        return verb[:-1] + "ing"
    return verb + "ing"


def is_attributive(word: str) -> bool:
    """True for an adjective that narrows a noun without changing what it names.

    >>> is_attributive("small"), is_attributive("guinea")
    (True, False)
    """
    return word in ATTRIBUTIVE or (len(word) > 4 and word.endswith(ATTRIBUTIVE_ENDINGS))
