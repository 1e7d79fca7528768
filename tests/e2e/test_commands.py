"""`lotse` as scripts call it, and the conversation in the terminal."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
PROJECT = Path(__file__).parents[2]


def lotse(*arguments: str, folder: Path, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bot.cli", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=PROJECT,
        env=os.environ | {"LOTSE_DATA_DIR": str(folder)} | environment,
        check=False,
        timeout=300,
    )


def test_batch_gives_one_object_a_line(data: Path, tmp_path: Path) -> None:
    lines = ["Spende oder Sponsoring?", "", "Wie backe ich Kuchen?\r", "Hallo\u2028Welt", "x" * 30_000, "Danke"]
    file = tmp_path / "fragen.txt"
    file.write_bytes("\n".join(lines).encode() + b"\n\xff\xfe\n")
    done = lotse("ask", "--json", "--batch", str(file), folder=data)
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.split("\n") if line]
    assert len(answers) == len(lines) + 1
    assert [answer["question"] for answer in answers[:6]] == lines
    assert answers[0]["status"] == "answer"
    assert answers[0]["guide"] == "spende-oder-sponsoring"
    assert answers[2]["status"] == "no_answer"
    assert answers[5]["status"] == "smalltalk"
    for answer in answers:
        assert set(answer) == {"question", "status", "guide", "guides", "passages", "confidence", "language", "ms"}
        assert 0 <= answer["confidence"] <= 1
        assert len(answer["guides"]) <= 5


def test_a_conversation_can_be_piped_in(data: Path) -> None:
    typed = "3\nDie Firma will ihr Logo auf unseren Trikots. Gibt es eine Spendenquittung?\n1\n99\nbist du ein Mensch?"
    done = lotse("chat", folder=data, stdin=typed)
    assert done.returncode == 0, done.stderr
    for expected in (
        "Ihr Sektor: Zivilgesellschaft.",
        "Entscheidend ist die Gegenleistung.",
        "Fragen Sie die Firma vorab",
        "Einen Knopf 99 gibt es hier nicht.",
        "kein Mensch",
    ):
        assert expected in done.stdout
    assert "Traceback" not in done.stderr


def test_an_unchanged_index_embeds_nothing(data: Path) -> None:
    done = lotse("index", "--json", folder=data)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert set(report) == {"guides", "passages", "embedded", "reused", "removed", "seconds", "snapshot"}
    assert report["embedded"] == 0
    assert report["reused"] > 0


def test_broken_guides_leave_the_last_good_index_in_use(data: Path, tmp_path: Path) -> None:
    done = lotse("index", folder=data, LOTSE_KNOWLEDGE_BASE=str(tmp_path))
    assert done.returncode == 1
    assert "lotse check" in done.stderr
    answered = lotse("ask", "--json", "Spende oder Sponsoring?", folder=data)
    assert json.loads(answered.stdout)["status"] == "answer"


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("bot",), 2, "TELEGRAM_BOT_TOKEN fehlt"),
        (("ask",), 2, "entweder eine Frage oder --batch"),
        (("ask", "Frage", "--sector", "kirche"), 2, "Den Sektor „kirche“ gibt es nicht"),
        (("ask", "--json", "--batch", "/gibt/es/nicht"), 2, "kann nicht gelesen werden"),
        (("eval", "--beir", "/gibt/es/nicht"), 2, "fehlt"),
        (("gibtesnicht",), 2, "gibtesnicht"),
    ],
)
def test_wrong_use_gets_one_clear_message(tmp_path: Path, arguments: tuple[str, ...], code: int, says: str) -> None:
    done = lotse(*arguments, folder=tmp_path, TELEGRAM_BOT_TOKEN="")
    assert done.returncode == code
    assert says in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["check", "doctor", "--help"])
def test_what_needs_no_model_loads_none(tmp_path: Path, command: str) -> None:
    probe = "import sys; from bot.cli import app; "
    probe += f"\ntry: app(['{command}'], standalone_mode=False)\nexcept SystemExit: pass\n"
    probe += "bad = {'torch', 'sentence_transformers', 'faiss', 'aiogram'} & set(sys.modules); assert not bad, bad"
    done = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=False, cwd=PROJECT,
        env=os.environ | {"LOTSE_DATA_DIR": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_the_doctor_knows_a_healthy_machine(data: Path) -> None:
    done = lotse("doctor", "--json", folder=data, TELEGRAM_BOT_TOKEN="")
    findings = {finding["subject"]: finding for finding in json.loads(done.stdout)}
    assert findings["Index"]["fine"], findings
    assert findings["Leitfäden"]["fine"]
