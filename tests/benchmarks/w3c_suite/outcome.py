"""What became of a test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tests.benchmarks.w3c_suite.manifest import Test

Status = Literal["passed", "failed", "refused", "beyond"]


@dataclass(frozen=True)
class Outcome:
    """What became of a test.

    Args:
        test: its name.
        status: ``refused`` by design (SERVICE, LOAD), or ``beyond`` what kgfuse sets out to do.
        reason: why it did not pass.
        engine: whether the engine beneath, alone in this process, passes it; ``None`` where that was not asked.
    """

    test: str
    status: Status
    reason: str = ""
    engine: bool | None = None

    @property
    def ours(self) -> bool:
        """Whether kgfuse fails what the engine passes."""
        return self.status == "failed" and self.engine is not False


def judged(test: Test, run: Callable[[], str], engine: Callable[[], str]) -> Outcome:
    """Run a test; where it fails, run the engine alone too.

    Args:
        test: the test.
        run: gives what is wrong, or an empty string.
        engine: the same with the engine alone.
    """
    wrong = run()
    if not wrong:
        return Outcome(test.label, "passed")
    alone = engine()
    said = f"{wrong}; the engine alone: {alone or 'passes'}"
    return Outcome(test.label, "failed", said, engine=not alone)
