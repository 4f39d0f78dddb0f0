"""Shares and their differences as people write them."""

from __future__ import annotations


def percent(share: float, digits: int = 1) -> str:
    """A share.

    >>> percent(0.5)
    '50.0 %'
    """
    return f"{100 * share:.{digits}f} %"


def points(difference: float, digits: int = 2) -> str:
    """A difference of shares in percentage points, with a real minus sign.

    >>> points(-0.0312), points(-1e-9)
    ('−3.12', '0.00')
    """
    said = f"{100 * difference:+.{digits}f}"
    return said[1:] if float(said) == 0 else said.replace("-", "−")
