"""How much memory one call takes at its peak, beyond what the process held before."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import torch

Result = TypeVar("Result")
_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def resident_mb(field: str) -> float | None:
    """A line of ``/proc/self/status`` in MB: ``VmHWM``, ``VmRSS``, ``RssAnon`` …; ``None`` where there is none."""
    try:
        lines = _STATUS.read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{field}:")), None)


def own_mb() -> float:
    """What the process holds now in MB, without pages of mapped files; not a number where the system does not tell."""
    held = resident_mb("RssAnon")
    return float("nan") if held is None else held


def reset_peak() -> bool:
    """Let ``VmHWM`` start again from what is held now, as Linux allows."""
    try:
        _RESET.write_text("5")
    except OSError:
        return False
    return True


def give_back() -> None:
    """Return freed memory to the system where the C library can (glibc), lest a call be served from what lies ready."""
    gc.collect()
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
        trim(0)


def peak_above(run: Callable[[], Result], device: str) -> tuple[Result, float | None]:
    """What ``run`` gives, and its peak in MB above what was held before (``None``: the system does not tell)."""
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        result = run()
        return result, (torch.cuda.max_memory_allocated() - before) / 2**20
    give_back()
    told, held = reset_peak(), resident_mb("VmRSS")
    result = run()
    after = resident_mb("VmHWM")
    return result, None if not told or held is None or after is None else max(0.0, after - held)
