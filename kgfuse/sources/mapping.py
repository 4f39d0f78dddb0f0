"""What the columns of a table mean: a small TOML file beside it, ``prices.csv.toml`` or ``prices.toml``.

::

    [table]                      # may be left out
    sheet = "Stock"              # Excel: name or number of the sheet
    header = 1                   # the row that names the columns

    [item]                       # a row is an item
    id = "{sku}"                 # a column in braces, perhaps with text around
    type = "retail:Fruit"        # a class; or a column in braces
    name = "{title}"
    text = "{description}"
    images = "{photo}"           # files beside the table, divided by "|"

    [columns.fat]                # a cell is a statement about its row's item
    property = "retail:fatContent"  # CURIE, IRI or label
    datatype = "decimal"         # what the property's range says, where left out
    unit = "unit:PERCENT"        # QUDT
    decimal = ","                # how numbers are written
    missing = ["n/a", "-"]       # cells that say nothing, beside blank ones
    separator = ";"              # several values in a cell
    refers = "name"              # of things: by "name" or by "id" of another row's item
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kgfuse.errors import SourceError

MAX_BYTES: Final = 1_000_000
_FIELD: Final = re.compile(r"\{([^{}]+)\}")


class TableForm(BaseModel):
    """How the table is laid out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sheet: str | int | None = None
    header: int = Field(default=1, ge=1, le=1000)
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)


class ItemForm(BaseModel):
    """How a row names its item."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(min_length=1)
    type: str | None = None
    name: str | None = None
    text: str | None = None
    images: str | None = None
    label: str | None = None
    split: str | None = None
    group: str | None = None

    def columns(self) -> set[str]:
        """The columns that are named."""
        return {name for value in self.model_dump().values() if value for name in _FIELD.findall(value)}


class ColumnForm(BaseModel):
    """What the cells of a column say."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    property: str = Field(min_length=1)
    datatype: str | None = None
    unit: str | None = None
    decimal: Literal[".", ","] = "."
    missing: tuple[str, ...] = ()
    separator: str | None = Field(default=None, min_length=1)
    refers: Literal["name", "id"] = "name"
    language: str = ""


class TableMapping(BaseModel):
    """All that a mapping says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    table: TableForm = TableForm()
    item: ItemForm
    columns: Mapping[str, ColumnForm] = Field(default_factory=dict)


def mapping_of(table: Path) -> Path | None:
    """The mapping beside a table."""
    for path in (table.with_name(f"{table.name}.toml"), table.with_suffix(".toml")):
        if path.is_file() and path != table:
            return path
    return None


def load(path: Path) -> TableMapping:
    """Read a mapping.

    Raises:
        SourceError: it does not parse, or breaks the schema; names the setting.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SourceError(f"has more than {MAX_BYTES:,} bytes", where=path, remedy="is it a mapping?")
        values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        return TableMapping.model_validate(values)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as e:
        raise SourceError(f"cannot be read: {e}", where=path, remedy="mend the TOML") from e
    except ValidationError as e:
        first = e.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise SourceError(f"{name}: {first['msg']}", where=path, remedy="mend this setting of the mapping") from e


def filled(template: str | None, row: Mapping[str, str]) -> str:
    """A template with the row's cells in place of the columns in braces; empty where one of them is blank.

    >>> filled("{a}-{b}", {"a": "x", "b": "1"}), filled("{a}-{b}", {"a": "x", "b": ""})
    ('x-1', '')
    """
    if template is None or any(not row.get(name, "") for name in _FIELD.findall(template)):
        return ""
    return _FIELD.sub(lambda m: row[m.group(1)], template)
