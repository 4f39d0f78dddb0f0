"""What is read in pictures and recordings: writing, things and places, groceries, speech; beside the bare engines.

    python -m tests.benchmarks.perception --out DIR [--seeds N] [--data GroceryStoreDataset/dataset]

Writing is rendered in five fonts and spoilt in eight ways; scikit-image's photographed page comes as it is. Things are
judged on the pictures that scikit-image and scikit-learn ship, boxes and names by hand. Without ``--data`` the photos
of groceries are left out. A package that is missing is named, and the rest goes on.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from tests.benchmarks import common, perception_grocery, perception_speech, perception_tags, perception_writing


def main(argv: Sequence[str] | None = None) -> None:
    """Run the parts and print their tables."""
    parser = common.parser(__doc__ or "")
    parser.add_argument("--data", type=common.Path, help="folder of the grocery photos (default: without)")
    options = parser.parse_args(argv)
    result: dict[str, Any] = {"seeds": options.seeds}
    result["tags"] = tags()
    if options.data is not None:
        result["grocery"] = grocery(options.data)
    else:
        print("\ngrocery photos: left out, no --data")
    result["writing"] = writing(options.seeds)
    result["speech"] = perception_speech.report(options.seeds)
    common.write(options.out, "perception", result)


def tags() -> dict[str, Any]:
    """Names and boxes on the pictures of packages."""
    found = perception_tags.measure()
    common.table("pictures of scikit-image and scikit-learn, tags", perception_tags.shares(found["pictures"]))
    boxes = found["boxes"]
    if boxes:
        rows = [
            (f"{b['file']}, {b['name']}", f"{b['iou']:.2f}  {b['iou_window']:.2f}  {b['centre_inside']:.0f}")
            for b in boxes
        ]
        means = [statistics.fmean(b[key] for b in boxes) for key in ("iou", "iou_window", "centre_inside")]
        rows.append(("mean", f"{means[0]:.2f}  {means[1]:.2f}  {means[2]:.2f}"))
        common.table("boxes: IoU, IoU of the seen window, centre inside the thing", rows)
    for line in found["absent"]:
        print(f"  left out: {line}")
    return found


def grocery(data: common.Path) -> dict[str, Any]:
    """Coarse classes of groceries, zero-shot."""
    found = perception_grocery.measure(data.resolve())
    rows = [(key, f"{value:.3f}") for key, value in sorted(found["shares"].items())]
    rows += [
        ("argmax: share of its classes that are true", f"{found['argmax_precision']:.3f}"),
        (f"kgfuse: share of the {found['tags_let_in']} tags let in that are true", f"{found['tag_precision']:.3f}"),
        ("kgfuse: mean confidence of these", f"{found['mean_confidence_let_in']:.3f}"),
        ("kgfuse: calibration error of these", f"{found['calibration_error_let_in']:.3f}"),
        ("kgfuse: of all tags, calibration error / Brier", f"{found['calibration_error']:.3f} / {found['brier']:.3f}"),
    ]
    common.table(f"groceries, {found['photos']} photos, share of photos", rows)
    return found


def writing(seeds: int) -> dict[str, Any]:
    """Character error rates."""
    found = perception_writing.measure(seeds)
    engines = list(next(iter(found["rates"].values())))
    rows = [
        (condition, "   ".join(f"{common.shown(of[name]):>15}" for name in engines))
        for condition, of in found["rates"].items()
    ]
    common.table(f"character error rate, {seeds} seeds", [("", "   ".join(f"{n:>15}" for n in engines)), *rows])
    for line in found["absent"]:
        print(f"  {line}")
    return found


if __name__ == "__main__":
    main()
