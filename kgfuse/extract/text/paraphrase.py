"""What else says a label: "birth date" is said by "was born on", "founder" by "founded by".

Ontologies name properties by nouns where texts use verbs. These are the nouns that they use most, with the phrases that
say them, subject first; a property's domain and range still decide.
"""

from __future__ import annotations

import re
from typing import Final

_EVENTS: Final = {
    "birth": "is born", "death": "dies", "founding": "is founded", "foundation": "is founded",
    "establishment": "is established", "formation": "is formed", "opening": "is opened", "closing": "is closed",
    "construction": "is built", "completion": "is completed", "inauguration": "is inaugurated",
    "publication": "is published", "release": "is released", "launch": "is launched", "discovery": "is discovered",
    "invention": "is invented", "creation": "is created", "burial": "is buried", "manufacture": "is manufactured",
    "production": "is produced", "introduction": "is introduced", "dissolution": "is dissolved",
    "resignation": "resigns", "retirement": "retires", "admission": "is admitted", "discharge": "is discharged",
    "installation": "is installed", "delivery": "is delivered", "purchase": "is bought",
}  # fmt: skip
"""Nouns of what happens, by the verb that says it."""
_AGENTS: Final = {
    "founder": ("founded",), "author": ("written", "authored"), "writer": ("written",), "director": ("directed",),
    "producer": ("produced",), "composer": ("composed",), "designer": ("designed",), "architect": ("designed",),
    "creator": ("created",), "inventor": ("invented",), "discoverer": ("discovered",), "developer": ("developed",),
    "manufacturer": ("manufactured", "made"), "maker": ("made",), "builder": ("built",), "publisher": ("published",),
    "editor": ("edited",), "translator": ("translated",), "painter": ("painted",), "illustrator": ("illustrated",),
    "owner": ("owned",), "operator": ("operated",), "distributor": ("distributed",), "supplier": ("supplied",),
    "sponsor": ("sponsored",), "manager": ("managed",), "leader": ("led",), "narrator": ("narrated",),
}  # fmt: skip
"""Nouns of who does something, by the participles that say it."""
_RELATIONS: Final = {
    "headquarters": ("is headquartered in", "is based in"), "location": ("is located in", "lies in"),
    "birthplace": ("is born in",), "residence": ("lives in",), "home town": ("grows up in",),
    "hometown": ("grows up in",), "employer": ("works for", "is employed by"), "spouse": ("is married to",),
    "parent company": ("is owned by",), "alma mater": ("studies at", "graduates from"),
    "origin": ("comes from", "originates from"), "ingredient": ("contains", "is made from"),
    "material": ("is made of",), "capacity": ("seats",), "occupant": ("is occupied by",),
}  # fmt: skip
"""Other nouns of relations, by the phrases that say them."""
_WHEN: Final = frozenset(("date", "year", "time"))
_WHERE: Final = frozenset(("place", "city", "town", "country", "location"))


def paraphrases(label: str, *, dated: bool = False) -> tuple[str, ...]:
    """Phrases that say what a label does, in the order of the tables; none where it is no such noun.

    Args:
        label: of a property.
        dated: whether it takes a date, which alone says when something happened.

    >>> paraphrases("birthDate", dated=True), paraphrases("place of birth"), paraphrases("founder"), paraphrases("eats")
    (('is born',), ('is born in',), ('is founded by',), ())
    """
    said = " ".join(re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", label).lower().split())
    if said in _AGENTS:
        return tuple(f"is {participle} by" for participle in _AGENTS[said])
    if said in _RELATIONS:
        return _RELATIONS[said]
    sort, _, event = said.partition(" of ")
    if not event:
        event, _, sort = said.rpartition(" ")
    verb = _EVENTS.get(event)
    if verb is None:
        return ()
    if sort in _WHEN:
        return (verb,) if dated else ()
    return (f"{verb} in",) if sort in _WHERE else ()
