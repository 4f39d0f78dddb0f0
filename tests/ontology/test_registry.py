"""Packs by name: the shipped ones, strangers', broken ones, and two of one name."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from kgfuse.errors import PackError
from kgfuse.ontology import Vocabulary, available, load_all, resolve
from kgfuse.ontology.scaffold import new

Install = Callable[[str, str, str], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Put a distribution with one entry point on the path, as an installer would."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))

    def do(distribution: str, name: str, value: str) -> None:
        info = site / f"{distribution.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[kgfuse.ontologies]\n{name} = {value}\n")
        importlib.invalidate_caches()

    return do


def module(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / "site" / f"{name}.py").write_text(text)
    sys.modules.pop(name, None)


def test_the_shipped_packs_are_there_and_whole() -> None:
    packs = available()
    assert {"general", "field-guide", "retail"} <= set(packs)
    assert all(not packs[name].error for name in ("general", "field-guide", "retail"))


def test_a_third_partys_pack_is_found_by_a_function_a_path_or_a_package(tmp_path: Path, install: Install) -> None:
    folder = new("one", tmp_path / "one")
    module(tmp_path, "one_pack", f"from pathlib import Path\nPATH = {str(folder)!r}\ndef where(): return Path(PATH)\n")
    install("dist-one", "one", "one_pack:where")
    assert resolve("one").folder == folder
    assert available()["one"].distribution == "dist-one 1.0"

    new("two", tmp_path / "site" / "two_pack")
    (tmp_path / "site" / "two_pack" / "__init__.py").write_text("")
    install("dist-two", "two", "two_pack")
    assert resolve("two").version == "0.1.0"

    new("three", tmp_path / "three")
    module(tmp_path, "three_pack", f"PATH = {str(tmp_path / 'three')!r}\n")
    install("dist-three", "three", "three_pack:PATH")
    assert [p.name for p in load_all(["three", "one"])] == ["general", "three", "one"]


def test_two_packs_with_one_name_fail_loudly_naming_both_and_leave_the_others_alone(
    tmp_path: Path, install: Install
) -> None:
    new("twin", tmp_path / "a")
    new("twin", tmp_path / "b")
    module(tmp_path, "twins", f"A = {str(tmp_path / 'a')!r}\nB = {str(tmp_path / 'b')!r}\n")
    install("dist-a", "twin", "twins:A")
    install("dist-b", "twin", "twins:B")
    with pytest.raises(PackError, match=r"dist-[ab] 1\.0 .*dist-[ab] 1\.0"):
        resolve("twin")
    packs = available()
    assert "dist-a" in packs["twin"].error
    assert "dist-b" in packs["twin"].error
    assert not packs["retail"].error
    assert Vocabulary(load_all(["retail"])).classes


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("raise RuntimeError('boom')", "RuntimeError: boom"),
        ("where = 3", "must be a path"),
        ("def where(): return '/no/such/folder'", "no such ontology pack"),
        ("def where(): raise KeyError('x')", "KeyError"),
    ],
)
def test_a_broken_pack_is_listed_with_its_error_and_takes_no_other_down(
    tmp_path: Path, install: Install, source: str, what: str
) -> None:
    module(tmp_path, "broken_pack", source + "\n")
    install("dist-broken", "broken", "broken_pack:where")
    packs = available()
    assert what in packs["broken"].error
    assert not packs["general"].error
    with pytest.raises(PackError):
        resolve("broken")


def test_a_pack_that_does_not_parse_is_listed_with_file_and_line(tmp_path: Path, install: Install) -> None:
    folder = new("torn", tmp_path / "torn")
    with (folder / "ontology.ttl").open("a") as file:
        file.write("torn:Half a owl:Class ; rdfs:label\n")
    module(tmp_path, "torn_pack", f"PATH = {str(folder)!r}\n")
    install("dist-torn", "torn", "torn_pack:PATH")
    assert "ontology.ttl:" in available()["torn"].error
    assert not available()["retail"].error


def test_a_pack_must_go_by_the_name_it_is_registered_under(tmp_path: Path, install: Install) -> None:
    new("inside", tmp_path / "inside")
    module(tmp_path, "named_pack", f"PATH = {str(tmp_path / 'inside')!r}\n")
    install("dist-named", "outside", "named_pack:PATH")
    with pytest.raises(PackError, match="registered as 'outside'"):
        resolve("outside")


def test_an_unknown_name_suggests_a_close_one() -> None:
    with pytest.raises(PackError, match="did you mean 'retail'"):
        resolve("retial")


def test_general_comes_first_imports_before_their_importers_and_each_pack_once(tmp_path: Path) -> None:
    base, top = new("base", tmp_path / "base"), new("top", tmp_path / "top")
    for folder, old, added in ((top, '["general"]', '["../base"]'), (base, '["general"]', '["../top"]')):
        settings = folder / "pack.toml"
        settings.write_text(settings.read_text().replace(f"imports = {old}", f"imports = {added}"))
    assert [p.name for p in load_all([str(top), "general", str(top)])] == ["general", "base", "top"]


def test_two_folders_of_one_name_are_not_mixed(tmp_path: Path) -> None:
    a, b = new("same", tmp_path / "a"), new("same", tmp_path / "b")
    with pytest.raises(PackError, match="two packs are named 'same'"):
        load_all([str(a), str(b)])


def test_a_missing_import_names_the_pack_that_asks_for_it(tmp_path: Path) -> None:
    folder = new("lonely", tmp_path / "lonely")
    settings = folder / "pack.toml"
    settings.write_text(settings.read_text().replace('["general"]', '["nowhere"]'))
    with pytest.raises(PackError, match="'nowhere'") as caught:
        load_all([str(folder)])
    assert caught.value.where == str(settings)
