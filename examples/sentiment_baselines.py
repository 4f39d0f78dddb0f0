"""What simple means reach on a set of ``sentiment_data``: VADER alone, and logistic regression on three inputs.

    python -m examples.sentiment_baselines --archive data-sentiment/vaderSentiment-3.3.2.tar.gz --out data-sentiment

Prints accuracy and macro F1 on the test split and writes ``baselines.json``. The regressions are trained on the train
split; their one setting is chosen on the validation split. VADER is not trained; where its score is exactly zero (no
word of its lexicon, or a balance) it gets the more frequent label of the train split.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score

from examples.sentiment_data import Example, arguments, describe, load
from kgfuse.encode.text import TextEncoder
from kgfuse.errors import KgfuseError

STRENGTHS = (0.1, 1.0, 10.0, 100.0)


def vader_scores(texts: Sequence[str]) -> NDArray[np.float64]:
    """VADER's negative, neutral, positive and compound score of each text, (n, 4)."""
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    analyser = SentimentIntensityAnalyzer()
    scores = [analyser.polarity_scores(text) for text in texts]
    return np.array([[s["neg"], s["neu"], s["pos"], s["compound"]] for s in scores])


def measures(truth: NDArray[Any], predicted: NDArray[Any]) -> dict[str, float]:
    """Accuracy and the mean of the two classes' F1."""
    return {
        "accuracy": float(accuracy_score(truth, predicted)),
        "macro_f1": float(f1_score(truth, predicted, average="macro")),
    }


def regression(features: Any, labels: NDArray[Any], parts: dict[str, NDArray[Any]]) -> dict[str, float]:
    """Test measures of the logistic regression that does best on the validation split."""

    def fitted(strength: float) -> LogisticRegression:
        model = LogisticRegression(C=strength, max_iter=2000)
        return model.fit(features[parts["train"]], labels[parts["train"]])

    models = [fitted(s) for s in STRENGTHS]
    on_validation = [m.score(features[parts["validation"]], labels[parts["validation"]]) for m in models]
    best = models[int(np.argmax(on_validation))]
    return measures(labels[parts["test"]], best.predict(features[parts["test"]]))


def baselines(examples: Sequence[Example]) -> dict[str, dict[str, float]]:
    """Measure every baseline on the test split."""
    texts = [e.text for e in examples]
    labels = np.array([e.label == "positive" for e in examples])
    splits = np.array([e.split for e in examples])
    parts = {name: np.flatnonzero(splits == name) for name in ("train", "validation", "test")}
    majority = bool(labels[parts["train"]].mean() >= 0.5)
    scores = vader_scores(texts)
    compound = scores[:, 3]
    test = parts["test"]
    vader = np.where(compound == 0, majority, compound > 0)
    tfidf = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True).fit([texts[i] for i in parts["train"]])
    sentences = TextEncoder().encode(texts)
    return {
        "more frequent label": measures(labels[test], np.full(len(test), majority)),
        "VADER alone": measures(labels[test], vader[test]),
        "TF-IDF + LR": regression(tfidf.transform(texts), labels, parts),
        "MiniLM + LR": regression(sentences, labels, parts),
        "MiniLM and VADER's scores + LR": regression(np.hstack([sentences, scores]), labels, parts),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Print and write the figures."""
    options = arguments().parse_args(argv)
    try:
        examples = load(options)
        options.out.mkdir(parents=True, exist_ok=True)
        figures = baselines(examples)
    except KgfuseError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    counts = describe(examples)
    record = {"set": str(options.data or options.part), "counts": counts, "test": figures}
    (options.out / "baselines.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    print(f"{sum(counts['test'].values())} test sentences")
    for name, row in figures.items():
        print(f"{name:32} accuracy {row['accuracy']:.3f}  macro F1 {row['macro_f1']:.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
