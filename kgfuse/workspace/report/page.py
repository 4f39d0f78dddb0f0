"""One HTML page that holds everything it shows and may load nothing."""

from __future__ import annotations

import base64
import hashlib
import os
import tempfile
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kgfuse.errors import WorkspaceError
from kgfuse.workspace.report.numbers import percent, points

if TYPE_CHECKING:
    from jinja2 import Environment


def render(template: str, *, own: str = "page", **values: Any) -> str:
    """Fill a template; whatever is not markup already is escaped.

    Args:
        template: file name.
        own: name of its script and style, ``.js`` and ``.css``.
        values: what the template shows.
    """
    script = _own(f"{own}.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    return (
        _environment()
        .get_template(template)
        .render(script=script, script_hash=digest, style=_own(f"{own}.css"), **values)
    )


def write(path: Path, html: str) -> None:
    """Write a page whole or not at all.

    Raises:
        WorkspaceError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".report-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", errors="xmlcharrefreplace", newline="\n") as f:
                f.write(html)
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as e:
        raise WorkspaceError(f"cannot be written: {e.strerror}", where=path, remedy="check space and rights") from e


def _own(name: str) -> str:
    return files(__package__).joinpath("templates", name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader(__package__),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = percent
    environment.filters["points"] = points
    return environment
