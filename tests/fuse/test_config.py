"""One typed configuration: TOML, overrides, and errors that name the nearest setting."""

from __future__ import annotations

from pathlib import Path

import pytest

from kgfuse.errors import UsageError
from kgfuse.fuse.config import TrainConfig, load_config, parse_config


def test_toml_file_and_overrides_are_read_in_that_order(tmp_path: Path) -> None:
    path = tmp_path / "train.toml"
    path.write_text('epochs = 7\nmodalities = ["text", "graph"]\n[gnn]\nlayers = 3\n', encoding="utf-8")
    config = load_config(path, ["gnn.layers=1", "device=cpu", "abstain=0.4"])
    assert (config.epochs, config.gnn.layers, config.device, config.abstain) == (7, 1, "cpu", 0.4)
    assert config.modalities == ("text", "graph")


def test_a_dumped_configuration_is_read_back_unchanged() -> None:
    config = TrainConfig(seed=3).with_overrides(["image.finetune=false", "kernel.sigma=[0.5]"])
    assert parse_config(config.model_dump(mode="json")) == config


@pytest.mark.parametrize(
    ("override", "part"),
    [
        ("epoch=3", "did you mean 'epochs'"),
        ("layers=3", "did you mean 'gnn.layers'"),
        ("gnn.widht=3", "did you mean 'gnn.width'"),
        ("lr=-1", "greater than 0"),
        ("modalities=[]", "modalities"),
        ("epochs", "not key=value"),
        ("gnn=3", "unknown setting 'gnn'"),
    ],
)
def test_a_wrong_override_says_what_is_wrong(override: str, part: str) -> None:
    with pytest.raises(UsageError, match=part):
        TrainConfig().with_overrides([override])


def test_a_missing_or_broken_file_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such configuration file"):
        load_config(tmp_path / "nowhere.toml")
    (tmp_path / "broken.toml").write_text("epochs = [", encoding="utf-8")
    with pytest.raises(UsageError, match="not readable as TOML"):
        load_config(tmp_path / "broken.toml")
