import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from indexer.calibration import NAMES, PATH, Calibration, Signals, fit, save

GOOD = Signals(dense=5, character=1, bank=0.05, similarity=0.9, passage=0.88, coverage=0.8, gap=4, agreement=1)
BAD = Signals(dense=-5, character=-1, bank=-0.05, similarity=0.83, passage=0.8, coverage=0.2, gap=0.3, agreement=0.25)


def examples(count: int = 200) -> tuple[list[Signals], list[bool]]:
    noise = np.random.default_rng(0).normal(size=(count, 2))
    right = [n % 2 == 0 for n in range(count)]
    signals = [
        replace(GOOD if is_right else BAD, dense=(4 if is_right else -4) + 2 * a, gap=(3 if is_right else 1) + b)
        for is_right, (a, b) in zip(right, noise, strict=True)
    ]
    return signals, right


def test_a_fitted_confidence_tells_right_from_wrong() -> None:
    signals, right = examples()
    calibration = fit(signals, right)
    assert calibration.confidence(GOOD) > 0.95
    assert calibration.confidence(BAD) < 0.05
    assert calibration.status(calibration.confidence(GOOD)) == "answer"
    assert calibration.status(calibration.confidence(BAD)) == "no_answer"
    assert calibration.clarify <= calibration.answer


def test_a_saved_calibration_is_loaded_as_it_was(tmp_path: Path) -> None:
    signals, right = examples()
    calibration = fit(signals, right)
    save(calibration, tmp_path / "calibration.json")
    loaded = Calibration.load(tmp_path / "calibration.json")
    for one in (GOOD, BAD, signals[0]):
        assert loaded.confidence(one) == pytest.approx(calibration.confidence(one), abs=1e-3)
    assert [file.name for file in tmp_path.iterdir()] == ["calibration.json"]


def test_a_calibration_for_other_signals_is_refused_with_the_command_that_mends_it(tmp_path: Path) -> None:
    data = json.loads(PATH.read_text(encoding="utf-8"))
    data["signals"].pop(NAMES[0])
    (tmp_path / "c.json").write_text(json.dumps(data))
    with pytest.raises(ValueError, match="lotse calibrate"):
        Calibration.load(tmp_path / "c.json")


def test_the_shipped_calibration_is_usable() -> None:
    calibration = Calibration.load()
    assert 0 < calibration.clarify < calibration.answer < 1
    assert calibration.confidence(GOOD) > calibration.answer
    assert calibration.confidence(BAD) < calibration.clarify
