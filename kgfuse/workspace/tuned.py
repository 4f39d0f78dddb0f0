"""What fine-tuning of texts and of pictures share: whether it can be had, and which classes the result tells apart."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from kgfuse.errors import TrainingError
from kgfuse.fuse.data import Target

_CLASSES = "classes.json"


def can_tune(what: Literal["text", "image"], setting: bool | Literal["auto"], target: Target, items: int) -> bool:
    """Whether a classifier of a target can be tuned.

    Args:
        what: it reads.
        setting: what the configuration says of tuning it.
        target: whose classes it is to tell apart.
        items: labelled training items that have a text or picture.

    Raises:
        TrainingError: it is asked for, and the target gives items several classes, or fewer than two have any.
    """
    asked, remedy = setting is True, f"leave {what}.finetune at auto"
    if asked and target.multi_label:
        a = "a text" if what == "text" else "an image"
        said = f"{a} classifier is tuned for one class an item, and {target.name} gives several"
        raise TrainingError(said, remedy=remedy)
    if asked and items < 2:
        named = {"text": "text", "image": "picture"}[what]
        raise TrainingError(
            f"{items} labelled training items have a {named}: too few to tune the {what} encoder on",
            remedy=f"add {named}s, or {remedy}",
        )
    return setting is not False and not target.multi_label and items > 0


def write_classes(folder: Path, target: str, classes: Sequence[str]) -> None:
    """Write the name of the target, and the IRIs of the outputs."""
    (folder / _CLASSES).write_text(json.dumps({"target": target, "classes": classes}), "utf-8")


def read_classes(folder: Path) -> tuple[str, tuple[str, ...]]:
    """Read what `write_classes` wrote.

    Raises:
        OSError, ValueError, KeyError, TypeError: it is damaged.
    """
    about = json.loads((folder / _CLASSES).read_text("utf-8"))
    return about["target"], tuple(about["classes"])
