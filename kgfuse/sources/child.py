"""The process that reads documents: what is damaged or made to harm can end it, and nothing else.

It is asked in lines of JSON on standard input and answers on standard output; texts and pictures go through files.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO, Final

from kgfuse.errors import KgfuseError
from kgfuse.sources.places import dumps

TEXT = "text.txt"
PLACES = "places"
SAMPLES = "samples"


def main(memory: int) -> None:
    """Answer requests until standard input ends.

    Args:
        memory: bytes of address space that it may use.
    """
    _limit(memory)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    serve(sys.stdin.buffer, answers)


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer each line of ``requests`` with a line."""
    for line in requests:
        request = json.loads(line)
        try:
            answer = _OPERATIONS[request.pop("do")](**request)
        except KgfuseError as e:
            answer = {"error": e.what, "remedy": e.remedy}
        except MemoryError:
            answer = {"error": "needs more memory than a document may take", "remedy": "split it"}
        except RecursionError:
            answer = {"error": "is nested too deeply", "remedy": "save it in a simpler form"}
        except Exception as e:  # a reader's own fault is the file's problem, never the batch's
            answer = {"error": f"cannot be read: {type(e).__name__}: {e}"[:500], "remedy": "save it in another format"}
        answers.write(json.dumps(answer).encode("ascii") + b"\n")
        answers.flush()


def _read(path: str, media_type: str, where: str, into: str, encoding: str | None = None) -> dict[str, Any]:
    from kgfuse.sources.readers import reader

    document = reader(media_type)(Path(path), where, Path(into), encoding)
    (Path(into) / TEXT).write_text(document.text, encoding="utf-8", errors="replace", newline="")
    if document.places is not None:
        (Path(into) / PLACES).write_bytes(dumps(document.places))
    return {
        "pictures": [asdict(p) for p in document.pictures],
        "notes": list(document.notes),
        "title": document.title[:500],
    }


def _table(
    path: str, media_type: str, where: str, into: str, form: dict[str, Any], encoding: str | None = None
) -> dict[str, Any]:
    from kgfuse.sources.mapping import TableForm
    from kgfuse.sources.tables import read

    places = read(Path(path), media_type, TableForm.model_validate(form), where, encoding, Path(into) / TEXT)
    (Path(into) / PLACES).write_bytes(dumps(places))
    return {"rows": len(places.starts)}


def _boxes(path: str, where: str, spans: list[tuple[int, int, int]]) -> dict[str, Any]:
    from kgfuse.sources.pdf import boxes

    found = boxes(Path(path), where, [(page, start, end) for page, start, end in spans])
    return {"boxes": [[[b.page, b.x, b.y, b.w, b.h] for b in lines] for lines in found]}


def _render(path: str, where: str, page: int, side: int, into: str) -> dict[str, Any]:
    from kgfuse.sources.pdf import render

    name, width, height = render(Path(path), where, page, side, Path(into))
    return {"file": name, "width": width, "height": height}


def _sound(path: str, media_type: str, where: str, into: str = "") -> dict[str, Any]:
    from kgfuse.sources.sound import decode

    return asdict(decode(Path(path), media_type, where, Path(into) / SAMPLES if into else None))


def _clips(path: str, media_type: str, where: str, spans: list[tuple[float, float]], into: str) -> dict[str, Any]:
    from kgfuse.sources.sound import clips

    return {"files": clips(Path(path), media_type, where, spans, Path(into))}


_OPERATIONS: Final[dict[str, Callable[..., dict[str, Any]]]] = {
    "read": _read,
    "table": _table,
    "boxes": _boxes,
    "render": _render,
    "sound": _sound,
    "clips": _clips,
}


def _limit(memory: int) -> None:
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
