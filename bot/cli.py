"""`lotse`, the command for everything that is not a chat. What needs no model imports none."""

import asyncio
import os
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from bot.batch import read_batch
from bot.draft_cli import register as register_drafting
from bot.match_cli import register as register_matching
from bot.output import Json, fail, write_json
from bot.partners_cli import partners
from bot.reindex_cli import register as register_reindexing
from bot.settings import ConfigurationError, Settings, load_settings

if TYPE_CHECKING:
    from bot.answering import Answer
    from bot.dialogue import LanguageMode
    from bot.live import Live

app = typer.Typer(
    name="lotse",
    help="Der Kooperationslotse: Fragen zur Zusammenarbeit der drei Sektoren, beantwortet aus geprüften Leitfäden.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
REPORT = Path("docs/qualitaet.md")
guides = typer.Typer(no_args_is_help=True, help="Leitfäden anlegen.")
app.add_typer(guides, name="guides")
app.add_typer(partners, name="partners")
register_reindexing(app)
register_matching(app)


def main() -> None:
    """Entry point. Exit codes: 0 fine, 1 something to mend, 2 wrong use or configuration."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # no model is downloaded at run time by default
    try:
        app()
    except ConfigurationError as error:
        fail(str(error), 2)
    except KeyboardInterrupt:
        fail("Abgebrochen.", 1)
    except BrokenPipeError:
        # Whoever read the output has seen enough; keep Python from complaining at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@app.command()
def check(as_json: Json = False) -> None:
    """Prüft alle Leitfäden, Fragenbanken und Zahlen und sagt, was wo zu verbessern ist."""
    from knowledge_base.check import check as find_problems

    problems = find_problems(load_settings().knowledge_base)
    errors = sum(problem.level == "error" for problem in problems)
    if as_json:
        write_json([asdict(problem) for problem in problems])
    else:
        for problem in problems:
            kind = "Fehler" if problem.level == "error" else "Hinweis"
            typer.echo(f"{problem.file}:{problem.line}: {kind} in {problem.field}: {problem.message} {problem.mend}")
        typer.echo(f"{errors} Fehler, {len(problems) - errors} Hinweise.")
    raise typer.Exit(1 if errors else 0)


@guides.command("new")
def new_guide(
    guide_id: Annotated[str, typer.Argument(metavar="ID", help="Zum Beispiel foerderverein-gruenden.")],
    chapter: Annotated[str, typer.Option(help="Das Kapitel; die ids stehen in taxonomy.yaml.")] = "grundlagen",
) -> None:
    """Legt einen Leitfaden mit Hinweisen an jeder Stelle an, dazu seine leere Fragenbank."""
    from knowledge_base.figures import day_of
    from knowledge_base.guide import KnowledgeError, load_taxonomy
    from knowledge_base.stub import write_stub

    root = load_settings().knowledge_base
    try:
        written = write_stub(root, guide_id, chapter, load_taxonomy(root), day_of(time.time()))
    except (ValueError, KnowledgeError) as error:
        fail(str(error), 1)
    except OSError as error:
        fail(f"Der Leitfaden kann nicht nach {root} geschrieben werden: {error.strerror}.", 1)
    for path in written:
        typer.echo(f"Angelegt: {path}")
    typer.echo("`lotse check` sagt, was noch fehlt; docs/redaktion.md sagt, wie es geht.")


@app.command()
def doctor(as_json: Json = False) -> None:
    """Sagt, was auf diesem Rechner fehlt oder nicht stimmt."""
    from bot.doctor import examine

    findings = examine(load_settings())
    if as_json:
        write_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            typer.echo(f"{'✓' if finding.fine else '✗'} {finding.subject}: {finding.message}")
    raise typer.Exit(0 if all(finding.fine for finding in findings) else 1)


@app.command()
def ask(
    question: Annotated[str | None, typer.Argument(help="Die Frage.")] = None,
    batch: Annotated[
        Path | None, typer.Option(help="Datei mit einer Frage je Zeile; gibt je Zeile ein Objekt aus.")
    ] = None,
    sector: Annotated[str | None, typer.Option(help="verwaltung, wirtschaft oder zivilgesellschaft.")] = None,
    language: Annotated[str | None, typer.Option(help="de, en oder easy.")] = None,
    as_json: Json = False,
) -> None:
    """Beantwortet eine Frage, oder mit --json --batch viele."""
    if (question is None) == (batch is None):
        fail('Bitte entweder eine Frage oder --batch DATEI angeben: lotse ask "Frage".', 2)
    if batch is not None and not as_json:
        fail("--batch gibt JSON aus: Bitte --json dazu angeben.", 2)
    if sector not in (None, "verwaltung", "wirtschaft", "zivilgesellschaft"):
        fail(f"Den Sektor „{sector}“ gibt es nicht: verwaltung, wirtschaft oder zivilgesellschaft.", 2)
    if language not in (None, "de", "en", "easy"):
        fail(f"Die Sprache „{language}“ gibt es nicht: de, en oder easy.", 2)
    lines = read_batch(batch) if batch is not None else [str(question)]
    live = _open_live(load_settings())
    from bot.answering import Answerer, Asked, primary

    answerer = Answerer(live.retriever, live.library.titles)
    for line in lines:
        answer = primary(answerer.answer([Asked(line)])[0], line)
        if as_json:
            write_json(_as_json(answer, language))
        else:
            _print_answer(answer, live, sector, language)


def _as_json(answer: "Answer", language: str | None) -> dict[str, Any]:
    return {
        "question": answer.question,
        "status": answer.status,
        "guide": answer.guide,
        "guides": list(answer.guides),
        "passages": [asdict(passage) for passage in answer.passages],
        "confidence": round(answer.confidence, 4),
        "language": language or answer.language,
        "ms": answer.ms,
    }


def _print_answer(answer: "Answer", live: "Live", sector: str | None, language: str | None) -> None:
    """Print what the chat would say to this answer, without its buttons."""
    from bot.dialogue import Dialogue, Turn
    from bot.handlers.question import MOST_NEAREST, show
    from bot.views import Views

    turn = Turn(Dialogue(0, 0, sector=sector, language=cast("LanguageMode | None", language)), time.time())
    show(answer, turn, live.library, Views(live.library, "", ""))
    for call in turn.outgoing:
        typer.echo(getattr(call.method, "text", ""))
    if answer.status in ("clarify", "no_answer"):
        for guide in answer.guides[:MOST_NEAREST]:
            typer.echo(f"• {live.library.titles[guide]}")


@app.command("eval")
def evaluate(
    beir: Annotated[
        Path | None, typer.Option(help="Ordner in BEIR-Form: corpus.jsonl, queries.jsonl, qrels/test.tsv.")
    ] = None,
    queries: Annotated[Path | None, typer.Option(help="Andere Fragendatei zum selben Korpus.")] = None,
    golden: Annotated[bool, typer.Option("--golden", help="Die goldenen Fragen der Wissensbasis.")] = False,
    half: Annotated[str | None, typer.Option(help="Nur eine Hälfte der goldenen Fragen: tune oder test.")] = None,
    report: Annotated[
        bool, typer.Option("--report", help="Die Zahlen der goldenen Fragen in docs/qualitaet.md schreiben, mit Bild.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Misst die Suche: an einem BEIR-Ordner oder an den goldenen Fragen."""
    if (beir is None) == (not golden):
        fail("Bitte --beir ORDNER oder --golden angeben.", 2)
    if report and not golden:
        fail("--report gehört zu --golden.", 2)
    settings = load_settings()
    from indexer.evaluation import evaluate_beir, figures, outcomes, read_golden

    if beir is not None:
        for needed in (beir / "corpus.jsonl", beir / "qrels" / "test.tsv", queries or beir / "queries.jsonl"):
            if not needed.is_file():
                fail(f"{needed} fehlt: --beir braucht corpus.jsonl, queries.jsonl und qrels/test.tsv.", 2)
        from indexer.embedder import load_embedder

        with tempfile.TemporaryDirectory() as folder:
            shares = evaluate_beir(beir, queries, load_embedder(settings.model), Path(folder))
    else:
        live = _open_live(settings)
        found = outcomes(read_golden(settings.knowledge_base / "golden.jsonl"), live.retriever)
        shares = figures([outcome for outcome in found if half in (None, outcome.golden.half)])
        if report:
            from indexer.report import write

            write(REPORT, found, live.library.chapter_titles, live.library.titles)
            typer.echo(f"{REPORT} ist neu geschrieben.", err=True)
    if as_json:
        write_json(shares)
    else:
        for name, value in shares.items():
            typer.echo(f"{name:24} {value:.4f}" if isinstance(value, float) else f"{name:24} {value}")


@app.command()
def calibrate() -> None:
    """Passt die Zuversicht an die Hälfte „tune“ der goldenen Fragen an und schreibt indexer/calibration.json."""
    settings = load_settings()
    live = _open_live(settings)
    from indexer.calibration import PATH, save
    from indexer.evaluation import calibrate as fit_confidence

    save(fit_confidence(settings.knowledge_base / "golden.jsonl", live.retriever))
    typer.echo(f"{PATH} ist neu geschrieben. `lotse eval --golden --half test` misst, was es bringt.")


@app.command()
def chat() -> None:
    """Ein Gespräch im Terminal, mit demselben Bot wie in Telegram, ohne Token und ohne Server."""
    settings = load_settings()
    live = _open_live(settings)
    from rich.console import Console

    from bot.console import chat as converse
    from bot.console import typed_lines

    console = Console(highlight=False, markup=False, emoji=False)
    asyncio.run(converse(settings, live, typed_lines("\nSie: "), console, echo=not sys.stdin.isatty()))


@app.command("bot")
def run_bot() -> None:
    """Der Telegram-Bot, mit dem Token aus .env."""
    from bot.settings import load_telegram

    settings, telegram = load_settings(), load_telegram()
    live = _open_live(settings)
    from bot.polling import poll

    asyncio.run(poll(settings, telegram, live))


def _open_live(settings: Settings) -> "Live":
    """The live snapshot, built first when there is none; that the guides have changed since is said on stderr."""
    from bot.live import IndexingError, is_stale, open_live

    try:
        live = open_live(settings)
    except IndexingError as error:
        fail(str(error), 1)
    if is_stale(settings, time.time()):
        typer.echo(
            "Die Leitfäden haben sich seit dem letzten Index geändert: `lotse reindex` prüft und übernimmt sie.",
            err=True,
        )
    return live


register_drafting(app, _open_live)


if __name__ == "__main__":
    main()
