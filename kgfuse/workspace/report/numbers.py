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


def wilson(correct: int, number: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927).

    >>> [round(x, 2) for x in wilson(8, 10)]
    [0.49, 0.94]
    """
    if not number:
        return 0.0, 1.0
    z, share = 1.96, correct / number
    middle = share + z * z / (2 * number)
    reach = z * ((share * (1 - share) + z * z / (4 * number)) / number) ** 0.5
    return (middle - reach) / (1 + z * z / number), (middle + reach) / (1 + z * z / number)
