from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from kgfuse.encode.image import Look
from kgfuse.encode.image_steps import Crop, Deskew, ImagePipeline, Orient, Resize
from kgfuse.encode.preprocess_image import render_svg
from kgfuse.errors import SourceError
from kgfuse.extract import registry
from kgfuse.extract.image.cam import activation, box
from kgfuse.extract.image.extractor import DEPICTS, SHOWS_COLOUR, SHOWS_TEXT, ImageExtractor
from kgfuse.extract.image.settings import ImageSettings
from kgfuse.extract.image.tags import Tagger, confidence, is_drawing
from kgfuse.extract.resolve import resolve
from kgfuse.extract.running import run_batch
from kgfuse.extract.settings import ExtractSettings
from kgfuse.ontology.pack import load_pack
from kgfuse.ontology.registry import load_all
from kgfuse.ontology.vocabulary import Vocabulary
from kgfuse.terms.mentions import Extraction, Mention, Region, Source, Statement, Value
from kgfuse.terms.namespaces import EXIF, GEO, KGF, POINT, PROV, RDF

EX = "https://example.org/"
PACK = """
@prefix : <https://example.org/> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
:Thing a owl:Class ; rdfs:label "thing" .
:Plant a owl:Class ; rdfs:subClassOf :Thing ; rdfs:label "plant" .
:Flower a owl:Class ; rdfs:subClassOf :Plant ; rdfs:label "flower" .
:Daisy a owl:Class ; rdfs:subClassOf :Flower ; rdfs:label "daisy" .
:Rose a owl:Class ; rdfs:subClassOf :Flower ; rdfs:label "rose" .
:Tool a owl:Class ; rdfs:subClassOf :Thing ; rdfs:label "tool" .
:Hammer a owl:Class ; rdfs:subClassOf :Tool ; rdfs:label "hammer" .
:Saw a owl:Class ; rdfs:subClassOf :Tool ; rdfs:label "saw" .
"""
NAMES = ("daisy", "rose", "hammer", "saw", "something else")


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory: pytest.TempPathFactory) -> Vocabulary:
    path = tmp_path_factory.mktemp("pack") / "small.ttl"
    path.write_text(PACK, encoding="utf-8")
    return Vocabulary([*load_all(["general"]), load_pack(path)])


@pytest.fixture(scope="module")
def extractor(vocabulary: Vocabulary) -> ImageExtractor:
    return ImageExtractor(vocabulary, ImageSettings(device="cpu"))


def stored(path: Path) -> Source:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Source(
        iri=EX + "source", name=path.name, kind="image", media_type="image/png", sha256=digest,
        item=EX + "item", item_label="the item", path=path,
    )  # fmt: skip


@pytest.fixture
def keep(tmp_path: Path) -> Callable[[Image.Image], Source]:
    def save(image: Image.Image) -> Source:
        image.save(tmp_path / "picture.png")
        return stored(tmp_path / "picture.png")

    return save


def photo() -> Image.Image:
    from sklearn.datasets import load_sample_image

    return Image.fromarray(load_sample_image("flower.jpg"))


def drawing() -> Image.Image:
    return render_svg(
        b"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 72 72">
        <circle cx="36" cy="36" r="28" fill="#d0202a" stroke="#000" stroke-width="2"/></svg>""",
        256,
    )


def said(extractor: ImageExtractor, source: Source, predicate: str) -> list[Statement]:
    return [s for s in extractor.extract(source) if isinstance(s, Statement) and s.predicate == predicate]


def scores(**mass: float) -> np.ndarray:
    rest = 1 - sum(mass.values())
    return np.log([mass.get(name, rest if name == NAMES[-1] else 1e-9) for name in NAMES]).astype(np.float32)


def test_it_is_registered_and_loaded_by_name(vocabulary: Vocabulary) -> None:
    found = registry.load("image", vocabulary, ExtractSettings())
    assert isinstance(found, ImageExtractor)
    assert found.kinds == {"image"}


def test_the_whole_picture_is_a_mention_of_the_item(
    extractor: ImageExtractor, keep: Callable[[Image.Image], Source]
) -> None:
    first = next(iter(extractor.extract(keep(drawing()))))
    assert isinstance(first, Mention)
    assert first.entity == EX + "item"
    assert first.selector == Region(0, 0, 256, 256)


def test_a_photo_gets_its_tag_with_a_box_on_the_thing(
    extractor: ImageExtractor, keep: Callable[[Image.Image], Source]
) -> None:
    image = photo()
    (tag,) = said(extractor, keep(image), DEPICTS)
    assert isinstance(tag.object, Mention)
    assert tag.object.entity == EX + "Daisy"
    region = tag.object.selector
    assert isinstance(region, Region)
    assert region.w * region.h < 0.5 * image.width * image.height
    # The flower's heart.
    assert region.x < 320 < region.x + region.w
    assert region.y < 210 < region.y + region.h


def test_pictures_side_by_side_say_what_each_says_alone(extractor: ImageExtractor, tmp_path: Path) -> None:
    sources = []
    for n, image in enumerate(
        (drawing(), photo().resize((320, 214)), drawing().rotate(20), photo().crop((0, 0, 300, 300)))
    ):
        image.save(tmp_path / f"{n}.png")
        sources.append(stored(tmp_path / f"{n}.png"))
    assert list(extractor.extract_batch(sources)) == [list(extractor.extract(source)) for source in sources]


def test_a_picture_that_cannot_be_read_has_the_others_looked_at_once(extractor: ImageExtractor, tmp_path: Path) -> None:
    sources = []
    for n in range(4):
        drawing().rotate(n).save(tmp_path / f"{n}.png")
        sources.append(stored(tmp_path / f"{n}.png"))
    (tmp_path / "1.png").write_bytes((tmp_path / "1.png").read_bytes()[:200])
    seen: list[str] = []
    extractor.on_features = lambda sha256, _: seen.append(sha256)
    try:
        results = run_batch(extractor, sources)
    finally:
        extractor.on_features = None
    assert [result.payload is None for result in results] == [False, True, False, False]
    assert "1.png: a damaged picture" in results[1].problem
    assert sorted(seen) == sorted(source.sha256 for source in sources if not source.name.endswith("1.png"))


def test_a_drawing_is_told_from_a_photo_and_its_tag_turned_away(
    extractor: ImageExtractor, keep: Callable[[Image.Image], Source]
) -> None:
    assert is_drawing(drawing())
    assert not is_drawing(photo())
    assert all(tag.confidence < 0.3 for tag in said(extractor, keep(drawing()), DEPICTS))


def test_the_colour_of_a_drawing_is_said_with_its_region(
    extractor: ImageExtractor, keep: Callable[[Image.Image], Source], vocabulary: Vocabulary
) -> None:
    (colour,) = said(extractor, keep(drawing()), SHOWS_COLOUR)
    assert isinstance(colour.object, str)
    assert vocabulary.label(colour.object) == "red"
    assert "ΔE" in colour.reason
    (place,) = colour.evidence
    region = place.selector
    assert isinstance(region, Region)
    assert abs(region.x - 30) < 8
    assert abs(region.w - 196) < 12


def test_lines_of_text_are_read_with_their_boxes(
    extractor: ImageExtractor, keep: Callable[[Image.Image], Source]
) -> None:
    image = Image.new("RGB", (500, 240), "white")
    ImageDraw.Draw(image).text((60, 90), "FRESH APPLES", fill="black", font=ImageFont.load_default(48))
    (line,) = said(extractor, keep(image), SHOWS_TEXT)
    assert isinstance(line.object, Value)
    assert line.object.lexical.replace(" ", "") == "FRESHAPPLES"
    region = line.evidence[0].selector
    assert isinstance(region, Region)
    assert 40 <= region.x <= 75
    assert 75 <= region.y <= 105
    assert region.x + region.w <= 480


def test_the_box_of_a_slanting_line_that_was_made_level_lies_where_the_line_is(
    vocabulary: Vocabulary, keep: Callable[[Image.Image], Source]
) -> None:
    font = ImageFont.load_default(30)
    page, mark = Image.new("RGB", (700, 500), "white"), Image.new("L", (700, 500), 0)
    for n, line in enumerate(["FRESH APPLES", "RIPE PLUMS AND PEARS", "BREAD AND BUTTER", "MILK AND HONEY"]):
        ImageDraw.Draw(page).text((60, 90 + 80 * n), line, fill="black", font=font)
    ImageDraw.Draw(mark).text((60, 170), "RIPE PLUMS AND PEARS", fill=255, font=font)
    slanting, true = page.rotate(-7, fillcolor="white"), mark.rotate(-7).getbbox()
    steps = (Orient(), Deskew(), Resize())
    settings = ImageSettings(device="cpu", ocr="on", pipeline=ImagePipeline(steps=steps))
    extractor = ImageExtractor(vocabulary, settings)
    assert [step["step"] for step in extractor.parameters["preprocessing"]][:3] == ["orient", "deskew", "resize"]
    lines = [s for s in said(extractor, keep(slanting), SHOWS_TEXT) if isinstance(s.object, Value)]
    (plums,) = [s for s in lines if isinstance(s.object, Value) and "PLUMS" in s.object.lexical]
    region = plums.evidence[0].selector
    assert isinstance(region, Region)
    assert true is not None
    found = (region.x, region.y, region.x + region.w, region.y + region.h)
    assert all(abs(a - b) <= 25 for a, b in zip(found, true, strict=True)), (found, true)


def test_faint_lines_are_read_and_colours_are_those_of_the_picture(
    extractor: ImageExtractor, keep: Callable[[Image.Image], Source]
) -> None:
    image = Image.new("RGB", (500, 240), (200, 200, 200))
    font = ImageFont.load_default(30)
    ImageDraw.Draw(image).text((60, 90), "FRESH APPLES", fill=(194, 194, 194), font=font)
    (line,) = said(extractor, keep(image), SHOWS_TEXT)
    assert isinstance(line.object, Value)
    assert line.object.lexical.replace(" ", "") == "FRESHAPPLES"
    assert not [c for c in said(extractor, keep(image), SHOWS_COLOUR) if "black" in str(c.object)]


def test_other_steps_are_another_extraction(vocabulary: Vocabulary) -> None:
    usual = ImageExtractor(vocabulary, ImageSettings(device="cpu"))
    other = ImageExtractor(vocabulary, ImageSettings(device="cpu", pipeline=ImagePipeline(steps=(Orient(), Deskew()))))
    assert usual.fingerprint != other.fingerprint


def test_boxes_refer_to_the_original_whatever_the_pipeline(
    vocabulary: Vocabulary, keep: Callable[[Image.Image], Source]
) -> None:
    settings = ImageSettings(
        device="cpu", ocr="off", pipeline=ImagePipeline(steps=(Crop(share=0.9), Resize(longest=64)))
    )
    large = drawing().resize((1024, 1024))
    (colour,) = said(ImageExtractor(vocabulary, settings), keep(large), SHOWS_COLOUR)
    region = colour.evidence[0].selector
    assert isinstance(region, Region)
    assert abs(region.x - 120) < 40
    assert abs(region.w - 784) < 70


@pytest.mark.parametrize("orientation", range(1, 9))
def test_boxes_lie_in_the_upright_picture_however_the_camera_was_held(
    orientation: int, extractor: ImageExtractor, tmp_path: Path
) -> None:
    upright = Image.new("RGB", (300, 200), "white")
    ImageDraw.Draw(upright).rectangle((20, 30, 119, 89), fill="#d0202a")
    turns = Image.Transpose
    stored_as = {
        2: turns.FLIP_LEFT_RIGHT, 3: turns.ROTATE_180, 4: turns.FLIP_TOP_BOTTOM, 5: turns.TRANSPOSE,
        6: turns.ROTATE_90, 7: turns.TRANSVERSE, 8: turns.ROTATE_270,
    }  # fmt: skip
    pixels = upright.transpose(stored_as[orientation]) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    pixels.save(tmp_path / "p.png", exif=exif)
    source = stored(tmp_path / "p.png")
    whole = next(iter(extractor.extract(source)))
    assert isinstance(whole, Mention)
    assert whole.selector == Region(0, 0, 300, 200)
    (colour,) = said(extractor, source, SHOWS_COLOUR)
    region = colour.evidence[0].selector
    assert isinstance(region, Region)
    assert np.allclose((region.x, region.y, region.w, region.h), (20, 30, 100, 60), atol=5)


def test_exif_becomes_statements_of_the_item_with_the_picture_as_evidence(
    extractor: ImageExtractor, vocabulary: Vocabulary, tmp_path: Path
) -> None:
    exif = Image.Exif()
    exif[271], exif[272], exif[315] = "Maker", "Model 1", "Ada Private"
    exif.get_ifd(0x8769).update({0x9003: "2024:05:01 10:20:30"})
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 51.0, 29.6), 3: "W", 4: (2.0, 17.0, 40.2)})
    drawing().save(tmp_path / "p.jpg", exif=exif)
    source = stored(tmp_path / "p.jpg")
    found = list(extractor.extract(source))
    statements = tuple(s for s in found if isinstance(s, Statement) and s.extractor == "image.exif")
    assert {s.evidence for s in statements} == {(found[0],)}
    extraction = Extraction(source.iri, EX + "run", (), statements)
    resolution = resolve([extraction], vocabulary, {})
    assert resolution.rejected == ()
    point = POINT + "48.858222,-2.2945"
    told = {(f.subject, f.predicate, f.object.lexical if isinstance(f.object, Value) else f.object)
            for f in resolution.facts}  # fmt: skip
    assert told == {
        (source.item, EXIF + "dateTimeOriginal", "2024-05-01T10:20:30"),
        (source.iri, PROV + "generatedAtTime", "2024-05-01T10:20:30"),
        (source.item, KGF + "takenAt", point),
        (point, RDF + "type", GEO + "Point"),
        (point, GEO + "lat", "48.858222"),
        (point, GEO + "long", "-2.2945"),
        (source.item, EXIF + "make", "Maker"),
        (source.item, EXIF + "model", "Model 1"),
    }
    off = ImageExtractor(vocabulary, ImageSettings(device="cpu", exif=False))
    assert not [s for s in off.extract(source) if isinstance(s, Statement) and s.extractor == "image.exif"]


def test_extraction_repeated_is_the_same_and_settings_change_the_fingerprint(
    extractor: ImageExtractor, vocabulary: Vocabulary, keep: Callable[[Image.Image], Source]
) -> None:
    source = keep(photo())
    assert list(extractor.extract(source)) == list(extractor.extract(source))
    assert extractor.fingerprint == ImageExtractor(vocabulary, extractor.settings).fingerprint
    other = ImageExtractor(vocabulary, ImageSettings(device="cpu", tag_threshold=0.9))
    assert other.fingerprint != extractor.fingerprint


def test_the_features_of_the_same_pass_are_handed_on(
    extractor: ImageExtractor, keep: Callable[[Image.Image], Source]
) -> None:
    seen: dict[str, np.ndarray] = {}
    source = keep(drawing())
    extractor.on_features = seen.__setitem__
    list(extractor.extract(source))
    extractor.on_features = None
    assert np.array_equal(seen[source.sha256], extractor.encoder.encode([drawing()])[0])


def test_a_file_that_is_no_picture_is_a_source_error(extractor: ImageExtractor, tmp_path: Path) -> None:
    (tmp_path / "p.png").write_bytes(b"no picture")
    with pytest.raises(SourceError):
        list(extractor.extract(stored(tmp_path / "p.png")))


def test_names_map_by_label_and_their_mass_adds_up_in_the_class_above(vocabulary: Vocabulary) -> None:
    tagger = Tagger(vocabulary, NAMES)
    assert [t.iri for t in tagger.tags(scores(daisy=0.9), drawing=False, threshold=0.5)] == [EX + "Daisy"]
    (tag,) = tagger.tags(scores(daisy=0.45, rose=0.45), drawing=False, threshold=0.5)
    assert tag.iri == EX + "Flower"
    assert tag.mass == pytest.approx(0.9)
    assert sum(tag.weights) == pytest.approx(1)


def test_a_class_that_says_next_to_nothing_is_never_a_tag(vocabulary: Vocabulary) -> None:
    tagger = Tagger(vocabulary, NAMES)
    assert EX + "Thing" not in tagger.classes
    (tag,) = tagger.tags(scores(daisy=0.2, rose=0.2, hammer=0.2, saw=0.2), drawing=False, threshold=0.5)
    assert tag.confidence < 0.5


def test_below_the_threshold_the_likeliest_class_is_left_for_the_gate_to_turn_away(vocabulary: Vocabulary) -> None:
    (tag,) = Tagger(vocabulary, NAMES).tags(scores(daisy=0.3, hammer=0.1), drawing=False, threshold=0.5)
    assert tag.iri == EX + "Daisy"
    assert tag.confidence < 0.5
    assert Tagger(vocabulary, NAMES).tags(scores(daisy=0.01), drawing=False, threshold=0.5) == []


@given(st.floats(0, 1), st.floats(0, 1))
def test_confidence_rises_with_mass_and_stays_a_probability(a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert 0 <= confidence(low) <= confidence(high) <= 1
    assert confidence(high, drawing=True) <= 0.1


@given(
    maps=st.lists(st.floats(-3, 3, allow_nan=False, width=32), min_size=2 * 49, max_size=2 * 49),
    threshold=st.floats(0, 1),
)
@settings(max_examples=60, deadline=None)
def test_the_box_holds_the_peak_and_lies_inside_the_window(maps: list[float], threshold: float) -> None:
    cells = np.array(maps, dtype=np.float32).reshape(2, 7, 7)
    weights = np.array([1.0, -0.5], dtype=np.float32)
    look = Look(np.zeros(2, np.float32), np.zeros(1, np.float32), cells, (10.0, 20.0, 224.0, 112.0))
    left, top, width, height = box(look, weights, threshold)
    assert left >= 10
    assert top >= 20
    assert left + width <= 234 + 1e-6
    assert top + height <= 132 + 1e-6
    cam = activation(cells, weights)
    if cam.any():
        row, column = np.unravel_index(cam.argmax(), cam.shape)
        assert left - 1e-6 <= 10 + (column + 1) * 32
        assert left + width >= 10 + column * 32
        assert top - 1e-6 <= 20 + (row + 1) * 16
        assert top + height >= 20 + row * 16


def test_the_gate_turns_away_and_counts_a_tag_below_the_tag_threshold(
    extractor: ImageExtractor, vocabulary: Vocabulary, keep: Callable[[Image.Image], Source]
) -> None:
    source = keep(photo())
    (tag,) = said(extractor, source, DEPICTS)
    extraction = Extraction(source.iri, EX + "run", (), (tag,))
    accepted = resolve(
        [extraction], vocabulary, {}, ExtractSettings(min_confidence=0, image=ImageSettings(tag_threshold=0))
    )
    assert [fact.object for fact in accepted.facts if fact.predicate == DEPICTS] == [EX + "Daisy"]
    strict = ExtractSettings(min_confidence=0, image=ImageSettings(tag_threshold=1))
    (rejected,) = resolve([extraction], vocabulary, {}, strict).rejected
    assert rejected.rule == "confidence"
