"""What every step of preprocessing is, whatever the modality: a name, a version and parameters, to be recorded."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict


class Step(BaseModel):
    """One step. A subclass says its name as the only value of ``step``, and adds its parameters.

    Attributes:
        version: raised whenever the same parameters give another outcome.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: ClassVar[int] = 1
    step: str

    @property
    def record(self) -> dict[str, Any]:
        """What goes into the record of a run: enough to do the step again."""
        return {"step": self.step, "version": self.version, **self.model_dump(mode="json", exclude={"step"})}


def records(steps: Iterable[Step]) -> list[dict[str, Any]]:
    """The records of steps, in order."""
    return [one.record for one in steps]


def told(record: dict[str, Any]) -> str:
    """A record in words.

    >>> told({"step": "resize", "version": 1, "longest": 1600})
    'resize (longest 1600)'
    """
    said = ", ".join(f"{name} {value}" for name, value in record.items() if name not in ("step", "version"))
    return f"{record['step']} ({said})" if said else str(record["step"])
