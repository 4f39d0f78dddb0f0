"""Where the packs and the field guide's data that ship with kgfuse lie: inside the package, or beside a checkout's."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from kgfuse.errors import PackError


def general() -> Path:
    """Core vocabulary, colours, materials, places and people; every workspace loads it."""
    return _shipped("ontologies", "general")


def field_guide() -> Path:
    """The field guide's animals, plants, food, vehicles, tools and places."""
    return _shipped("ontologies", "field-guide")


def retail() -> Path:
    """Groceries."""
    return _shipped("ontologies", "retail")


def field_guide_data() -> Path:
    """The field guide's articles, pictures list and labels."""
    return _shipped("data", "field-guide")


def _shipped(kind: str, name: str) -> Path:
    package = Path(str(files("kgfuse")))
    for folder in (package / kind / name, package.parent / kind / name):
        if folder.is_dir():
            return folder
    raise PackError(f"{kind}/{name} is not there", where=package, remedy="install kgfuse again")
