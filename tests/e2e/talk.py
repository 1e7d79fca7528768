"""What the conversations in the tests share."""

from bot.app import App
from tests.telegram_server import TelegramServer
from tests.telegram_server.people import User


async def tapped(server: TelegramServer, app: App, person: User, label: str) -> str:
    """Tap a button of the person's latest message; the text that is the latest then."""
    await server.wait_until_answered(await person.tap(person.last, label))
    await app.idle()
    return str(person.last["text"])
