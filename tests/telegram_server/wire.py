"""What goes over the wire: JSON objects, Telegram's error answers and UTF-16 counting."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

MISUSE = "[test server]"
"""Opens the description of a refusal that Telegram itself would not utter: it means a mistake of the bot or of a test."""


class ApiError(Exception):
    """A refusal in Telegram's shape.

    `misuse` marks what Telegram would silently ignore or cut (an unknown parameter, a second action of a button):
    such a call never is right, so it fails the test even when the test expects errors.
    """

    def __init__(
        self, code: int, description: str, *, misuse: bool = False, parameters: dict[str, int] | None = None
    ) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.misuse = misuse
        self.parameters = parameters or {}

    def body(self) -> Json:
        body: Json = {"ok": False, "error_code": self.code, "description": self.description}
        if self.parameters:
            body["parameters"] = self.parameters
        return body


def bad_request(what: str, **parameters: int) -> ApiError:
    return ApiError(400, f"Bad Request: {what}", parameters=parameters)


def forbidden(what: str) -> ApiError:
    return ApiError(403, f"Forbidden: {what}")


def misuse(what: str) -> ApiError:
    return ApiError(400, f"Bad Request: {MISUSE} {what}", misuse=True)


def text_of(message: Json) -> str:
    """Text or caption of a message, "" when it has neither."""
    return str(message.get("text") or message.get("caption") or "")


def utf16_length(text: str) -> int:
    """Length in UTF-16 code units, the unit of every offset and limit of the Bot API."""
    return len(text) + sum(character > "\uffff" for character in text) if not text.isascii() else len(text)
