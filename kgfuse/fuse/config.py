"""The one typed configuration of a training run: defaults here, TOML files and ``key=value`` overrides on top."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kgfuse.encode.augment import Augmentation
from kgfuse.errors import UsageError
from kgfuse.fuse.data import MODALITIES, Modality

Calibration = Literal["temperature", "vector", "auto"]

_Model = TypeVar("_Model", bound=BaseModel)


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BagConfig(_Section):
    """Bag of statements: (relation, neighbour) pairs up to two hops, tf-idf weighted, reduced to ``rank`` numbers."""

    hops: int = Field(default=2, ge=1, le=2, description="how far statements are read from the item")
    rank: int = Field(default=256, ge=1, description="numbers left after truncated SVD")
    min_items: int = Field(default=2, ge=1, description="training items a pair must touch to count")
    max_pairs: int = Field(default=30_000, ge=1, description="most frequent pairs kept")
    counted: bool | Literal["auto"] = Field(
        default="auto", description="weigh a pair by how often it occurs, and not by how rare it is"
    )


class GraphConfig(_Section):
    """The relational GNN (R-GCN with basis decomposition), a residual that validation must accept."""

    enabled: bool = True
    layers: int = Field(default=2, ge=1, le=4)
    width: int = Field(default=32, ge=4)
    bases: int = Field(default=5, ge=1)
    dropout: float = Field(default=0.3, ge=0, lt=1)
    edge_dropout: float = Field(default=0.0, ge=0, lt=1, description="share of the statements that a step does not see")
    lr: float = Field(default=0.02, gt=0)
    weight_decay: float = Field(default=5e-3, ge=0)
    epochs: int = Field(default=60, ge=1)
    patience: int = Field(default=15, ge=1)
    min_degree: int = Field(default=2, ge=1, description="nodes with fewer edges get no embedding of their own")
    links: float = Field(
        default=0.0, ge=0, description="weight of predicting left-out edges beside the labels; 0 switches it off"
    )


class KernelConfig(_Section):
    """RBF kernel ridge regression on the joined blocks, a residual that validation must accept."""

    enabled: bool = True
    sigma: tuple[float, ...] = Field(
        default=(0.6, 1.0),
        min_length=1,
        description="kernel widths to choose from, as shares of the rows' typical norm",
    )
    ridge: tuple[float, ...] = Field(default=(0.01, 0.1, 1.0), min_length=1, description="penalties to choose from")
    landmarks: int = Field(
        default=4_000, ge=1, description="training items that carry the kernel; more are sampled down"
    )


class LinearConfig(_Section):
    """Logistic regression on the joined blocks: the late-fusion row, and the ground that the layer builds on."""

    strengths: tuple[float, ...] = Field(
        default=(3.0, 30.0), min_length=1, description="inverse penalties to choose from"
    )


class PrototypeConfig(_Section):
    """Classes as Gaussian clouds with a prior over the class graph, a residual that labelled items must accept."""

    enabled: bool = True
    shrinkage: tuple[Annotated[float, Field(gt=0, le=1)], ...] = Field(
        default=(0.6, 0.3, 0.9, 0.1),
        min_length=1,
        description="shares of the identity in the covariance to choose from",
    )


class TextConfig(_Section):
    """How the text encoder is fine-tuned (read by the workspace); what the tuned one says joins the base."""

    finetune: bool | Literal["auto"] = Field(
        default="auto",
        description="train the encoder's last layers on the labelled texts; auto: from 300 texts on, if quick enough",
    )
    layers: Annotated[int, Field(ge=1)] | Literal["all"] = Field(
        default=2, description="how many of the last layers learn; all: the embeddings too"
    )
    epochs: int = Field(default=6, ge=1)
    lr: float = Field(default=3e-4, gt=0, description="of the last layer; each layer below learns at 0.8 of it")


class ImageConfig(_Section):
    """How picture features come about (read by the workspace; the fusion model takes arrays)."""

    finetune: bool | Literal["auto"] = Field(
        default="auto", description="train the CNN's last blocks on the labelled pictures"
    )
    blocks: Annotated[int, Field(ge=1, le=5)] | Literal["all"] = Field(
        default=3, description="how many of the CNN's last blocks learn; all: the whole network, many times slower"
    )
    finetune_epochs: int = Field(default=8, ge=1)
    size: int = Field(default=256, ge=64, description="short side in pixels while fine-tuning")
    copies: int = Field(default=0, ge=0, le=20, description="varied copies of each training picture")
    vary: Augmentation = Field(
        default_factory=lambda: Augmentation(rotation=10, flip=0.5, crop=0.8, blur=0.1, jitter=0.1),
        description="how copies are varied: rotation, flip, crop, blur, edges, jitter",
    )


class TrainConfig(_Section):
    """Everything that decides a training run."""

    seed: int = 0
    device: str = Field(default="auto", description="auto, cpu, cuda or cuda:N")
    amp: bool = Field(default=True, description="mixed precision, on CUDA only")
    modalities: tuple[Modality, ...] = Field(default=MODALITIES, min_length=1)
    head: Literal["fusion", "linear"] = Field(
        default="fusion", description="linear: joined blocks, logistic regression"
    )

    width: int = Field(default=192, ge=4, description="numbers per modality after its map")
    hidden: int = Field(default=384, ge=4, description="width of the non-linear head")
    dropout: float = Field(default=0.3, ge=0, lt=1)
    modality_dropout: float = Field(default=0.1, ge=0, lt=1, description="chance that a training item loses a modality")
    auxiliary: float = Field(default=0.2, ge=0, description="weight of the heads that see one modality each")
    matching: float = Field(
        default=0.3, ge=0, description="weight of matching items with class nodes; 0 switches it off"
    )
    label_smoothing: float = Field(default=0.05, ge=0, lt=1)
    kin_smoothing: float = Field(
        default=0.0, ge=0, lt=1, description="share of the target that goes to relatives of the true class, by nearness"
    )
    class_weights: Literal["none", "sqrt", "balanced"] = Field(
        default="none", description="weight of rare classes in the loss"
    )

    lr: float = Field(default=2e-3, gt=0)
    weight_decay: float = Field(default=0.02, ge=0)
    batch_size: int = Field(default=256, ge=1)
    epochs: int = Field(default=60, ge=1)
    patience: int = Field(default=10, ge=1, description="epochs without a better validation loss before stopping")
    checkpoint_every: int = Field(
        default=5, ge=1, description="epochs between checkpoints, where a resume folder is given"
    )

    refit: bool = Field(
        default=False, description="after all choices, learn the parts that were kept from the validation items too"
    )
    accept: float = Field(
        default=1.0,
        ge=0,
        description="standard errors, over items or their groups, by which a residual must better the validation loss",
    )
    calibrate: bool | Calibration = Field(
        default=True,
        description="on validation: temperature (true), vector (a temperature and a bias for each class), auto: "
        "vector where cross-validation says so, or false",
    )
    thresholds: Literal["validation", "half"] = Field(
        default="validation", description="multi-label: how thresholds are set"
    )
    abstain: float | None = Field(default=None, ge=0, le=1, description="no answer below this probability")
    risk: float | None = Field(
        default=None, gt=0, lt=1, description="greatest share of wrong answers among those given, by held-out items"
    )
    risk_confidence: float = Field(default=0.95, gt=0, lt=1, description="confidence that the risk is not exceeded")

    bag: BagConfig = BagConfig()
    gnn: GraphConfig = GraphConfig()
    linear: LinearConfig = LinearConfig()
    prototypes: PrototypeConfig = PrototypeConfig()
    kernel: KernelConfig = KernelConfig()
    text: TextConfig = TextConfig()
    image: ImageConfig = ImageConfig()

    def with_overrides(self, overrides: Iterable[str] | Mapping[str, Any], where: str = "override") -> Self:
        """A copy with some settings changed.

        Args:
            overrides: ``"gnn.layers=3"`` strings (the value is read as TOML, else as text), or a mapping of dotted
                names to values.
            where: they come from, for error messages.

        Raises:
            UsageError: an unknown name (the nearest known one is named) or a value that does not fit.

        >>> TrainConfig().with_overrides(["gnn.layers=3", "device=cpu"]).gnn.layers
        3
        """
        if isinstance(overrides, Mapping):
            pairs = [(str(key), value) for key, value in overrides.items()]
        else:
            pairs = [_parse_override(text) for text in overrides]
        values = self.model_dump()
        for key, value in pairs:
            _assign(values, key, value, where=where)
        return _validated(type(self), values, where=where)


def load_config(path: Path, overrides: Iterable[str] = ()) -> TrainConfig:
    """Read a TOML file (settings at top level, sections ``[bag] [gnn] [linear] [prototypes] [kernel] [text] [image]``).

    Raises:
        UsageError: the file is missing, is not TOML, or holds an unknown or unfitting setting.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UsageError("no such configuration file", where=path, remedy="check the path") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"not readable as TOML: {error}", where=path, remedy="correct the file") from error
    return parse_config(values, where=str(path)).with_overrides(overrides)


def parse_config(values: Mapping[str, Any], where: str = "configuration") -> TrainConfig:
    """Build a configuration from nested tables; unknown names are refused with the nearest known one."""
    merged = TrainConfig().model_dump()
    for key, value in _flatten(values):
        _assign(merged, key, value, where=where)
    return _validated(TrainConfig, merged, where=where)


def setting_names() -> tuple[str, ...]:
    """All dotted names that an override may use."""
    return tuple(name for name, _ in _flatten(TrainConfig().model_dump()))


def overridden(overrides: Iterable[str]) -> tuple[str, ...]:
    """The dotted names that ``key=value`` strings set."""
    return tuple(_parse_override(text)[0] for text in overrides)


def changed_settings(config: TrainConfig) -> dict[str, Any]:
    """Nested tables of what differs from the defaults; written as TOML, a file that :func:`load_config` reads."""
    plain, changed = dict(_flatten(TrainConfig().model_dump(mode="json"))), dict[str, Any]()
    for name, value in _flatten(config.model_dump(mode="json")):
        if value != plain[name]:
            *sections, last = name.split(".")
            table: dict[str, Any] = changed
            for section in sections:
                table = table.setdefault(section, {})
            table[last] = value
    return changed


def _parse_override(text: str) -> tuple[str, Any]:
    key, equals, raw = text.partition("=")
    if not equals or not key.strip():
        raise UsageError(f"{text!r} is not key=value", where="override", remedy="write for example epochs=20")
    raw = raw.strip()
    try:
        return key.strip(), tomllib.loads(f"value = {raw}")["value"]
    except tomllib.TOMLDecodeError:
        return key.strip(), None if raw.lower() in {"none", "null"} else raw


def _flatten(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    flat: list[tuple[str, Any]] = []
    for key, value in values.items():
        name = f"{prefix}{key}"
        flat.extend(_flatten(value, f"{name}.") if isinstance(value, Mapping) else [(name, value)])
    return flat


def check_name(key: str, where: str) -> None:
    """Refuse a dotted name that is no setting.

    Raises:
        UsageError: naming the nearest one.
    """
    known = setting_names()
    if key not in known:
        last = {name.rsplit(".", 1)[-1]: name for name in reversed(known)}
        near = difflib.get_close_matches(key, [*known, *last], n=1, cutoff=0.5)
        remedy = f"did you mean {last.get(near[0], near[0])!r}?" if near else f"known: {', '.join(known)}"
        raise UsageError(f"unknown setting {key!r}", where=where, remedy=remedy)


def _assign(values: dict[str, Any], key: str, value: Any, where: str = "override") -> None:
    check_name(key, where)
    *sections, name = key.split(".")
    table = values
    for section in sections:
        table = table[section]
    table[name] = value


def _validated(kind: type[_Model], values: Mapping[str, Any], where: str) -> _Model:
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise UsageError(
            f"setting {name!r} = {first['input']!r}: {first['msg']}", where=where, remedy="correct its value"
        ) from error
