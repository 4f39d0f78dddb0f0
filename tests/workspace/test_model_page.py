"""A model's page: its numbers are those of answers and labels, its map shows every item, and nothing is alive."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from lxml import html
from sklearn.metrics import precision_recall_fscore_support

from kgfuse import Workspace
from kgfuse.errors import UsageError
from kgfuse.terms.namespaces import RDF, item_iri
from kgfuse.workspace.build import BuildReport
from kgfuse.workspace.demo import DemoResult
from kgfuse.workspace.prediction import Prediction
from kgfuse.workspace.report import write_report
from kgfuse.workspace.report.confusion import confusion
from kgfuse.workspace.report.model import examine
from kgfuse.workspace.training import Trained
from tests.workspace.samples import FG, TEXT_ONLY, manifest, workspace
from tests.workspace.test_report import HOSTILE, Page, browsed

QUICK = ("epochs=4", "patience=4", "gnn.epochs=3", "kernel.enabled=false", "width=16", "hidden=16", "device=cpu")
SPLITS = ("train", "train", "train", "train", "validation", "test", "test", "test")
TOLD = {
    "Bird": ("owl wren gull hen crow robin heron finch", "It has feathers and a beak, and lays eggs."),
    "Mammal": ("cow fox bear wolf deer mole hare otter", "It has fur and gives milk to its young."),
    "Tool": ("saw axe adze drill file plane chisel wrench", "It is made of steel and is used in a workshop."),
    "Clothing": ("shirt coat hat sock glove scarf skirt dress", "It is sewn of cotton and worn in winter."),
}
ODD = {"finch": "Mammal", "wrench": "Bird", "dress": "Tool"}
"""Items whose text speaks of another kind than their label: the model cannot but be wrong about them."""


def rows(splits: tuple[str, ...] = SPLITS) -> list[dict[str, object]]:
    """Thirty-two items with a class, and with one or two places to live in."""
    made: list[dict[str, object]] = []
    for kind, (names, told) in TOLD.items():
        for n, (name, split) in enumerate(zip(names.split(), splits, strict=False)):
            label = {"rdf:type": f"fg:{ODD.get(name, kind)}", "fg:livesIn": ["fg:forest", "fg:river"][: 1 + n % 2]}
            text = f"The {name} is known to all. {told}"
            shown = f"{name} {HOSTILE}" if name == "wrench" else name
            made.append({"id": name, "name": shown, "type": "fg:Thing", "text": text, "split": split, "label": label})
    return made


@dataclass(frozen=True)
class Shown:
    """A trained workspace with the page of its model."""

    ws: Workspace
    trained: Trained
    html: str
    answers: list[Prediction]

    @property
    def truth(self) -> dict[str, str]:
        """Item → its class."""
        return {i.iri: next(iter(i.labels[RDF + "type"])) for i in self.ws.items() if i.labels}


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    root = tmp_path_factory.mktemp("page")
    with workspace(root / "ws", manifest(root / "data", rows()), settings=TEXT_ONLY) as ws:
        trained = ws.train(["fg:Thing", "fg:livesIn"], overrides=QUICK, runs=2, name="both")
        ws.report(root / "model.html", answers=2)
        yield Shown(ws, trained, (root / "model.html").read_text(encoding="utf-8"), ws.classify(model="both"))


def table(page: str, anchor: str) -> list[list[str]]:
    """Rows of the first table after a heading."""
    (heading,) = html.document_fromstring(page).xpath(f'//*[@id="{anchor}"]')
    found = heading.xpath("following::table[1]")[0]
    return [[" ".join(c.text_content().split()) for c in row.xpath("./th|./td")] for row in found.xpath(".//tr")]


def said(page: str) -> str:
    return " ".join(html.document_fromstring(page).xpath("//body")[0].text_content().split())


def test_the_figures_of_each_class_are_those_of_answers_and_labels(shown: Shown) -> None:
    truth = shown.truth
    assert len(shown.answers) == 12
    names = sorted({shown.ws.graph.label(FG + kind) for kind in TOLD})
    given = [shown.ws.graph.label(p.label_iri) for p in shown.answers]
    true = [shown.ws.graph.label(truth[p.item]) for p in shown.answers]
    precision, recall, f1, support = precision_recall_fscore_support(true, given, labels=names, zero_division=0)
    found = {row[0]: row[1:5] for row in table(shown.html, "t1-classes")[1:]}
    for n, name in enumerate(names):
        stated = [f"{value[n]:.3f}" for value in (precision, recall, f1)]
        assert found[name] == [stated[0] if name in given else "–", *stated[1:], str(support[n])]
    others = {row[0]: row[5] for row in table(shown.html, "t1-classes")[1:]}
    for name in names:
        taken = Counter(b for a, b in zip(true, given, strict=True) if a == name != b)
        assert dict(re.findall(r"(\S+) (\d+)", others[name])) == {k: str(n) for k, n in taken.items()}
    for kind, mean in (("macro", "mean of the classes (macro)"), ("weighted", "mean of the items (weighted)")):
        of_all = precision_recall_fscore_support(true, given, average=kind, zero_division=0)
        assert found[mean][:3] == [f"{value:.3f}" for value in of_all[:3]]
    right = sum(a == b for a, b in zip(true, given, strict=True))
    assert f"Judged on 12 test items. Right: {right}," in said(shown.html)
    assert 0 < right <= 9


def test_the_calibration_error_is_the_one_that_the_answers_have(shown: Shown) -> None:
    truth, gaps = shown.truth, [0.0] * 10
    for p in shown.answers:
        gaps[min(int(p.probability * 10), 9)] += p.probability - (p.label_iri == truth[p.item])
    error = sum(map(abs, gaps)) / len(shown.answers)
    loss = -sum(
        math.log(next(r.probability for r in p.ranking if r.iri == truth[p.item])) for p in shown.answers
    ) / len(shown.answers)
    header, *body = table(shown.html, "t1-reliability")
    assert header[1:] == ["ECE", "log-loss"]
    assert [float(cell) for cell in body[-1][1:]] == pytest.approx([error, loss], abs=6e-4)
    assert "over 10 bins of equal width" in said(shown.html)
    card = json.loads((shown.ws.path / "models" / "both" / "model.json").read_text())
    assert card["metrics"][FG + "Thing"]["calibration_error"] == pytest.approx(error, abs=1e-5)


def test_before_the_temperature_the_answers_are_the_same_and_less_or_more_sure(shown: Shown) -> None:
    (judged, _) = shown.ws.assess(model="both").targets
    cold, warm = judged.uncalibrated, judged.calibrated
    assert sum(b.right for b in cold.bins) == sum(b.right for b in warm.bins)
    raw = judged.scores.logits / judged.sharpness
    shares = np.exp(raw - raw.max(axis=1, keepdims=True)).max(axis=1) / np.exp(
        raw - raw.max(axis=1, keepdims=True)
    ).sum(1)
    assert sum(b.confidence * b.count for b in cold.bins if b.count) == pytest.approx(float(shares.sum()), rel=1e-5)
    body = table(shown.html, "t1-reliability")[1:]
    assert len(body) == 2
    assert body[0][1] == f"{cold.error:.3f}"


def test_wrong_answers_within_the_superclass_are_told_from_those_outside(shown: Shown) -> None:
    truth, family = shown.truth, {"Bird": "a", "Mammal": "a", "Tool": "b", "Clothing": "b"}
    kin = {FG + kind: group for kind, group in family.items()}
    wrong = [(truth[p.item], p.label_iri) for p in shown.answers if truth[p.item] != p.label_iri]
    near = sum(kin[a] == kin[b] for a, b in wrong)
    head = f"Of the {len(wrong)} wrong answers, {near} {'lies' if near == 1 else 'lie'} within the right superclass"
    assert head in said(shown.html)
    assert {"finch", "dress"} <= {p.name for p in shown.answers if truth[p.item] != p.label_iri}
    page = html.document_fromstring(shown.html)
    matrix = page.xpath('//section[@id="t1"]//table[contains(@class, "matrix")]')[0]
    assert [" ".join(th.text_content().split()) for th in matrix.xpath('.//th[@scope="rowgroup"]')] == [
        "animal",
        "artefact",
    ]
    cells = matrix.xpath('.//td[contains(@class, "cell")]')
    counts = dict.fromkeys(("hit", "near", "far"), 0)
    for cell in cells:
        counts[cell.get("class").split()[1]] += int(cell.text_content() or 0)
    assert counts == {"hit": 12 - len(wrong), "near": near, "far": len(wrong) - near}


def test_of_many_classes_the_most_confused_are_shown_and_the_others_summed_up(
    shown: Shown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kgfuse.workspace.report.model.confusion", partial(confusion, most=2))
    shown.ws.report(tmp_path / "few.html", answers=0)
    page = (tmp_path / "few.html").read_text(encoding="utf-8")
    assert "The 2 most confused classes; 2 more have items or were given as answers" in said(page)
    matrix = html.document_fromstring(page).xpath('//table[contains(@class, "matrix")]')[0]
    lines = [tr for tr in matrix.xpath("./tbody/tr") if tr.get("class") != "family"]
    assert [len(tr.xpath("./td")) for tr in lines] == [4] * 3
    assert sum(int(td.text_content() or 0) for tr in lines for td in tr.xpath("./td")[1:]) == 12


def test_every_labelled_item_is_on_the_map_and_wrong_answers_are_ringed(shown: Shown) -> None:
    truth = shown.truth
    page = html.document_fromstring(shown.html)
    points = page.xpath('//figure[contains(@class, "map")]//svg/g')
    names = {i.iri: i.label for i in shown.ws.items()}
    assert sorted(p.xpath("string(title)").rpartition(":")[0].split(":")[0] for p in points) == sorted(
        names[iri].split(":")[0] for iri in truth
    )
    ringed = {p.xpath("string(title)").split(":")[0] for p in points if "wrong" in p.get("class")}
    assert ringed == {names[p.item] for p in shown.answers if p.label_iri != truth[p.item]}
    assert all(p.xpath('./circle[@class="ring"]') for p in points if "wrong" in p.get("class"))
    assert len([p for p in points if "judged" in p.get("class")]) == 12
    finch = next(p for p in points if p.xpath("string(title)").startswith("finch"))
    answer = next(p for p in shown.answers if p.name == "finch")
    assert finch.xpath(
        "string(title)"
    ) == f"finch: mammal, taken for {answer.label} ({answer.probability:.0%})".replace("%", " %")
    for point in points:
        numbers = [float(n) for n in re.findall(r"(?:cx|cy|[^r]x|y)=\"([\d.]+)\"", html.tostring(point).decode())]
        assert all(0 <= n <= 860 for n in numbers)


def test_the_surest_answers_come_with_their_evidence(shown: Shown) -> None:
    truth = shown.truth
    ranked = sorted(shown.answers, key=lambda p: (-p.probability, p.item))
    right = [p for p in ranked if p.label_iri == truth[p.item]][:2]
    wrong = [p for p in ranked if p.label_iri != truth[p.item]][:2]
    cards = html.document_fromstring(shown.html).xpath('//div[@class="answer-card"]')
    assert [" ".join(c.xpath("string(.//h4)").split()) for c in cards] == [
        f"{p.name} → {p.label}" for p in (*right, *wrong)
    ]
    for card, answer in zip(cards, (*right, *wrong), strict=True):
        lines = card.xpath("./ol[@class='lines']/li")
        assert 1 <= len(lines) <= 3
        explained = answer.explain()
        parts = sorted([*explained.statements, *explained.passages], key=lambda e: -e.effect)
        shown_effect = lines[0].xpath("string(.//span[@class='n'])").replace("−", "-")
        assert float(shown_effect) == pytest.approx(100 * parts[0].effect, abs=0.02)
        assert card.xpath(".//details//article[@data-chain]")
    assert [len(c.xpath(".//*[contains(@class, 'badge bad')]")) > 0 for c in cards[:2]] == [False, False]


def test_several_answers_at_once_get_a_table_and_nothing_else(shown: Shown) -> None:
    answers = shown.ws.classify(model="both", target="fg:livesIn")
    held = {i.iri: set(i.labels.get(FG + "livesIn", ())) for i in shown.ws.items()}
    found = {row[0]: row[1:] for row in table(shown.html, "t2-classes")[1:]}
    for place in ("forest", "river"):
        true = [FG + place in held[p.item] for p in answers]
        given = [FG + place in {r.iri for r in p.labels} for p in answers]
        expected = precision_recall_fscore_support(true, given, average="binary", zero_division=0)
        assert [float(v) if v != "–" else 0.0 for v in found[place][:3]] == pytest.approx(expected[:3], abs=6e-4)
        assert found[place][3] == str(sum(true))
    assert "t2-map" not in shown.html
    assert "t2-confusion" not in shown.html
    section = html.document_fromstring(shown.html).xpath('//section[@id="t2"]')[0].text_content()
    assert "but no reliability diagram, confusion matrix, map or list of surest answers" in section


def test_learning_curves_and_ablation_are_those_that_the_model_keeps(shown: Shown) -> None:
    curves = shown.ws.assess(model="both").curves
    assert {c.stage for c in curves} == {"layer", "graph"}
    alts = [svg.get("aria-label") for svg in html.document_fromstring(shown.html).xpath('//section[@id="curves"]//svg')]
    for curve, alt in zip(curves, alts, strict=True):
        assert f"training loss from {curve.losses[0]:.3f} to {curve.losses[-1]:.3f}" in alt
        assert f"validation loss from {curve.validation[0]:.3f} to {curve.validation[-1]:.3f}" in alt
        assert f"epoch {curve.kept} was kept" in alt
    card = json.loads((shown.ws.path / "models" / "both" / "model.json").read_text())
    stated = {r["name"]: r["mean"] for r in card["ablation"]["targets"][FG + "Thing"]["rows"]}
    found = {row[0]: row[1] for row in table(shown.html, "worth-h")[1:]}
    assert {name: cell.split(" %")[0] for name, cell in found.items()} == {
        name: f"{100 * mean:.1f}" for name, mean in stated.items()
    }
    assert "2 runs, each on 12 test items of the same split, with its own seed" in said(shown.html)


def test_the_page_holds_all_it_shows_and_is_the_same_each_time(shown: Shown, tmp_path: Path) -> None:
    page = Page(shown.html)
    for tag, attributes in page.tags:
        assert not (attributes.get("src") or "data:").partition("data:")[0], tag
        assert (attributes.get("href") or "#").startswith(("#", "data:")), tag
        assert not [a for a in attributes if a.startswith("on")], tag
    assert len(page.attributes("script")) == len(page.attributes("style")) == 1
    assert "alert(1)" in "".join(page.text)
    ids = [a["id"] for _, a in page.tags if a.get("id")]
    assert len(ids) == len(set(ids))
    assert all(a["href"][1:] in ids for _, a in page.tags if (a.get("href") or "").startswith("#"))  # type: ignore[index]
    assert all(a.get("scope") for a in page.attributes("th"))
    assert all(a.get("role") == "img" and a.get("aria-label") for a in page.attributes("svg"))
    shown.ws._predictors.clear()
    shown.ws.report(tmp_path / "again.html", model="both", answers=2)
    assert (tmp_path / "again.html").read_text(encoding="utf-8") == shown.html


@contextmanager
def altered(ws: Workspace, file: str, **changes: object) -> Iterator[None]:
    """A model as if its card said something else; ``None`` takes a key away."""
    path = ws.path / "models" / "both" / file
    before = path.read_text()
    card = {**json.loads(before), **changes}
    path.write_text(json.dumps({k: v for k, v in card.items() if v is not None}))
    ws._predictors.clear()
    try:
        yield
    finally:
        path.write_text(before)
        ws._predictors.clear()


def test_a_model_from_before_curves_were_kept_says_so(shown: Shown, tmp_path: Path) -> None:
    with altered(shown.ws, "fusion/model.json", curves=None), altered(shown.ws, "model.json", resplit=None):
        assert shown.ws.report(tmp_path / "old.html", answers=0).curves == ()
    page = (tmp_path / "old.html").read_text(encoding="utf-8")
    assert "it was trained before kgfuse kept them" in said(page)
    assert "2 runs, each on 12 test items; ±" in said(page)
    assert "answer-card" not in page.partition("</style>")[2]
    assert table(page, "t1-classes") == table(shown.html, "t1-classes")


def test_answers_that_the_model_keeps_to_itself_count_by_their_likeliest_class(shown: Shown, tmp_path: Path) -> None:
    config = json.loads((shown.ws.path / "models" / "both" / "fusion" / "model.json").read_text())["config"]
    sure = [p.probability for p in shown.answers]
    between = sorted(sure)[5] + 1e-6
    with altered(shown.ws, "fusion/model.json", config={**config, "abstain": between}):
        judged = shown.ws.report(tmp_path / "shy.html", answers=0).targets[0]
    kept_back = sum(p < between for p in sure)
    assert judged.abstained == kept_back > 0
    page = (tmp_path / "shy.html").read_text(encoding="utf-8")
    assert f"From {kept_back} of them it abstains; its likeliest class counts all the same." in said(page)
    assert table(page, "t1-classes") == table(shown.html, "t1-classes")


def test_items_that_are_gone_are_counted_and_nothing_is_said_of_them(shown: Shown, tmp_path: Path) -> None:
    card = json.loads((shown.ws.path / "models" / "both" / "model.json").read_text())
    fewer = {**card["items"], "test": [item_iri("gone"), item_iri("finch")]}
    with altered(shown.ws, "model.json", items=fewer):
        judged = shown.ws.report(tmp_path / "fewer.html", answers=1).targets[0]
    assert (judged.names, judged.left_out, int(judged.right.sum())) == (("finch",), 1, 0)
    assert "Judged on 1 test item. 1 more is gone from the workspace" in said((tmp_path / "fewer.html").read_text())
    with altered(shown.ws, "model.json", items={**fewer, "test": [item_iri("gone")]}):
        shown.ws.report(tmp_path / "none.html")
    page = (tmp_path / "none.html").read_text()
    assert "None of its test items is in the workspace any more" in said(page)
    assert len(html.document_fromstring(page).xpath('//figure[contains(@class, "map")]//svg/g')) == 20


def test_without_test_items_the_validation_items_judge_and_it_is_said(tmp_path: Path) -> None:
    data = manifest(tmp_path / "data", [r | {"split": "train" if r["split"] == "test" else r["split"]} for r in rows()])
    with workspace(tmp_path / "ws", data, settings=TEXT_ONLY) as ws:
        ws.train("fg:Thing", overrides=(*QUICK, "gnn.enabled=false"), runs=0, name="both")
        found = ws.report(tmp_path / "page.html", answers=1)
        assert (found.split, len(found.targets[0].rows)) == ("validation", 4)
        page = said((tmp_path / "page.html").read_text(encoding="utf-8"))
        assert "Judged on 4 validation items, on which it was selected, so the figures are optimistic." in page
        assert "No ablation was run with this model" in page
        with altered(ws, "model.json", items={**found.card["items"], "validation": []}):
            assert ws.report(tmp_path / "none.html").split == ""
        assert "nothing was kept to judge it on" in said((tmp_path / "none.html").read_text(encoding="utf-8"))


def test_what_cannot_be_shown_is_told(shown: Shown, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="answers is -1"):
        shown.ws.report(tmp_path / "page.html", answers=-1)
    with pytest.raises(UsageError, match="no model is called 'nix'"):
        shown.ws.report(tmp_path / "page.html", model="nix")
    assert not list(tmp_path.iterdir())


def test_the_demos_report_shows_the_model_and_leads_to_chains_that_it_has_already(shown: Shown, tmp_path: Path) -> None:
    ranked = sorted(shown.answers, key=lambda p: (-p.probability, p.item))
    surest = next(p for p in ranked if p.label_iri == shown.truth[p.item])
    explanations = [surest.explain()]
    examined = examine(shown.ws._predictor("both"), answers=1, known=explanations)
    assert examined.extremes[FG + "Thing"][0].explanation is explanations[0]
    result = DemoResult(
        workspace=shown.ws.path,
        report=tmp_path / "report.html",
        build=BuildReport(unchanged=True),
        trained=shown.trained,
        predictions=shown.answers,
        correct=sum(p.label_iri == shown.truth[p.item] for p in shown.answers),
        explanations=explanations,
        colours={"items": 0},
        tags={"pictures": 0, "tagged": 0, "turned_away": 0},
        examined=examined,
    )
    write_report(shown.ws, result, result.report)
    text = result.report.read_text(encoding="utf-8")
    assert table(text, "t1-classes") == table(shown.html, "t1-classes")
    page = html.document_fromstring(text)
    first, second = page.xpath('//div[@class="answer-card"]')
    assert first.xpath('.//a[@href="#c1"]')
    assert not first.xpath(".//article")
    assert [a.get("id") for a in second.xpath(".//article")] == ["c2"]
    ids = page.xpath("//@id")
    assert len(ids) == len(set(ids))
    assert {a[1:] for a in page.xpath("//a/@href") if a.startswith("#")} <= set(ids)
    assert json.dumps(result.to_dict()["assessment"], allow_nan=False)


def test_figures_are_plain_json(shown: Shown) -> None:
    plain = json.loads(json.dumps(shown.ws.assess(model="both").to_dict(), allow_nan=False))
    assert plain["judged_on"] == "test"
    single, multi = plain["targets"]
    assert single["right"] + single["wrong_within_superclass"] + single["wrong_outside"] == single["items"] == 12
    assert "calibration" not in multi


@pytest.mark.system
def test_a_browser_shows_the_page_and_asks_nobody(shown: Shown, tmp_path: Path) -> None:
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "report.html").write_text(shown.html, encoding="utf-8")
    asked, dom, errors = browsed(tmp_path / "page" / "report.html", tmp_path / "profile")
    assert asked == ["/report.html"]
    assert "CONSOLE" not in errors
    assert "What was taken for what" in dom
