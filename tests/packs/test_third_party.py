"""A stranger's ontology pack, installed by pip into a fresh environment, works without touching kgfuse."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
import sysconfig
import textwrap
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

import kgfuse

pytest.importorskip("pip")

ONTOLOGY = """
@prefix reef: <https://example.org/reef#> .
@prefix kgf: <https://w3id.org/kgfuse#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .

<https://example.org/reef> a owl:Ontology .
reef:Animal a owl:Class ; rdfs:label "reef animal" .
reef:Shelter a owl:Class ; rdfs:label "shelter" .
reef:anemone a reef:Shelter ; rdfs:label "sea anemone" .
reef:livesIn a owl:ObjectProperty ; rdfs:label "lives in" ;
    rdfs:domain reef:Animal ; rdfs:range reef:Shelter .
"""
USE = """
from kgfuse import Workspace
with Workspace.create("reef.kg", ontologies=["reef"]) as ws:
    ws.add("animals.csv")
    ws.build()
    assert ws.query("ASK { item:crab reef:livesIn reef:anemone }")
    (statement,) = ws.graph.provenance_of("item:crab", "reef:livesIn", "reef:anemone")
    print(max((m.selector.exact for m in statement.mentions), key=len))
"""
ANIMALS = "id,type,name,text\ncrab,reef:Animal,crab,The crab lives in sea anemones.\n"


@dataclass(frozen=True)
class Environment:
    """A virtual environment that sees the packages of the running one, and kgfuse."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    def run(self, *args: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        variables = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME", "KGFUSE_WORKSPACE")}
        variables |= {"OMP_NUM_THREADS": "1", "COLUMNS": "200"}
        return subprocess.run(
            [str(self.python), *args],
            cwd=cwd or self.folder,
            env=variables,
            capture_output=True,
            text=True,
            check=False,
        )

    def install(self, *wheels: Path) -> None:
        options = ["--no-index", "--no-deps", "--disable-pip-version-check", "--quiet"]
        pip = [sys.executable, "-m", "pip", "--python", str(self.python), "install", *options]
        subprocess.run([*pip, *map(str, wheels)], cwd=self.folder, check=True, capture_output=True)

    def packs(self) -> dict[str, dict[str, str]]:
        done = self.run("-m", "kgfuse.cli.main", "ontologies", "list", "--json")
        assert done.returncode == 0, done.stderr
        return {pack["name"]: pack for pack in json.loads(done.stdout)["ontologies"]}


@pytest.fixture
def fresh(tmp_path: Path) -> Environment:
    """A fresh environment."""
    environment = Environment(tmp_path / "env")
    venv.create(environment.folder, with_pip=False, symlinks=os.name != "nt")
    place = environment.run("-c", "import sysconfig; print(sysconfig.get_path('purelib'))").stdout.strip()
    seen = dict.fromkeys([sysconfig.get_path("purelib"), sysconfig.get_path("platlib")])
    lines = [str(Path(kgfuse.__file__).parents[1]), *(f"import site; site.addsitedir({p!r})" for p in seen)]
    (Path(place) / "shared.pth").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return environment


def wheel(folder: Path, distribution: str, pack: str) -> Path:
    """A wheel of a pack: a package with ``pack.toml`` and ontology, and an entry point that names it."""
    package, info = distribution.replace("-", "_"), f"{distribution.replace('-', '_')}-1.0.dist-info"
    namespace = f"https://example.org/{pack}#"
    files = {
        f"{package}/__init__.py": "",
        f"{package}/pack.toml": f'name = "{pack}"\nversion = "1.0"\ndescription = "A stranger\'s pack."\n'
        f'licence = "CC0-1.0"\n\n[prefixes]\n{pack} = "{namespace}"\n',
        f"{package}/ontology.ttl": ONTOLOGY.replace("reef:", f"{pack}:").replace("org/reef", f"org/{pack}"),
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: by hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[kgfuse.ontologies]\n{pack} = {package}\n",
    }
    record = [f"{name},sha256={_hash(content)},{len(content.encode())}" for name, content in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,"]) + "\n"
    path = folder / f"{package}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def _hash(content: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content.encode()).digest()).rstrip(b"=").decode()


def test_an_installed_pack_is_listed_and_used(fresh: Environment, tmp_path: Path) -> None:
    assert "reef" not in fresh.packs()
    fresh.install(wheel(tmp_path, "reef-pack", "reef"))
    listed = fresh.packs()["reef"]
    assert (listed["distribution"], listed["version"], listed["error"]) == ("reef-pack 1.0", "1.0", "")
    (tmp_path / "animals.csv").write_text(ANIMALS, encoding="utf-8")
    done = fresh.run("-c", textwrap.dedent(USE), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "The crab lives in sea anemones."


def test_two_distributions_with_one_name_are_refused_by_name_and_others_go_on(
    fresh: Environment, tmp_path: Path
) -> None:
    fresh.install(
        *(wheel(tmp_path, name, pack) for name, pack in [("a-one", "reef"), ("b-two", "reef"), ("c", "dune")])
    )
    packs = fresh.packs()
    assert "a-one 1.0" in packs["reef"]["error"]
    assert "b-two 1.0" in packs["reef"]["error"]
    assert packs["dune"]["error"] == packs["general"]["error"] == ""
    refused = fresh.run("-m", "kgfuse.cli.main", "init", "reef.kg", "-o", "reef", cwd=tmp_path)
    assert refused.returncode != 0
    assert "a-one 1.0" in refused.stderr
    assert "b-two 1.0" in refused.stderr
    assert not (tmp_path / "reef.kg").exists()
    taken = fresh.run("-m", "kgfuse.cli.main", "init", "dune.kg", "-o", "dune", cwd=tmp_path)
    assert taken.returncode == 0, taken.stderr
