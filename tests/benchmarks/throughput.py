"""Documents and pictures a second through the extractors, beside the bare model in the same run.

    python -m tests.benchmarks.throughput [--seeds N] [--out DIR]

The inputs are the field guide's articles and pictures. The ratio is what is left of the model's own speed.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from kgfuse.encode.image import ImageEncoder
from kgfuse.encode.preprocess_image import open_image
from kgfuse.extract.registry import load
from kgfuse.extract.settings import ExtractSettings
from kgfuse.extract.text.nlp import load as load_pipeline
from kgfuse.ontology import Vocabulary, load_all
from kgfuse.terms.mentions import Source
from kgfuse.terms.namespaces import source_iri
from kgfuse.workspace.demo import unpack_field_guide
from tests.benchmarks import common


def timed(work: Callable[[], object]) -> float:
    """Seconds that a call takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def texts(folder: Path) -> list[Source]:
    """The articles as sources."""
    found = []
    for path in sorted((folder / "articles").glob("*.txt")):
        data = path.read_bytes()
        found.append(
            Source(
                source_iri(path.name),
                path.name,
                "text",
                "text/plain",
                hashlib.sha256(data).hexdigest(),
                item=source_iri(path.stem),
                item_label=path.stem.replace("-", " "),
                text=data.decode(),
            )
        )
    return found


def pictures(folder: Path) -> list[Source]:
    """The drawings as sources."""
    found = []
    for path in sorted((folder / "pictures").glob("*.png")):
        sha = hashlib.sha256(path.read_bytes()).hexdigest()
        found.append(Source(source_iri(path.name), path.name, "image", "image/png", sha, path=path))
    return found


def main() -> None:
    """Run the benchmark."""
    options = common.parser(__doc__ or "").parse_args()
    settings = ExtractSettings()
    vocabulary = Vocabulary(load_all(["field-guide"]))
    text, image = load("text", vocabulary, settings), load("image", vocabulary, settings)
    nlp = load_pipeline(settings.text.model)
    encoder = ImageEncoder()
    speeds: dict[str, list[float]] = {k: [] for k in ("spacy.pipe", "text extractor", "bare CNN", "image extractor")}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        unpack_field_guide(folder)
        documents, drawings = texts(folder), pictures(folder)
        batch = getattr(text, "extract_batch")  # noqa: B009 - the protocol leaves it optional
        list(batch(documents[:8]))
        list(image.extract(drawings[0]))
        for _ in range(options.seeds):
            strings = [d.text or "" for d in documents]
            speeds["spacy.pipe"].append(len(strings) / timed(lambda s=strings: list(nlp.pipe(s, batch_size=64))))
            speeds["text extractor"].append(len(documents) / timed(lambda: list(batch(documents))))
            paths = [d.path for d in drawings if d.path is not None]
            speeds["bare CNN"].append(
                len(paths) / timed(lambda p=paths: [encoder.look(open_image(path)) for path in p])
            )
            speeds["image extractor"].append(len(drawings) / timed(lambda: [list(image.extract(d)) for d in drawings]))
    common.table(
        f"items a second, {len(documents)} articles and {len(drawings)} pictures, {options.seeds} runs",
        [(k, common.shown(v, 1)) for k, v in speeds.items()],
    )
    ratios = {
        "text": [a / b for a, b in zip(speeds["text extractor"], speeds["spacy.pipe"], strict=True)],
        "image": [a / b for a, b in zip(speeds["image extractor"], speeds["bare CNN"], strict=True)],
    }
    common.table("share of the bare model's speed", [(k, common.shown(v, 2)) for k, v in ratios.items()])
    result = {
        "items_per_second": {k: common.summary(v) for k, v in speeds.items()},
        "ratio": {k: common.summary(v) for k, v in ratios.items()},
    }
    common.write(options.out, "throughput", result)


if __name__ == "__main__":
    main()
