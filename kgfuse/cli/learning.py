"""Commands that learn and answer: train, classify, explain."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kgfuse.cli.app import app
from kgfuse.cli.chains import explanation_view, proof_view
from kgfuse.cli.command import WorkspaceArgument, command, given
from kgfuse.cli.output import Output
from kgfuse.cli.searches import search_view
from kgfuse.cli.tables import bar, pairs, percent, plural, table
from kgfuse.errors import KgfuseError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import RenderableType

    from kgfuse.fuse.ablation import Ablation
    from kgfuse.workspace.prediction import Prediction

ModelOption = Annotated[str | None, typer.Option(help="Name of the model; the newest where not given.")]


@command(
    app,
    "train",
    "kgfuse train shop.kg",
    "kgfuse train shop.kg --target retail:Product --runs 5 --resplit",
    "kgfuse train shop.kg --config train.toml --set epochs=30 --set gnn.layers=3",
    "kgfuse train shop.kg --set risk=0.05",
    "kgfuse train shop.kg --search 10m",
    "kgfuse train shop.kg --trials 30 --search-space space.toml",
)
def train(
    out: Output,
    workspace: WorkspaceArgument,
    target: Annotated[
        list[str],
        typer.Option(
            metavar="CURIE",
            help="Class whose subclasses are told apart, or a property; several are learned together. "
            "Without it: whatever the labels are.",
        ),
    ] = [],  # noqa: B006
    config: Annotated[str | None, typer.Option(metavar="FILE", help="TOML file of hyper-parameters.")] = None,
    set: Annotated[
        list[str], typer.Option("--set", metavar="KEY=VALUE", help="A hyper-parameter; may be repeated.")
    ] = [],  # noqa: B006
    runs: Annotated[
        int, typer.Option(min=0, help="Seeds (with --resplit: splits) of the comparison; 0 leaves it out.")
    ] = 3,
    resplit: Annotated[bool, typer.Option("--resplit", help="Split the items anew in each run.")] = False,
    name: Annotated[str | None, typer.Option(help="Name of the model; made from target and data if not given.")] = None,
    search: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="First search for better settings, for so long: 90s, 10m, 1h30m. A search on the same data goes on "
            "where the last one stopped.",
        ),
    ] = None,
    trials: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Search until there are so many trials; alone or with --search."),
    ] = None,
    search_space: Annotated[
        str | None,
        typer.Option(
            "--search-space",
            metavar="FILE",
            help="TOML: dropout = [0.1, 0.3] or lr = {low = 1e-3, high = 1e-2, log = true}, a line a setting.",
        ),
    ] = None,
) -> None:
    """Train a classifier on the labelled items, and compare text, picture and graph, alone and together.

    --set risk=0.05 makes it give no answer where it is too unsure: of the answers given, at most 5 % are wrong, with
    95 % confidence (--set risk_confidence=0.99 for more). Held-out items choose from which probability on it answers;
    too few of them, or too many errors, and it says that it cannot promise this, and answers nothing.

    --set calibrate=auto gives each class a temperature and a bias of its own where cross-validation says so; --set
    kin_smoothing=0.1 lets a near relative of the true class count as less wrong than a stranger while learning.

    Items to which a manifest gives one group (an author, a patient, a shelf) stay on one side of every split.
    """
    from rich.text import Text

    from kgfuse.fuse.search.budget import Search, seconds_of
    from kgfuse.workspace import Workspace

    asked = None
    if search is not None or trials is not None:
        asked = Search(None if search is None else seconds_of(search), trials, search_space)
    elif search_space is not None:
        raise UsageError("--search-space without a search", remedy="add --search 10m or --trials 30")
    with Workspace.open(workspace) as ws:
        with out.progress() as on_event:
            trained = ws.train(
                target or "",
                config=config,
                overrides=set,
                runs=runs,
                resplit=resplit,
                name=name,
                search=asked,
                on_event=on_event,
            )
        shrink = ws.vocabulary.shrink
    data = {
        "model": trained.name,
        "folder": str(trained.folder),
        "targets": list(trained.targets),
        "items": trained.counts,
        "metrics": trained.metrics,
        "ablation": trained.ablation.to_dict() if trained.ablation else None,
        "search": trained.search.to_dict() if trained.search else None,
        "promises": {target: found.to_dict() for target, found in trained.promises.items()},
    }
    shown: list[RenderableType] = [] if trained.search is None else [search_view(trained.search)]
    for question in trained.targets:
        if trained.ablation is not None:
            shown.append(ablation_view(trained.ablation, question, shrink))
        judged = "test" if trained.counts["test"] else "validation"
        figures = {k: int(v) if k == "items" else v for k, v in trained.metrics[question].items()}
        shown.append(pairs(f"{shrink(question)} on {judged} items", figures))
        if question in trained.promises:
            found = trained.promises[question]
            shown.append(Text(f"{shrink(question)}: {found.said()}", style="" if found.kept else "bold yellow"))
    counts = ", ".join(f"{count} {split}" for split, count in trained.counts.items())
    shown.append(f"model {trained.name} ({counts} items)")
    out.result(data, *shown)
    out.note(f"next: kgfuse classify {workspace}; how it does: kgfuse models {workspace} --html model.html")
    out.note(f"curves while it learns: tensorboard --logdir {workspace}/logs")
    if trained.search is not None:
        out.note(f"the chosen settings: {trained.folder}/settings.toml (for --config)")


@command(
    app,
    "classify",
    "kgfuse classify shop.kg",
    "kgfuse classify shop.kg photo.jpg --top 5",
    "kgfuse classify shop.kg apple pear --json",
    "find photos -name '*.jpg' | kgfuse classify shop.kg - --stream > answers.jsonl",
)
def classify(
    out: Output,
    workspace: WorkspaceArgument,
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="INPUT", help="Files or items; without: the workspace's test items and those without a label."
        ),
    ] = None,
    model: ModelOption = None,
    target: Annotated[str | None, typer.Option(metavar="CURIE", help="Which of the model's targets.")] = None,
    top: Annotated[int, typer.Option(min=1, help="How many possible answers to show for each.")] = 2,
    stream: Annotated[
        bool,
        typer.Option(
            "--stream",
            help="Any number of files: one JSON object a line as answers come; INPUT - reads names from stdin.",
        ),
    ] = False,
) -> None:
    """Answer for items or files, with probabilities; files are not added to the workspace.

    With --stream memory does not grow with the number of files; one that cannot be read is told on standard error, and
    the rest goes on.
    """
    from kgfuse.workspace import Workspace

    workspace, chosen = given(workspace, inputs or [], "files, folders or items" if stream else "")
    if stream:
        names = (line.rstrip("\r\n") for line in sys.stdin) if chosen == ["-"] else iter(chosen)
        with Workspace.open(workspace) as ws, out.progress() as on_event:
            for p in ws.classify_stream(
                (name for name in names if name), model=model, target=target, top=top, on_event=on_event
            ):
                out.raw(json.dumps(p.to_dict() | {"files": p.files}, ensure_ascii=False) + "\n")
        return
    with Workspace.open(workspace) as ws, out.progress() as on_event:
        predictions = ws.classify(chosen or None, model=model, target=target, top=top, on_event=on_event)
    records = [p.to_dict() for p in predictions]
    out.result({"predictions": records}, _answers(predictions, top))
    silent = [p for p in predictions if p.abstained]
    if silent:
        out.note(f"{len(silent)} of {plural(len(predictions), 'item')} got no answer: {_too_unsure(silent[0])}")
    if predictions:
        out.note(f"why? kgfuse explain {workspace} {predictions[0].name}")
    else:
        out.note("no test items and none without a label: name items or files")


@command(
    app,
    "explain",
    "kgfuse explain shop.kg apple",
    "kgfuse explain shop.kg photo.jpg --model fruit-1a2b3c4d",
    "kgfuse explain shop.kg apple --html apple.html",
    "kgfuse explain shop.kg item:apple rdf:type gen:Food",
    "kgfuse explain shop.kg item:apple a gen:Food --rdf proof.ttl",
)
def explain(
    out: Output,
    workspace: WorkspaceArgument,
    what: Annotated[
        list[str] | None,
        typer.Argument(metavar="ITEM | S P O", help="An item, a file, or a triple to prove."),
    ] = None,
    model: ModelOption = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write the explanation as a self-contained page.")
    ] = None,
    rdf: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write the proof of a triple as RDF (Turtle).")
    ] = None,
) -> None:
    """Lead an answer back to sentences and pixels, or prove a triple down to what sources say."""
    from kgfuse.workspace import Workspace

    workspace, parts = given(workspace, what or [], "an item, a file or a triple")
    if len(parts) not in (1, 3):
        raise UsageError(
            f"{plural(len(parts), 'name')} given",
            remedy="one item or file, or subject, predicate and object of a triple",
        )
    with Workspace.open(workspace, read_only=len(parts) == 3) as ws:
        if len(parts) == 1:
            with out.progress() as on_event:
                on_event("explain", 0, 1, parts[0])
                explanation = ws.explain(parts[0], model=model, html=html)
                on_event("explain", 1, 1, parts[0])
            out.result(explanation.to_dict(), explanation_view(explanation))
            return
        subject, predicate, object_ = parts
        proof = ws.prove(subject, predicate, object_)
        if proof is None:
            raise KgfuseError(
                f"{' '.join(parts)} does not hold", where=workspace, remedy="only what holds in the graph has a proof"
            )
        if rdf is not None:
            import pyoxigraph as ox

            prefixes = ws.vocabulary.prefixes
            rdf.write_bytes(ox.serialize(proof.to_rdf(), format=ox.RdfFormat.TURTLE, prefixes=prefixes) or b"")
        out.result(proof.to_dict(), proof_view(proof, ws.graph))


def ablation_view(ablation: Ablation, target: str, shrink: Callable[[str], str]) -> RenderableType:
    """Each way of reading the items, with its distance from the fusion and whether that is inside the noise."""
    runs, items = len(ablation.seeds), ablation.items[0]
    made = table(
        f"{shrink(target)}: accuracy over {plural(runs, 'run')}, {items:,} items each",
        "reads",
        "accuracy",
        "",
        "fusion − this",
        "",
        right=(1, 3),
    )
    against = {d.against: d for d in ablation.differences(target)}
    for row in ablation.rows[target]:
        spread = f"{row.mean:.3f} ± {row.sd:.3f}" if runs > 1 else f"{row.mean:.3f}"
        difference = against.get(row.name)
        verdict, gap = "", ""
        if difference is not None:
            gap = f"{difference.mean:+.3f} ± {difference.margin:.3f}"
            verdict = "[dim]inside the noise[/]" if difference.inside_noise else "[bold]outside the noise[/]"
        made.add_row(row.name, spread, bar(row.mean), gap, verdict)
    made.caption = "± after an accuracy: standard deviation over runs; after a difference: half a 95 % interval"
    made.caption_justify = "left"
    return made


def _too_unsure(prediction: Prediction) -> str:
    if prediction.needed is None:
        return "the model's risk cannot be promised, so it answers nothing"
    return f"less sure than {percent(prediction.needed)}, from which on the model answers"


def _answers(predictions: Sequence[Prediction], top: int) -> RenderableType:
    made = table("", "item", "answer", "probability", "", *(["runner-up"] if top > 1 else []), right=(2,))
    for p in predictions:
        answer = ", ".join(r.label for r in p.labels) or p.label
        others = [r for r in p.ranking if r.iri not in {own.iri for own in p.labels}][: top - 1]
        runner_up = ", ".join(f"{r.label} {percent(r.probability)}" for r in others)
        cells = [p.name, "[dim]no answer[/]" if p.abstained else answer.replace("[", r"\["), percent(p.probability)]
        made.add_row(*cells, bar(p.probability), *([runner_up] if top > 1 else []))
    return made
