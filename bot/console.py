"""The assistant in a terminal: a Telegram session that prints instead of sending, and a person who types."""

import asyncio
import itertools
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any, cast

from aiogram import Bot
from aiogram.client.session.base import BaseSession
from aiogram.exceptions import TelegramBadRequest
from aiogram.methods import (
    AnswerCallbackQuery,
    EditMessageText,
    GetMe,
    SendChatAction,
    SendMessage,
    SetMyCommands,
    TelegramMethod,
)
from aiogram.types import Chat, InlineKeyboardButton, InlineKeyboardMarkup, Message, MessageEntity, User
from rich.console import Console
from rich.text import Text

from bot.app import App, run_app
from bot.live import Live
from bot.settings import Settings

BOT = User(id=1, is_bot=True, first_name="Kooperationslotse", username="kooperationslotse_bot")
TOKEN = f"{BOT.id}:terminal"  # of this form alone; no server ever sees it
PERSON: dict[str, Any] = {"id": 2, "is_bot": False, "first_name": "Sie", "language_code": "de"}
CHAT: dict[str, Any] = {"id": 2, "type": "private", "first_name": "Sie"}
STYLES = {"bold": "bold", "italic": "italic", "underline": "underline", "code": "cyan"}


class TerminalSession(BaseSession):
    """Prints what the bot sends; keeps the messages with buttons, so that a number can tap one."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        # Numbers go on from the clock, so that they are new in a database that remembers earlier conversations.
        self.numbers = itertools.count(int(time.time() * 1000))
        self.latest: Message | None = None

    @property
    def buttons(self) -> list[InlineKeyboardButton]:
        """The buttons of the latest keyboard, in reading order."""
        markup = self.latest.reply_markup if self.latest else None
        return [button for row in markup.inline_keyboard for button in row] if markup else []

    async def make_request(self, bot: Bot, method: TelegramMethod[Any], timeout: int | None = None) -> Any:  # noqa: ANN401, ASYNC109 - as declared by aiogram
        match method:
            case GetMe():
                return BOT
            case SetMyCommands() | SendChatAction():
                return True
            case SendMessage():
                return self._show(method, next(self.numbers))
            case EditMessageText():
                return self._show(method, cast("int", method.message_id))
            case AnswerCallbackQuery():
                if method.text:
                    self._console.print(Text(f"  ({method.text})", style="dim"))
                return True
            case _:
                raise TelegramBadRequest(method=method, message=f"{type(method).__name__} is not known in a terminal")

    async def close(self) -> None:
        return

    async def stream_content(self, *args: Any, **kwargs: Any) -> AsyncGenerator[bytes, None]:  # noqa: ANN401
        raise NotImplementedError("a terminal has no files")
        yield b""

    def _show(self, method: SendMessage | EditMessageText, number: int) -> Message:
        text = styled(method.text or "", method.entities or [])
        markup = method.reply_markup if isinstance(method.reply_markup, InlineKeyboardMarkup) else None
        message = Message(
            message_id=number,
            date=datetime.now(UTC),
            chat=Chat.model_validate(CHAT),
            from_user=BOT,
            text=method.text,
            reply_markup=markup,
        )
        self._console.print()
        self._console.print(text, soft_wrap=not self._console.is_terminal)
        if markup:
            self.latest = message
            count = itertools.count(1)
            for row in markup.inline_keyboard:
                line = "   ".join(f"[{next(count)}] {button.text}" for button in row)
                self._console.print(Text(f"  {line}", style="bold blue"), soft_wrap=True)
        return message


def styled(text: str, entities: list[MessageEntity]) -> Text:
    """`text` with its entities as terminal styles; their offsets count UTF-16 units."""
    shown = Text(text)
    raw = text.encode("utf-16-le")
    for entity in entities:
        start = len(raw[: 2 * entity.offset].decode("utf-16-le"))
        end = len(raw[: 2 * (entity.offset + entity.length)].decode("utf-16-le"))
        if style := STYLES.get(entity.type):
            shown.stylize(style, start, end)
    return shown


async def typed_lines(prompt: str) -> AsyncIterator[str]:
    """The lines that are typed or piped in, until the end of input."""
    while True:
        try:
            if sys.stdin.isatty():
                yield await asyncio.to_thread(input, prompt)
            else:
                line = await asyncio.to_thread(sys.stdin.readline)
                if not line:
                    return
                yield line.rstrip("\n")
        except EOFError:
            return


async def chat(settings: Settings, live: Live, lines: AsyncIterator[str], console: Console, *, echo: bool) -> None:
    """A conversation in the terminal, until `/quit` or the end of `lines`; what is pending then is still answered."""
    session = TerminalSession(console)
    async with run_app(settings, TOKEN, session, live, database_name="terminal", metered=False, samples=True) as app:
        console.print(Text("Terminal-Gespräch. Eine Zahl drückt einen Knopf, /quit beendet.", style="dim"))
        await _say(app, session, "/start")
        async for line in lines:
            if line.strip() == "/quit":
                break
            if echo:
                console.print()
                console.print(Text(f"> {line}", style="green"), soft_wrap=True)
            # Five digits are a postcode.
            if line.strip().isdecimal() and len(line.strip()) < 5 and session.buttons:
                await _tap(app, session, int(line), console.print)
            elif line.strip():
                await _say(app, session, line)
        await app.idle()


async def _say(app: App, session: TerminalSession, text: str) -> None:
    message = {
        "message_id": next(session.numbers), "date": int(time.time()), "chat": CHAT, "from": PERSON, "text": text,
    }  # fmt: skip
    if text.startswith("/"):
        message["entities"] = [{"type": "bot_command", "offset": 0, "length": len(text.split()[0])}]
    await app.inbox.store([{"update_id": next(session.numbers), "message": message}])
    await app.idle()


async def _tap(app: App, session: TerminalSession, number: int, write: Callable[[Text], None]) -> None:
    if not 1 <= number <= len(session.buttons) or session.latest is None:
        write(Text(f"Einen Knopf {number} gibt es hier nicht.", style="dim"))
        return
    button = session.buttons[number - 1]
    if button.copy_text:
        write(Text(f"  {button.copy_text.text}"))
        return
    query = {
        "id": str(next(session.numbers)),
        "from": PERSON,
        "chat_instance": "terminal",
        "data": button.callback_data,
        "message": session.latest.model_dump(mode="json", exclude_none=True, by_alias=True),
    }
    await app.inbox.store([{"update_id": next(session.numbers), "callback_query": query}])
    await app.idle()
