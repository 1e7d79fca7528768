"""Draws docs/conversation.svg, the README's picture, from a conversation with the running assistant."""

import asyncio
import io
import re
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from rich.console import Console

from bot.console import chat
from bot.live import open_live
from bot.settings import Settings, load_settings

TYPED = (
    "3",
    "Der Chef vom Baumarkt würd uns was geben, will aber sein Schild am Zaun sehen. Geht das so einfach?",
    "2",
    "Wie backe ich einen Kuchen?",
)


async def typed() -> AsyncIterator[str]:
    for line in TYPED:
        yield line


def main() -> None:
    live = open_live(load_settings())
    console = Console(record=True, width=116, force_terminal=True, highlight=False, file=io.StringIO())
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(chat(Settings(data_dir=Path(folder)), live, typed(), console, echo=True))
    picture = console.export_svg(title="make chat")
    # The fonts it would fetch from elsewhere are not needed: any monospaced one will do.
    picture = re.sub(r"@font-face\s*{[^}]*}", "", picture).replace("Fira Code", "ui-monospace, Menlo, Consolas")
    Path(__file__).with_name("conversation.svg").write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main()
