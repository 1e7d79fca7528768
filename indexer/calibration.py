"""Confidence: how probable it is that the first guide answers the question, from a few signals.

A logistic regression over standardised signals. The signals compare things of one kind (the first guide against "no
guide" in each head and in the bank, the first guide against the second), so they keep their scale when guides are
added. Weights and thresholds are in calibration.json; `lotse calibrate` fits them anew.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Literal

import numpy as np

PATH = Path(__file__).with_name("calibration.json")
# An answer is given when it is more likely right than not; an offer while it has a real chance. Thresholds taken from the
# tail of the tuning half's near misses were tried: a handful of questions moved them, and they did not carry over from
# 12 guides to 64.
ANSWER = 0.5
CLARIFY = 0.2


@dataclass(frozen=True)
class Signals:
    """Signals about the first guide of a ranking.

    dense: log-odds of the guide against "no guide" (embedding head). character: its distance minus that of "no guide"
    (character head). bank: mean cosine of its three nearest example questions minus that of the three nearest
    questions that no guide answers. similarity: the former alone. passage: mean score of its best two passages.
    coverage: share of the question's content words that the corpus knows, weighted by idf. gap: lead over the second
    guide. agreement: share of the rankings with this guide first.
    """

    dense: float
    character: float
    bank: float
    similarity: float
    passage: float
    coverage: float
    gap: float
    agreement: float


NAMES = tuple(field.name for field in fields(Signals))


@dataclass(frozen=True)
class Calibration:
    """The fitted model: confidence = logistic(bias + sum of weight * (signal - mean) / scale)."""

    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    bias: float
    answer: float
    clarify: float

    @classmethod
    def load(cls, path: Path = PATH) -> Calibration:
        data = json.loads(path.read_text(encoding="utf-8"))
        if tuple(data["signals"]) != NAMES:
            raise ValueError(f"{path} was made for other signals. Run `lotse calibrate` to fit it anew.")
        return cls(
            mean=tuple(data["signals"][name]["mean"] for name in NAMES),
            scale=tuple(data["signals"][name]["scale"] for name in NAMES),
            weights=tuple(data["signals"][name]["weight"] for name in NAMES),
            bias=data["bias"],
            answer=data["answer"],
            clarify=data["clarify"],
        )

    def confidence(self, signals: Signals) -> float:
        """Probability that the first guide answers the question."""
        z = (np.array(astuple(signals)) - self.mean) / self.scale
        return float(1 / (1 + np.exp(-(self.bias + z @ np.array(self.weights)))))

    def status(self, confidence: float) -> Literal["answer", "clarify", "no_answer"]:
        if confidence >= self.answer:
            return "answer"
        return "clarify" if confidence >= self.clarify else "no_answer"


def fit(signals: Sequence[Signals], right: Sequence[bool]) -> Calibration:
    """Fit the confidence to labelled questions: `right` says whether the first guide answers each; some do, some not."""
    from sklearn.linear_model import LogisticRegression

    matrix = np.array([astuple(one) for one in signals])
    mean, scale = matrix.mean(axis=0), matrix.std(axis=0)
    scale[scale == 0] = 1.0
    # Strong regularisation: the few hundred questions here must carry over to others.
    model = LogisticRegression(C=0.3).fit((matrix - mean) / scale, np.array(right))
    return Calibration(
        mean=tuple(mean.tolist()),
        scale=tuple(scale.tolist()),
        weights=tuple(model.coef_[0].tolist()),
        bias=float(model.intercept_[0]),
        answer=ANSWER,
        clarify=CLARIFY,
    )


def save(calibration: Calibration, path: Path = PATH) -> None:
    """Write the fitted model as JSON, replacing the file at once."""
    columns = zip(NAMES, calibration.mean, calibration.scale, calibration.weights, strict=True)
    signals = {
        name: {"mean": round(mean, 5), "scale": round(scale, 5), "weight": round(weight, 5)}
        for name, mean, scale, weight in columns
    }
    rest = {"bias": calibration.bias, "answer": calibration.answer, "clarify": calibration.clarify}
    data = {"signals": signals} | {name: round(value, 5) for name, value in rest.items()}
    beside = path.with_suffix(".tmp")
    beside.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
    beside.replace(path)
