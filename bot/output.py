"""What the commands of `lotse` share: JSON for scripts, messages on stderr, a progress bar."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from rich.progress import ProgressColumn, Task
    from rich.text import Text

Json = Annotated[bool, typer.Option("--json", help="Ausgabe als JSON für Skripte.")]


def fail(message: str, code: int) -> NoReturn:
    typer.echo(message, err=True)
    raise SystemExit(code)


def write_json(value: Any) -> None:  # noqa: ANN401 - anything JSON can hold
    typer.echo(json.dumps(value, ensure_ascii=False, default=str))


@contextmanager
def progress_bar(enabled: bool, *, rate: bool = False) -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar on stderr with the remaining time, as a callback `(stage, done, total)`; `rate`: things a second, too."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()]
    columns += [_rate_column()] if rate else []
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), disable=not enabled) as bar:
        tasks: dict[str, Any] = {}

        def advance(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=total)
            bar.update(tasks[stage], completed=done, total=total)

        yield advance


def _rate_column() -> "ProgressColumn":
    from rich.progress import ProgressColumn
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: "Task") -> "Text":
            return Text(f"{task.speed:.0f}/s" if task.speed else "")

    return Rate()
