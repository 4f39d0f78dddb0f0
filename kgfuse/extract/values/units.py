"""Units of measurement: English names and symbols, their QUDT IRIs, and exact conversion between them.

IRIs are those of the QUDT unit vocabulary (https://qudt.org, version 3: currencies are ``unit:CCY_…``); factors are
those of the SI brochure and NIST SP 811. The table is kgfuse's own: pint knows no QUDT IRIs and gives no places in a
text, and quantulum3 brings a trained classifier to guess what a table can say.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Final

from kgfuse.terms.namespaces import QUDT_UNIT

UNIT: Final = QUDT_UNIT
_FIFTEEN: Final = Context(prec=15, rounding=ROUND_HALF_EVEN)


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit.

    Args:
        iri: its QUDT IRI.
        dimension: what it measures; only units of one dimension convert into each other.
        factor: of it in coherent SI units.
        offset: added before the factor is applied (temperatures).
        symbol: for people.
    """

    iri: str
    dimension: str
    factor: Fraction
    offset: Fraction = Fraction(0)
    symbol: str = ""


_PREFIXES: Final = (
    ("Tera", "tera", "T", "1000000000000"), ("Giga", "giga", "G", "1000000000"), ("Mega", "mega", "M", "1000000"),
    ("Kilo", "kilo", "k", "1000"), ("Hecto", "hecto", "h", "100"), ("Deci", "deci", "d", "1/10"),
    ("Centi", "centi", "c", "1/100"), ("Milli", "milli", "m", "1/1000"), ("Micro", "micro", "µ", "1/1000000"),
    ("Nano", "nano", "n", "1/1000000000"), ("Pico", "pico", "p", "1/1000000000000"),
)  # fmt: skip
# local name, dimension, factor, symbol, names, prefixes that it is used with
_PREFIXED: Final = (
    ("M", "length", "1", "m", "metre meter", "k d c m µ n p"),
    ("GM", "mass", "1/1000", "g", "gram gramme", "k m µ n"),
    ("L", "volume", "1/1000", "L l", "litre liter", "h d c m µ"),
    ("SEC", "time", "1", "s", "second", "m µ n"),
    ("W", "power", "1", "W", "watt", "k M G T m"),
    ("J", "energy", "1", "J", "joule", "k M G m"),
    ("CAL", "energy", "4184/1000", "cal", "calorie", "k"),
    ("EV", "energy", "1602176634/10000000000000000000000000000", "eV", "electronvolt", "k M G T"),
    ("W-HR", "energy", "3600", "Wh", "watt-hour", "k M G T"),
    ("PA", "pressure", "1", "Pa", "pascal", "h k M G"),
    ("BAR", "pressure", "100000", "bar", "", "m"),
    ("HZ", "frequency", "1", "Hz", "hertz", "k M G T m"),
    ("N", "force", "1", "N", "newton", "k M"),
    ("V", "voltage", "1", "V", "volt", "k M m µ"),
    ("A", "current", "1", "A", "ampere amp", "k m µ n"),
    ("OHM", "resistance", "1", "Ω", "ohm", "k M m"),
    ("F", "capacitance", "1", "", "farad", "m µ n p"),
    ("MOL", "amount", "1", "mol", "", "k m µ n"),
    ("BQ", "activity", "1", "Bq", "becquerel", "k M G T"),
    ("SV", "dose", "1", "Sv", "sievert", "m µ"),
    ("T", "flux density", "1", "", "tesla", "m µ n"),
    ("BYTE", "information", "8", "B", "byte", "k M G T"),
    ("BIT", "information", "1", "bit", "bit", "k M G T"),
)  # fmt: skip
# local name, dimension, factor, offset, symbols, names
_PLAIN: Final = (
    ("IN", "length", "254/10000", "0", "in", "inch inches"),
    ("FT", "length", "3048/10000", "0", "ft", "foot feet"),
    ("YD", "length", "9144/10000", "0", "yd yds", "yard"),
    ("MI", "length", "1609344/1000", "0", "mi", "mile"),
    ("MI_N", "length", "1852", "0", "nmi NM", "nautical_mile"),
    ("LY", "length", "9460730472580800", "0", "ly", "light-year light_year lightyear"),
    ("AU", "length", "149597870700", "0", "AU au", "astronomical_unit"),
    ("PARSEC", "length", "30856775814913673", "0", "pc", "parsec"),
    ("ANGSTROM", "length", "1/10000000000", "0", "Å", "angstrom ångström"),
    ("LB", "mass", "45359237/100000000", "0", "lb lbs", "pound"),
    ("OZ", "mass", "28349523125/1000000000000", "0", "oz", "ounce"),
    ("STONE_UK", "mass", "635029318/100000000", "0", "", "stone"),
    ("TONNE", "mass", "1000", "0", "t", "tonne ton metric_ton"),
    ("CARAT", "mass", "2/10000", "0", "ct", "carat"),
    ("MIN", "time", "60", "0", "min mins", "minute"),
    ("HR", "time", "3600", "0", "h hr hrs", "hour"),
    ("DAY", "time", "86400", "0", "d", "day"),
    ("WK", "time", "604800", "0", "wk wks", "week"),
    ("MO", "time", "2629746", "0", "mo", "month"),
    ("YR", "time", "31556952", "0", "yr yrs", "year"),
    ("SEC2", "time2", "1", "0", "s² s2 s^2", "second_squared"),
    ("DEG_C", "temperature", "1", "273.15", "°C ℃", "degree_Celsius degree_centigrade Celsius"),
    ("DEG_F", "temperature", "5/9", "459.67", "°F ℉", "degree_Fahrenheit Fahrenheit"),
    ("K", "temperature", "1", "0", "K", "kelvin"),
    ("DEG", "angle", "314159265358979/18000000000000000", "0", "°", "degree"),
    ("RAD", "angle", "1", "0", "rad", "radian"),
    ("M2", "area", "1", "0", "m² m2 m^2 sqm", "square_metre square_meter"),
    ("KiloM2", "area", "1000000", "0", "km² km2 km^2", "square_kilometre square_kilometer"),
    ("CentiM2", "area", "1/10000", "0", "cm² cm2 cm^2", "square_centimetre square_centimeter"),
    ("MilliM2", "area", "1/1000000", "0", "mm² mm2 mm^2", "square_millimetre square_millimeter"),
    ("HA", "area", "10000", "0", "ha", "hectare"),
    ("AC", "area", "40468564224/10000000", "0", "ac", "acre"),
    ("FT2", "area", "9290304/100000000", "0", "ft² ft2 sqft", "square_foot square_feet sq_ft"),
    ("MI2", "area", "2589988110336/1000000", "0", "mi² mi2", "square_mile sq_mi"),
    ("YD2", "area", "83612736/100000000", "0", "yd²", "square_yard"),
    ("M3", "volume", "1", "0", "m³ m3 m^3", "cubic_metre cubic_meter"),
    ("CentiM3", "volume", "1/1000000", "0", "cm³ cm3 cc", "cubic_centimetre cubic_centimeter"),
    ("KiloM3", "volume", "1000000000", "0", "km³ km3", "cubic_kilometre cubic_kilometer"),
    ("FT3", "volume", "28316846592/1000000000000", "0", "ft³ ft3", "cubic_foot cubic_feet"),
    ("GAL_US", "volume", "3785411784/1000000000000", "0", "gal", "gallon"),
    ("PINT_US", "volume", "473176473/1000000000000", "0", "", "pint"),
    ("OZ_VOL_US", "volume", "295735295625/10000000000000000", "0", "", "fluid_ounce fl_oz"),
    ("BBL", "volume", "158987294928/1000000000000", "0", "bbl", "barrel"),
    ("TBSP", "volume", "1478676478125/100000000000000000", "0", "tbsp", "tablespoon"),
    ("TSP", "volume", "492892159375/100000000000000000", "0", "tsp", "teaspoon"),
    ("KN", "length/time", "1852/3600", "0", "kn kt kts", "knot"),
    ("KiloM-PER-HR", "length/time", "1000/3600", "0", "kph kmh", "kilometre_an_hour kilometer_an_hour"),
    ("MI-PER-HR", "length/time", "1609344/3600000", "0", "mph", "mile_an_hour"),
    ("ATM", "pressure", "101325", "0", "atm", "atmosphere"),
    ("PSI", "pressure", "6894757293168/1000000000", "0", "psi", ""),
    ("MilliM_HG", "pressure", "133322387415/1000000000", "0", "mmHg", ""),
    ("HP", "power", "7456998715822702/10000000000000", "0", "hp bhp", "horsepower"),
    ("BTU_IT", "energy", "105505585262/100000000", "0", "BTU Btu", ""),
    ("LM", "luminous flux", "1", "0", "lm", "lumen"),
    ("LUX", "illuminance", "1", "0", "lx", "lux"),
    ("CD", "luminous intensity", "1", "0", "cd", "candela"),
    ("DeciB", "level", "1", "0", "dB", "decibel"),
    ("REV-PER-MIN", "rotation", "1/60", "0", "rpm", "revolution_per_minute"),
    ("PERCENT", "ratio", "1/100", "0", "% percent", "per_cent percent"),
    ("PPTH", "ratio", "1/1000", "0", "‰", "per_mille per_mil"),
    ("PPM", "ratio", "1/1000000", "0", "ppm", "part_per_million parts_per_million"),
    ("PPB", "ratio", "1/1000000000", "0", "ppb", "part_per_billion parts_per_billion"),
    ("UNITLESS", "ratio", "1", "0", "", ""),
    ("FRACTION", "ratio", "1", "0", "", ""),
    ("MegaBIT-PER-SEC", "information/time", "1000000", "0", "Mbps", ""),
    ("GigaBIT-PER-SEC", "information/time", "1000000000", "0", "Gbps", ""),
)  # fmt: skip
_RATES: Final = frozenset(
    ("length/time", "length/time2", "mass/volume", "volume/time", "power/area", "information/time", "amount/volume",
     "mass/area", "energy/mass", "mass/time", "power/mass",
     "length/volume", "volume/area", "mass/mass", "energy/area", "dose/time",
     "activity/volume", "activity/mass", "force/area", "force/length", "voltage/length", "temperature/time")
)  # fmt: skip
"""Dimensions "a per b" for which QUDT has a unit ``A-PER-B`` for the usual units of both."""


def _fraction(text: str) -> Fraction:
    return Fraction(text)


def _tables() -> tuple[dict[str, Unit], dict[str, Unit], dict[str, Unit]]:
    """Units by local name, by symbol (case counts) and by name in lower case."""
    local: dict[str, Unit] = {}
    symbols: dict[str, Unit] = {}
    names: dict[str, Unit] = {}

    def add(name: str, dimension: str, factor: Fraction, offset: str, signs: list[str], spelt: list[str]) -> None:
        unit = Unit(UNIT + name, dimension, factor, _fraction(offset), signs[0] if signs else name)
        local.setdefault(name, unit)
        for sign in signs:
            symbols.setdefault(sign, unit)
        for one in spelt:
            word = one.replace("_", " ").lower()
            names.setdefault(word, unit)
            first, space, rest = word.partition(" ")
            is_compound = first in ("square", "cubic", "nautical", "astronomical", "fluid", "metric", "light")
            plural = f"{first} {rest}s" if is_compound else f"{first}s{space}{rest}"
            names.setdefault(plural, unit)

    for name, dimension, factor, signs, spelt, prefixes in _PREFIXED:
        add(name, dimension, _fraction(factor), "0", signs.split(), spelt.split())
        for big, word, sign, scale in _PREFIXES:
            if sign in prefixes.split():
                shorts = [sign + s for s in signs.split()]
                shorts += ["μ" + s for s in signs.split()] if sign == "µ" else []
                if name == "BYTE" and sign == "k":
                    shorts.append("KB")
                add(big + name, dimension, _fraction(factor) * _fraction(scale), "0", shorts,
                    [word + s for s in spelt.split()])  # fmt: skip
    for name, dimension, factor, offset, signs, spelt in _PLAIN:
        add(name, dimension, _fraction(factor), offset, signs.split(), spelt.split())
    return local, symbols, names


_LOCAL, SYMBOLS, NAMES = _tables()
LONGEST: Final = max(len(n.split()) for n in NAMES)
"""Words of the longest name."""


def per(top: Unit, bottom: Unit) -> Unit | None:
    """The unit "top per bottom", where QUDT has one for these dimensions.

    >>> per(SYMBOLS["mg"], SYMBOLS["L"]).iri
    'http://qudt.org/vocab/unit/MilliGM-PER-L'
    """
    dimension = f"{top.dimension}/{bottom.dimension}"
    if dimension not in _RATES or top.offset or bottom.offset:
        return None
    iri = f"{top.iri}-PER-{bottom.iri.removeprefix(UNIT)}"
    return Unit(iri, dimension, top.factor / bottom.factor, Fraction(0), f"{top.symbol}/{bottom.symbol}")


@lru_cache(maxsize=1024)
def unit_of(iri: str) -> Unit | None:
    """The unit with this IRI, or ``None`` where the table does not have it."""
    name = iri.removeprefix(UNIT).removeprefix("https://qudt.org/vocab/unit/")
    if name in _LOCAL:
        return _LOCAL[name]
    top, found, bottom = name.partition("-PER-")
    if found and top in _LOCAL and bottom in _LOCAL:
        return per(_LOCAL[top], _LOCAL[bottom])
    return None


def convert(number: Decimal, source: str, target: str) -> Decimal | None:
    """A number in another unit, to 15 significant digits; ``None`` where the units measure different things.

    >>> str(convert(Decimal("5"), UNIT + "KiloM", UNIT + "MI"))
    '3.10685596118667'
    >>> str(convert(Decimal("98.6"), UNIT + "DEG_F", UNIT + "DEG_C"))
    '37'
    """
    if source == target:
        return number
    a, b = unit_of(source), unit_of(target)
    if a is None or b is None or a.dimension != b.dimension:
        return None
    exact = (Fraction(number) + a.offset) * a.factor / b.factor - b.offset
    return _FIFTEEN.divide(Decimal(exact.numerator), Decimal(exact.denominator)).normalize(_FIFTEEN)
