"""The index directory: one builder at a time, a way back, and nothing lost that is in use."""

import subprocess
import sys
from pathlib import Path

import pytest

from indexer.directory import (
    MANIFEST,
    BusyError,
    NoSnapshotError,
    candidate,
    current,
    earlier,
    history,
    locked,
    make_current,
    prune,
    record,
    remove_leftovers,
    stored,
)

TEXT = '{"built_at": "2026-11-24T08:00:00+00:00", "guides": {"a": "1"}, "counts": {"passages": 3}}'


def snapshot(directory: Path, name: str) -> Path:
    (directory / name).mkdir()
    (directory / name / MANIFEST).write_text(TEXT, encoding="utf-8")
    return directory / name


def go_live(directory: Path, name: str) -> None:
    before = current(directory)
    path = make_current(directory, snapshot(directory, f".candidate-{name}"))
    record(directory, "reindex", path, before, "Admin 1", "")


def go_back(directory: Path) -> str:
    before = current(directory)
    path = make_current(directory, earlier(directory))
    record(directory, "rollback", path, before, "Admin 1", "schlechter")
    return path.name


def test_a_candidate_goes_live_under_its_own_name(tmp_path: Path) -> None:
    go_live(tmp_path, "1")
    waiting = snapshot(tmp_path, ".candidate-2")
    assert candidate(tmp_path) == waiting
    assert current(tmp_path) == tmp_path / "1"
    assert [(one.name, one.current, one.candidate) for one in stored(tmp_path)] == [
        ("2", False, True),
        ("1", True, False),
    ]
    assert make_current(tmp_path, waiting) == current(tmp_path) == tmp_path / "2"
    assert candidate(tmp_path) is None


def test_going_back_twice_goes_back_two_steps(tmp_path: Path) -> None:
    for name in "123":
        go_live(tmp_path, name)
    assert [go_back(tmp_path), go_back(tmp_path)] == ["2", "1"]
    with pytest.raises(NoSnapshotError):
        earlier(tmp_path)


def test_what_was_taken_back_is_not_gone_back_to(tmp_path: Path) -> None:
    for name in "123":
        go_live(tmp_path, name)
    go_back(tmp_path)
    go_live(tmp_path, "4")
    assert go_back(tmp_path) == "2"
    assert earlier(tmp_path, "3") == tmp_path / "3"


def test_a_change_that_was_not_written_down_is_gone_back_from(tmp_path: Path) -> None:
    go_live(tmp_path, "1")
    make_current(tmp_path, snapshot(tmp_path, "2"))  # killed before its line in the history
    assert earlier(tmp_path) == tmp_path / "1"
    go_live(tmp_path, "3")
    assert earlier(tmp_path) == tmp_path / "2"


@pytest.mark.parametrize("name", ["..", "../1", "nie", ".candidate-9", ""])
def test_only_a_snapshot_that_was_live_can_be_gone_back_to(tmp_path: Path, name: str) -> None:
    go_live(tmp_path, "1")
    snapshot(tmp_path, ".candidate-9")
    with pytest.raises(NoSnapshotError):
        earlier(tmp_path, name)


def test_the_history_says_who_and_why_and_survives_a_cut_line(tmp_path: Path) -> None:
    go_live(tmp_path, "1")
    go_live(tmp_path, "2")
    go_back(tmp_path)
    with (tmp_path / "history.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"at": "2026')
    last = history(tmp_path)[-1]
    assert (last.action, last.who, last.why, last.snapshot, last.before) == (
        "rollback",
        "Admin 1",
        "schlechter",
        "1",
        "2",
    )
    assert len(history(tmp_path)) == 3


def test_pruning_keeps_the_live_one_however_old_and_the_candidate(tmp_path: Path) -> None:
    for name in "123456":
        snapshot(tmp_path, name)
    waiting = snapshot(tmp_path, ".candidate-7")
    make_current(tmp_path, tmp_path / "1")
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == [".candidate-7", *"13456"]
    assert prune(tmp_path, 2) == ["3", "4", "5"]
    remove_leftovers(tmp_path)
    assert not waiting.exists()
    assert current(tmp_path) == tmp_path / "1"


def test_there_is_one_builder_at_a_time_and_a_killed_one_leaves_no_lock(tmp_path: Path) -> None:
    hold = "import sys\nfrom pathlib import Path\nfrom indexer.directory import locked\n"
    hold += "with locked(Path(sys.argv[1])):\n    print('held', flush=True)\n    sys.stdin.read()\n"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        with pytest.raises(BusyError), locked(tmp_path):
            pass
        process.kill()
    with locked(tmp_path):
        pass
