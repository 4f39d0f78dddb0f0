"""Files that are whole or not there: written beside their place, flushed, and moved into it."""

from __future__ import annotations

import os
from pathlib import Path


def write_whole(path: Path, payload: bytes) -> None:
    """Write a file that no reader sees half of; two writers do not get into each other's way.

    Args:
        path: of the file; its folder exists.
        payload: what it holds.
    """
    temporary = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as out:
            out.write(payload)
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
