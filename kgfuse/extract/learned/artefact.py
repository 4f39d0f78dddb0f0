"""A trained relation extractor: weights, schemas, formats, verifiers and scores, saved as safetensors and JSON."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from kgfuse.encode.device import resolve
from kgfuse.encode.reader import Reader, ReaderConfig
from kgfuse.encode.text import bert
from kgfuse.encode.weights import file_sha256
from kgfuse.errors import ModelError
from kgfuse.extract.learned.calibrate import Verifier
from kgfuse.extract.learned.clues import Clues
from kgfuse.extract.learned.decode import Candidate, candidates, without_rivals, worthwhile
from kgfuse.extract.learned.features import Habits, matrix
from kgfuse.extract.learned.formats import Formats
from kgfuse.extract.learned.schema import Relation, Schema
from kgfuse.extract.learned.tokens import tokenise
from kgfuse.extract.learned.training import describe

FORMAT: Final = 5
RECORD: Final = "extractor.json"
_CLUES: Final = "clues "
_STYLE: Final = "style:"
_REMEDY: Final = "train it again: kgfuse ontologies train"


@dataclass(frozen=True, slots=True)
class Learned:
    """What was learned of one style of annotation, or of one schema in it.

    Args:
        formats: how labels are written.
        habits: what arguments look like.
        clues: which words speak for a relation.
        verifier: candidates to probabilities.
        threshold: least probability of a triple in any text.
        missing: how many triples a text that is known to state some states beside the candidates.
        scores: on the development sentences.
    """

    formats: Formats
    habits: Habits
    clues: Clues
    verifier: Verifier
    threshold: float
    missing: float
    scores: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not (0 <= self.threshold <= 1 and 0 <= self.missing < math.inf):
            raise ValueError(f"no threshold and allowance: {self.threshold}, {self.missing}")


@dataclass(frozen=True, slots=True)
class Found:
    """A triple read from a text.

    Args:
        relation: of the schema.
        subject, object: code points ``[start, end)``.
        subject_label, object_label: as the annotation would write them.
        probability: calibrated.
    """

    relation: Relation
    subject: tuple[int, int]
    object: tuple[int, int]
    subject_label: str
    object_label: str
    probability: float


class RelationReader:
    """Reads texts for the relations of a schema.

    Args:
        reader: trained.
        tokenizer: of its encoder.
        encoder: name or folder of the encoder; ``None`` is the packaged one.
        learned: by schema name, and by style for schemas that were not trained on.
        schemas: by name, those it was trained on.
        styles: style of each of these schemas.
        record: settings, seeds, versions: whatever tells how it came about.
    """

    def __init__(
        self,
        reader: Reader,
        tokenizer: Any,
        encoder: str | None,
        learned: Mapping[str, Learned],
        schemas: Mapping[str, Schema],
        styles: Mapping[str, str],
        record: Mapping[str, Any],
    ) -> None:
        self.reader = reader
        self.tokenizer = tokenizer
        self.encoder = encoder
        self.learned = dict(learned)
        self.schemas = dict(schemas)
        self.styles = dict(styles)
        self.record = dict(record)
        self._vectors: dict[Schema, Tensor] = {}

    def read(
        self,
        texts: Sequence[str],
        schema: Schema,
        style: str = "",
        *,
        least: float | None = None,
        stating: bool = False,
    ) -> list[list[Found]]:
        """Triples of each text, the surest first.

        Args:
            texts: sentences, or a few at a time; what is beyond 160 word pieces is not read.
            schema: whose relations are asked; one that was trained on has its own formats and threshold.
            style: how labels are written where the schema was not trained on.
            least: least probability; ``None`` takes the learned threshold.
            stating: every text is known to state some triple, as annotated sentences do: take as many of its surest as
                give the highest expected F1, however unsure they are; ``least`` does not count then.
        """
        if not schema.relations:
            return [[] for _ in texts]
        known = self.known(schema, style)
        tokens = tokenise(self.tokenizer, texts)
        rows = candidates(self.reader, texts, tokens, self._vectors_of(schema))
        found: list[list[Found]] = []
        for text, row in zip(texts, rows, strict=True):
            probabilities = self._probabilities(text, row, schema, known)
            order = without_rivals(row, probabilities)
            if stating:
                order = order[: worthwhile([probabilities[n] for n in order], known.missing)]
            else:
                lowest = known.threshold if least is None else least
                order = [n for n in order if probabilities[n] >= lowest]
            here = [self._found(text, row[n], probabilities[n], schema, style) for n in order]
            found.append(sorted(here, key=lambda f: (-f.probability, f.relation.key, f.subject, f.object)))
        return found

    def _probabilities(self, text: str, row: Sequence[Candidate], schema: Schema, known: Learned) -> list[float]:
        if not row:
            return []
        keys = [r.key for r in schema.relations]
        clues = known.clues.scores(text, row, [r.label for r in schema.relations])
        features = matrix(text, row, keys, known.habits, clues)
        return known.verifier.probabilities(features, [keys[c.relation] for c in row]).tolist()  # type: ignore[no-any-return]

    def _found(self, text: str, one: Candidate, probability: float, schema: Schema, style: str) -> Found:
        relation = schema.relations[one.relation]
        subject = self.label(schema, style, relation.key, "subject", text[slice(*one.subject)])
        object_ = self.label(schema, style, relation.key, "object", text[slice(*one.object)])
        return Found(relation, one.subject, one.object, subject, object_, probability)

    def known(self, schema: Schema, style: str = "") -> Learned:
        """What was learned of a schema, else of its style, else of any."""
        for name in (schema.name, f"{_STYLE}{style}", _STYLE):
            if name in self.learned:
                return self.learned[name]
        return self.learned[min(self.learned)]

    def label(self, schema: Schema, style: str, relation: str, role: str, surface: str) -> str:
        """How the annotation would write these words: as in the schema's examples, else as in the style's."""
        style = self.styles.get(schema.name, style)
        for name in (schema.name, f"{_STYLE}{style}"):
            if name in self.learned:
                found = self.learned[name].formats.label(relation, role, surface)
                if found != surface:
                    return found
        return surface

    def _vectors_of(self, schema: Schema) -> Tensor:
        if schema not in self._vectors:
            self._vectors[schema] = describe(self.reader, self.tokenizer, schema)
        return self._vectors[schema]

    # on disk

    def save(self, folder: Path) -> str:
        """Write ``reader-<hash>.safetensors`` and ``extractor.json``; return the hash that names this version.

        The record is replaced last and at once: killed before, the folder still holds the former extractor.
        """
        folder.mkdir(parents=True, exist_ok=True)
        state = {
            name: tensor.detach().cpu().contiguous()
            for name, tensor in self.reader.state_dict().items()
            if not _is_given(name)
        }
        for name, known in self.learned.items():
            if name.startswith(_STYLE):  # all schemas of a style share them
                state[f"{_CLUES}{name}.at"] = torch.from_numpy(known.clues.at)
                state[f"{_CLUES}{name}.weights"] = torch.from_numpy(known.clues.weights)
        part = folder / "reader.part"
        save_file(state, part)
        weights = file_sha256(part)
        part.replace(folder / _weights_name(weights))
        record = {
            "format": FORMAT,
            "weights": weights,
            "encoder": self.encoder,
            "reader": asdict(self.reader.config),
            "schemas": [
                {"name": s.name, "style": self.styles.get(s.name, ""), "relations": [asdict(r) for r in s.relations]}
                for _, s in sorted(self.schemas.items())
            ],
            "learned": {
                name: {
                    "formats": k.formats.to_dict(),
                    "habits": k.habits.to_dict(),
                    "bias": k.clues.bias,
                    "verifier": k.verifier.to_dict(),
                    "threshold": k.threshold,
                    "missing": k.missing,
                    "scores": dict(k.scores),
                }
                for name, k in sorted(self.learned.items())
            },
            "record": self.record,
        }
        text = json.dumps(record, ensure_ascii=False, indent=1, sort_keys=True)
        part = folder / f"{RECORD}.part"
        part.write_text(text, encoding="utf-8")
        part.replace(folder / RECORD)
        for former in folder.glob("reader-*.safetensors"):
            if former.name != _weights_name(weights):
                former.unlink()
        return hashlib.sha256(text.encode()).hexdigest()

    @classmethod
    def load(cls, folder: Path, device: str = "auto") -> RelationReader:
        """Read what `save` wrote.

        Raises:
            ModelError: it is not there, was altered, is broken, or is of another format.
        """
        try:
            return cls._load(folder, device)
        except (KeyError, TypeError, ValueError, AttributeError, OSError, RuntimeError, SafetensorError) as error:
            raise ModelError(
                f"the trained extractor cannot be read: {type(error).__name__}: {error}", where=folder, remedy=_REMEDY
            ) from error

    @classmethod
    def _load(cls, folder: Path, device: str) -> RelationReader:
        try:
            record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        except (OSError, json.JSONDecodeError) as error:
            raise ModelError(f"no trained extractor: {error}", where=folder, remedy=_REMEDY) from error
        if record.get("format") != FORMAT:
            raise ModelError(f"format {record.get('format')!r} is not {FORMAT}", where=folder, remedy=_REMEDY)
        file = folder / _weights_name(str(record["weights"]))
        if file_sha256(file) != record["weights"]:
            raise ModelError("the weights are not those of the record", where=file, remedy=_REMEDY)
        tokenizer, reader = new_reader(record["encoder"], ReaderConfig(**record["reader"]), device)
        state = load_file(file, device=str(reader.kind.device))
        tensors = {name: state.pop(name).cpu().numpy() for name in list(state) if name.startswith(_CLUES)}
        missing, unexpected = reader.load_state_dict(state, strict=False)
        if unexpected or any(not _is_given(name) for name in missing):
            raise ModelError("the weights do not fit the record", where=file, remedy=_REMEDY)
        reader.eval()
        schemas = {
            s["name"]: Schema(s["name"], tuple(Relation(**r) for r in s["relations"])) for s in record["schemas"]
        }
        styles = {s["name"]: s["style"] for s in record["schemas"]}
        clues = {
            name: Clues(tensors[f"{_CLUES}{name}.at"], tensors[f"{_CLUES}{name}.weights"], float(k["bias"]))
            for name, k in record["learned"].items()
            if name.startswith(_STYLE)
        }
        learned = {
            name: Learned(
                Formats.from_dict(k["formats"]),
                Habits.from_dict(k["habits"]),
                clues[name if name.startswith(_STYLE) else f"{_STYLE}{styles[name]}"],
                Verifier.from_dict(k["verifier"]),
                k["threshold"],
                k["missing"],
                k["scores"],
            )
            for name, k in record["learned"].items()
        }
        return cls(reader, tokenizer, record["encoder"], learned, schemas, styles, record["record"])


def new_reader(encoder: str | None, config: ReaderConfig, device: str = "auto", seed: int = 0) -> tuple[Any, Reader]:
    """Tokenizer and reader, its layers as pre-trained and its heads drawn from the seed."""
    tokenizer, model, _ = bert(encoder)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        reader = Reader(model, config)
    return tokenizer, reader.to(resolve(device)).eval()


def _weights_name(sha256: str) -> str:
    if re.fullmatch(r"[0-9a-f]{64}", sha256) is None:
        raise ValueError(f"{sha256!r} is no SHA-256")
    return f"reader-{sha256[:16]}.safetensors"


def _is_given(name: str) -> bool:
    """The encoder brings this tensor: it is not trained."""
    return name.startswith("embeddings.")
