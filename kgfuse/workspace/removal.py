"""``remove``: takes sources out of the catalog, with the items that only they made, and their problems."""

from __future__ import annotations

import difflib
from pathlib import Path

from kgfuse.catalog import Catalog
from kgfuse.errors import UsageError


def remove(catalog: Catalog, name: str) -> int:
    """Remove a source, or all that a folder or manifest brought; return how many sources went.

    Raises:
        UsageError: nothing has this name; the message lists the nearest.
    """
    rows = catalog.sources()
    location = str(Path(name).resolve())
    chosen = {
        r.name
        for r in rows
        if name.rstrip("/") in (r.name, r.parent)
        or r.name.startswith(name.rstrip("/") + "/")
        or location == r.location
        or r.location.startswith(location + "/")
    }
    places = _troubled(catalog, name, location) if name.strip("/") else set[str]()
    if not name.strip("/") or not (chosen or places):
        near = difflib.get_close_matches(name, [r.name for r in rows], n=3, cutoff=0.4)
        raise UsageError(
            f"no source is called {name!r}",
            remedy=f"did you mean {', '.join(near)}?" if near else "see `kgfuse info`",
        )
    chosen |= {r.name for r in rows if r.parent in chosen}
    with catalog.transaction():
        for place in places:
            catalog.clear_problem(place)
        for source in chosen:
            catalog.remove_items_of(source)
            catalog.remove_source(source)
            catalog.clear_problem(source)
            for key in catalog.states("failed:"):
                if key.split(":", 2)[2] == source:
                    catalog.set_state(key, None)
        left = {r.item for r in catalog.sources()}
        for item in catalog.items():
            if item.manifest is None and item.iri not in left:
                catalog.remove_item(item.iri)
    return len(chosen)


def _troubled(catalog: Catalog, name: str, location: str) -> set[str]:
    """Places of the problems of a file or folder, which may never have become a source."""
    name = name.rstrip("/")
    return {
        p.place
        for p in catalog.problems()
        if p.place == name
        or p.place.startswith((f"{name}/", f"{name}:"))
        or p.message.startswith((f"{location}:", f"{location}/"))
    }
