"""Entry point of the command ``kgfuse``."""

from __future__ import annotations

from kgfuse.cli import (
    asking,
    building,
    checking,
    completing,
    demo,
    extracting,
    inspecting,
    learning,
    merging,
    ontologies,
    reviewing,
)
from kgfuse.cli.app import app

__all__ = [
    "app",
    "asking",
    "building",
    "checking",
    "completing",
    "demo",
    "extracting",
    "inspecting",
    "learning",
    "main",
    "merging",
    "ontologies",
    "reviewing",
]


def main() -> None:
    """Run the command line and leave with its exit code."""
    app(prog_name="kgfuse")


if __name__ == "__main__":
    main()
