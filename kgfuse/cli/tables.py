"""What tables, bars and records of the command line look like."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

_BAR = 16
_EIGHTHS = " ▏▎▍▌▋▊▉"


def table(title: str, *columns: str, right: Iterable[int] = ()) -> Table:
    """A plain table.

    Args:
        title: above it; empty for none.
        columns: their headings.
        right: numbers of the columns that are flush right.
    """
    flush = set(right)
    made = Table(title=title or None, box=box.SIMPLE_HEAD, title_justify="left", title_style="bold", pad_edge=False)
    for n, column in enumerate(columns):
        made.add_column(column, justify="right" if n in flush else "left", overflow="fold")
    return made


def pairs(title: str, values: Mapping[str, Any]) -> Group:
    """A heading, then names and values, one pair a line."""
    made = Table(box=None, show_header=False, pad_edge=False)
    made.add_column(style="dim")
    made.add_column(justify="right" if all(isinstance(v, int | float) for v in values.values()) else "left")
    for name, value in values.items():
        made.add_row(Text(f"  {name.replace('_', ' ')}"), number(value))
    return Group(Text(title, style="bold"), made)


def number(value: Any) -> Text:
    """A number with separators, or any text."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return Text(str(value))
    return Text(f"{value:,}" if isinstance(value, int) else f"{value:,.3f}")


def bar(share: float, width: int = _BAR) -> str:
    """A bar for a share from 0 to 1.

    >>> bar(0.5, 4)
    '██  '
    """
    eighths = round(max(0.0, min(1.0, share)) * width * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(width)


def percent(share: float) -> str:
    """A share for people.

    >>> percent(0.123)
    '12.3 %'
    """
    return f"{100 * share:.1f} %"


def plural(count: int, noun: str) -> str:
    """A count with its noun.

    >>> plural(2, "item")
    '2 items'
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
