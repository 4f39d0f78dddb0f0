"""The smart home reads its three sentences."""

import pytest

from examples.own_ontology import DEVICES, main


def test_each_triple_is_printed_with_its_exact_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main() == 0
    out = capsys.readouterr().out
    assert "motion sensor · stands in · hall" in out
    assert "hall switch · controls · ceiling lamp" in out
    for line in DEVICES.splitlines()[1:]:
        sentence = line.split(",", 3)[3]
        assert f"“{sentence}” characters 0–{len(sentence)}" in out
