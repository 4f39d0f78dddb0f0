"""Photos of signs become a map: places from EXIF, names and statements from the writing, each with its box.

    python -m examples.photo_signs --out signs

Makes five photos of signs (with the place in their EXIF, but for one), builds ``signs.kg`` with the pack of
``examples/bridges``, and writes ``map.geojson`` (RFC 7946: any map shows it) and ``report.html``, where the line of
writing behind each statement is marked in its photo.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from examples import command
from kgfuse import Workspace
from kgfuse.graph.records import StatementRecord
from kgfuse.terms.mentions import Region
from kgfuse.workspace.report import write_statements

PACK = Path(__file__).with_name("bridges")
Place = tuple[float, float]
SIGNS: dict[str, tuple[tuple[str, ...], Place | None, float]] = {
    "mill.jpg": (("THE MILL BRIDGE", "crosses the Arle."), (53.5502, 9.9921), 3.0),
    "plaque.jpg": (("The Mill Bridge", "is built of sandstone."), (53.5504, 9.9926), -4.0),
    "harbour.jpg": (("The Harbour Bridge", "spans the Arle."), (53.5431, 9.9803), 0.0),
    "notice.jpg": (("CAUTION", "The Harbour Bridge", "shows rust."), (53.5429, 9.9799), 6.0),
    "nowhere.jpg": (("The Harbour Bridge", "is made of steel."), None, 2.0),
}
LOCATED = """
SELECT ?photo ?lat ?long WHERE {
  ?item kgf:hasImage ?photo ; kgf:takenAt ?point .
  ?point geo:lat ?lat ; geo:long ?long
}
"""


def photograph(lines: Sequence[str], angle: float, seed: int) -> Image.Image:
    """A sign, a little askew, in front of something blurred."""
    rng = np.random.default_rng(seed)
    ground = Image.fromarray(rng.integers(60, 170, (30, 40, 3), np.uint8)).resize((800, 600), Image.Resampling.BICUBIC)
    sign = Image.new("RGBA", (600, 80 * len(lines) + 60), "#f4f1e6")
    pen = ImageDraw.Draw(sign)
    pen.rectangle((6, 6, sign.width - 7, sign.height - 7), outline="#203a63", width=5)
    for n, line in enumerate(lines):
        pen.text((40, 30 + 80 * n), line, fill="#203a63", font=ImageFont.load_default(48))
    turned = sign.rotate(angle, Image.Resampling.BICUBIC, expand=True)
    ground.paste(turned, ((800 - turned.width) // 2, (600 - turned.height) // 2), turned)
    return ground.filter(ImageFilter.GaussianBlur(0.6))


def degrees(value: float) -> tuple[float, float, float]:
    """Degrees, minutes and seconds, as EXIF has them."""
    minutes, seconds = divmod(abs(value) * 3600, 60)
    return (minutes // 60, minutes % 60, round(seconds, 3))


def write_photos(folder: Path) -> None:
    """Write the photos, with the place where each was taken."""
    folder.mkdir(parents=True, exist_ok=True)
    for n, (name, (lines, place, angle)) in enumerate(SIGNS.items()):
        exif = Image.Exif()
        if place is not None:
            latitude, longitude = place
            north, east = "N" if latitude >= 0 else "S", "E" if longitude >= 0 else "W"
            exif.get_ifd(0x8825).update({1: north, 2: degrees(latitude), 3: east, 4: degrees(longitude)})
        photograph(lines, angle, n).save(folder / name, quality=90, exif=exif)


def feature(ws: Workspace, place: Place, photo: str, said: Sequence[StatementRecord]) -> dict[str, Any]:
    """One photo as a point of the map, with what its sign says."""
    label = ws.graph.label
    told = []
    for s in said:
        boxes = [m.selector for m in s.mentions if isinstance(m.selector, Region)]
        told.append(
            {
                "place": label(s.subject),
                "says": f"{label(s.predicate)} {label(str(s.object))}",
                "confidence": round(s.confidence, 2),
                "boxes": [[b.x, b.y, b.w, b.h] for b in boxes],
            }
        )
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [place[1], place[0]]},
        "properties": {"name": ", ".join(dict.fromkeys(t["place"] for t in told)), "photo": photo, "statements": told},
    }


def run(out: Path) -> dict[str, Any]:
    """Make the photos, build, write map and page; return the map."""
    write_photos(out / "photos")
    home = out / "signs.kg"
    with command.opened(home, PACK) as ws:
        ws.add(out / "photos")
        ws.build()
        read = [s for s in ws.graph.statements() if s.predicate.startswith("https://example.org/bridges#")]
        write_statements(ws, read, out / "report.html", title="What the signs say")
        located = {str(r["photo"]): (float(r["lat"]), float(r["long"])) for r in ws.query(LOCATED)}
        features, lost = [], []
        for source in sorted({s.source for s in read}):
            said = [s for s in read if s.source == source]
            photo = said[0].mentions[0].file_name
            if source in located:
                features.append(feature(ws, located[source], photo, said))
            else:
                lost.append(photo)
    found = {"type": "FeatureCollection", "features": features}
    (out / "map.geojson").write_text(json.dumps(found, indent=1, ensure_ascii=False), encoding="utf-8")
    for one in features:
        long, lat = one["geometry"]["coordinates"]
        print(f"{lat:.4f}, {long:.4f}  {one['properties']['name']}  ({one['properties']['photo']})")
        for told in one["properties"]["statements"]:
            print(f"    {told['says']}, confidence {told['confidence']}")
    for photo in lost:
        print(f"no place is known of {photo}: it is in the graph, and not on the map")
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Run, and say where map and page are."""
    return command.main(__doc__ or "", run, "map.geojson", "report.html", argv=argv)


if __name__ == "__main__":
    sys.exit(main())
