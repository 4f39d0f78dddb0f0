"""EXIF: time, place and device where they can be, a note where they cannot, nothing private, never a crash."""

from __future__ import annotations

import io
import random
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from kgfuse.sources.exif import Exif, read_exif

PARIS = {1: "N", 2: (48.0, 51.0, 29.6), 3: "E", 4: (2.0, 17.0, 40.2)}
PHOTO = {0x9003: "2024:05:01 10:20:30", 0x9011: "+02:00"}
SECRETS = ("Ada Private", "SN-998877", "Lens-4711", "meet me at nine")


def picture(
    base: dict[int, Any] | None = None,
    photo: dict[int, Any] | None = None,
    gps: dict[int, Any] | None = None,
    kind: str = "JPEG",
) -> bytes:
    exif = Image.Exif()
    exif.update(base or {})
    exif.get_ifd(0x8769).update(photo or {})
    exif.get_ifd(0x8825).update(gps or {})
    out = io.BytesIO()
    Image.new("RGB", (40, 20), "white").save(out, kind, exif=exif)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_time_place_and_device_are_read(kind: str) -> None:
    read = read_exif(picture({271: "Maker\0", 272: "Model 1 "}, PHOTO, PARIS, kind))
    assert read == Exif("2024-05-01T10:20:30+02:00", ("48.858222", "2.2945"), "Maker", "Model 1")


def test_the_device_of_a_tiff_is_read() -> None:
    assert read_exif(picture({271: "Maker"}, kind="TIFF")).make == "Maker"


def test_south_and_west_are_negative_and_an_unset_clock_says_nothing() -> None:
    read = read_exif(picture(photo={0x9003: "0000:00:00 00:00:00"}, gps=PARIS | {1: "S", 3: "W"}))
    assert read == Exif(place=("-48.858222", "-2.2945"))


def test_nothing_private_is_read() -> None:
    owner, serial, lens, comment = SECRETS
    photo = PHOTO | {0xA430: owner, 0xA431: serial, 0xA435: lens, 0x9286: comment.encode(), 0x927C: serial.encode()}
    read = read_exif(picture({271: "Maker", 315: owner, 33432: owner, 270: comment}, photo, PARIS))
    assert read.make == "Maker"
    assert not any(secret in repr(read) for secret in SECRETS)


@pytest.mark.parametrize(
    ("gps", "why"),
    [
        (PARIS | {2: (91.0, 0.0, 0.0)}, "within ±90"),
        (PARIS | {2: (90.0, 0.0, 0.1)}, "within ±90"),
        (PARIS | {4: (180.0, 0.0, 1.0)}, "within ±90"),
        (PARIS | {2: (48.0, 99.0, 0.0)}, "within ±90"),
        (PARIS | {1: "?"}, "within ±90"),
        ({2: (48.0, 51.0, 29.6), 4: (2.0, 17.0, 40.2)}, "within ±90"),
        ({1: "N", 2: (48.0, 51.0, 29.6)}, "within ±90"),
        ({1: "N", 2: (0.0, 0.0, 0.0), 3: "E", 4: (0.0, 0.0, 0.0)}, "0, 0"),
        (PARIS | {18: "TOKYO"}, "WGS 84"),
    ],
)
def test_a_place_that_cannot_be_is_dropped_with_a_note(gps: dict[int, Any], why: str) -> None:
    read = read_exif(picture(gps=gps))
    assert read.place is None
    (note,) = read.notes
    assert why in note


@pytest.mark.parametrize("number", [(0, 0), (48, 0)])
def test_a_latitude_that_is_no_number_is_dropped_with_a_note(number: tuple[int, int]) -> None:
    whole = picture(gps=PARIS)
    order = "<" if b"Exif\0\0II" in whole else ">"
    read = read_exif(whole.replace(struct.pack(order + "II", 48, 1), struct.pack(order + "II", *number)))
    assert read.place is None
    assert "within ±90" in read.notes[0]


def test_the_poles_and_the_date_line_are_places() -> None:
    assert read_exif(picture(gps={1: "S", 2: (90.0, 0.0, 0.0), 3: "W", 4: (180.0, 0.0, 0.0)})).place == ("-90", "-180")


@pytest.mark.parametrize("time", ["2024:13:01 10:20:30", "1066:10:14 09:00:00", "9999:01:01 00:00:00", "yesterday"])
def test_an_absurd_time_is_dropped_with_a_note(time: str) -> None:
    read = read_exif(picture(photo={0x9003: time}))
    assert read.taken == ""
    assert "no time of a photo" in read.notes[0]


def test_the_time_of_scanning_stands_in_and_an_absurd_offset_does_not_count() -> None:
    read = read_exif(picture(photo={0x9003: "yesterday", 0x9004: "2020:02:29 00:00:00", 0x9012: "+25:00"}))
    assert read.taken == "2020-02-29T00:00:00"


def test_a_device_without_a_name_is_dropped_with_a_note() -> None:
    read = read_exif(picture({271: "x" * 500, 272: "\x01\x02"}))
    assert (read.make, read.model) == ("", "")
    assert len(read.notes) == 2


def test_cut_off_exif_is_noted() -> None:
    whole = picture({271: "Maker of cameras"}, PHOTO, PARIS, "PNG")
    at = whole.index(b"eXIf")
    size = struct.unpack(">I", whole[at - 4 : at])[0]
    head = whole[at + 4 : at + 4 + size // 2]
    image = Image.open(io.BytesIO(picture(kind="PNG")))
    out = io.BytesIO()
    image.save(out, "PNG", exif=head)
    assert any("damaged" in note for note in read_exif(out.getvalue()).notes)


def test_what_has_no_exif_says_nothing_and_has_no_notes() -> None:
    out = io.BytesIO()
    Image.new("RGB", (4, 4)).save(out, "PNG")
    for data in (out.getvalue(), b"", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"no picture"):
        assert read_exif(data) == Exif()


GOOD = picture({271: "Maker", 272: "Model"}, PHOTO, PARIS)


@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
@settings(max_examples=200, deadline=None)
def test_no_bytes_crash_it_and_what_is_read_can_be(seed: int, count: int) -> None:
    data, chance = bytearray(GOOD), random.Random(seed)
    for _ in range(count):
        data[chance.randrange(len(data))] = chance.randrange(256)
    read = read_exif(bytes(data))
    if read.place is not None:
        assert abs(float(read.place[0])) <= 90
        assert abs(float(read.place[1])) <= 180
    assert len(read.make) <= 64
    assert len(read.notes) <= 8
