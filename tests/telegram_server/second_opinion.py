"""Reads what goes over the wire with python-telegram-bot too, an implementation independent of aiogram."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import aiogram.types
import telegram
from telegram import TelegramObject

from tests.telegram_server.wire import Json

RESULTS: dict[str, type[TelegramObject]] = {
    "getMe": telegram.User,
    "getUpdates": telegram.Update,
    "sendMessage": telegram.Message,
    "sendPhoto": telegram.Message,
    "sendDocument": telegram.Message,
    "forwardMessage": telegram.Message,
    "editMessageText": telegram.Message,
    "editMessageReplyMarkup": telegram.Message,
    "copyMessage": telegram.MessageId,
    "getFile": telegram.File,
    "getMyCommands": telegram.BotCommand,
    "getMyName": telegram.BotName,
    "getMyDescription": telegram.BotDescription,
    "getMyShortDescription": telegram.BotShortDescription,
    "getChat": telegram.ChatFullInfo,
    "getChatMember": telegram.ChatMember,
    "getWebhookInfo": telegram.WebhookInfo,
    "createForumTopic": telegram.ForumTopic,
}
PARAMETERS: dict[str, type[TelegramObject]] = {
    "entities": telegram.MessageEntity,
    "caption_entities": telegram.MessageEntity,
    "commands": telegram.BotCommand,
    "scope": telegram.BotCommandScope,
    "reply_parameters": telegram.ReplyParameters,
    "link_preview_options": telegram.LinkPreviewOptions,
    "reaction": telegram.ReactionType,
}
MARKUPS: dict[str, type[TelegramObject]] = {
    "inline_keyboard": telegram.InlineKeyboardMarkup,
    "keyboard": telegram.ReplyKeyboardMarkup,
    "remove_keyboard": telegram.ReplyKeyboardRemove,
    "force_reply": telegram.ForceReply,
}


def check_parameters(parameters: Json) -> list[str]:
    """Problems with what a bot sent."""
    problems = []
    for name, value in parameters.items():
        if name == "reply_markup":
            cls = next((cls for key, cls in MARKUPS.items() if key in value), None)
            problems += ["no known reply markup"] if cls is None else _check(cls, value)
        elif name in PARAMETERS:
            problems += _check(PARAMETERS[name], value)
    return problems


def check_result(method: str, result: object) -> list[str]:
    """Problems with what the server answers."""
    cls = RESULTS.get(method)
    return [] if cls is None else _check(cls, result)


def check_update(update: Json) -> list[str]:
    return _check(telegram.Update, update)


def _check(cls: type[TelegramObject], value: Any) -> list[str]:  # noqa: ANN401 it is to find out
    problems: list[str] = []
    for item in value if isinstance(value, list) else [value]:
        try:
            parsed = cls.de_json(item, bot=None)
            problems += _unknown(parsed)
            message = parsed.effective_message if isinstance(parsed, telegram.Update) else parsed
            if isinstance(message, telegram.Message):
                message.parse_entities()
                message.parse_caption_entities()
        except Exception as error:  # whatever the second implementation stumbles over is a finding
            problems.append(f"{cls.__name__}: {type(error).__name__}: {error} in {item!r:.300}")
    return problems


def _unknown(value: object) -> Iterable[str]:
    """Fields at any depth that neither library knows; aiogram follows the Bot API faster."""
    if isinstance(value, TelegramObject):
        if value.api_kwargs:
            cls_name = type(value).__name__
            newer = _fields_of_aiogram(cls_name)
            yield from (f"{cls_name} has no field {name!r}" for name in value.api_kwargs if name not in newer)
        cls: type = type(value)
        for name in _attributes(cls):
            yield from _unknown(getattr(value, name, None))
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _unknown(item)


@cache
def _attributes(cls: type) -> list[str]:
    return [slot for base in cls.__mro__ for slot in getattr(base, "__slots__", ()) if not slot.startswith("_")]


@cache
def _fields_of_aiogram(name: str) -> frozenset[str]:
    model = getattr(aiogram.types, name, None)
    return frozenset(info.alias or field for field, info in model.model_fields.items()) if model else frozenset()
