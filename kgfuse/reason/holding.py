"""What the reasoner reads: a pyoxigraph store whose default graph is what holds, or anything that has one."""

from __future__ import annotations

from typing import Protocol, TypeAlias

import pyoxigraph as ox


class HasStore(Protocol):
    """Such as `kgfuse.graph.store.GraphStore`."""

    raw: ox.Store


Holding: TypeAlias = ox.Store | HasStore


def raw_store(store: Holding) -> ox.Store:
    """The pyoxigraph store itself."""
    return store if isinstance(store, ox.Store) else store.raw
