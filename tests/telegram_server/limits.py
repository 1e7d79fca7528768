"""The Bot API's limits on texts, entities, keyboards and commands, counted as Telegram counts.

Figures: core.telegram.org/bots/api and /bots/faq, wording of the refusals: telegram-bot-api and TDLib.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from tests.telegram_server.wire import Json, bad_request, misuse, utf16_length

MAX_TEXT = 4096  # UTF-16 units, as for all lengths here unless said otherwise
MAX_CAPTION = 1024
MAX_RAW_BYTES = 32_768
MAX_ENTITIES = 100
MAX_CALLBACK_DATA_BYTES = 64
MAX_CALLBACK_ANSWER = 200
MAX_BUTTONS = 100
MAX_BUTTONS_IN_ROW = 8
MAX_COPY_TEXT = 256
MAX_QUOTE = 1024
MAX_TOPIC_NAME = 128
MAX_COMMANDS = 100
MAX_COMMAND_DESCRIPTION = 256
MAX_DOWNLOAD = 20 * 1024 * 1024  # bytes
MAX_UPLOAD = 50 * 1024 * 1024  # bytes
CALLBACK_LIFE = 150.0  # seconds
UPDATE_LIFE = 24 * 3600.0  # seconds

PLAIN_ENTITIES = frozenset(
    {
        "mention",
        "hashtag",
        "cashtag",
        "bot_command",
        "url",
        "email",
        "phone_number",
        "bold",
        "italic",
        "underline",
        "strikethrough",
        "spoiler",
        "blockquote",
        "expandable_blockquote",
        "code",
    }
)
ENTITY_NEEDS = {"text_link": "url", "text_mention": "user", "custom_emoji": "custom_emoji_id", "date_time": "unix_time"}
BUTTON_LOOKS = frozenset({"text", "icon_custom_emoji_id", "style"})

_CONTROLS = {code: " " for code in range(32) if code != 10} | {13: None}
_COMMAND = re.compile(r"[a-z0-9_]{1,32}")
_START_LINK = re.compile(r"[?&]start(?:group)?=([^&#]*)")
_DETECTED = re.compile(
    r"(?P<email>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)"
    r"|(?P<url>https?://[^\s<>\"]+|(?<![\w@./-])(?:[\w-]+\.)+(?:de|com|org|net|eu|info|me|io)\b(?:/[^\s<>\"]*)?)"
    r"|(?P<bot_command>(?<![\w/@.-])/[A-Za-z0-9_]{1,64}(?:@[A-Za-z][A-Za-z0-9_]{3,31})?(?!\w|/))"
    r"|(?P<mention>(?<![\w@])@[A-Za-z][A-Za-z0-9_]{3,31}(?!\w))"
    r"|(?P<hashtag>(?<![\w#])#(?=\w*[^\W\d])\w{1,256})"
)


def clean_text(
    text: str, entities: list[Json] | None, *, maximum: int, caption: bool = False
) -> tuple[str, list[Json]]:
    """Text and entities as Telegram keeps them; raises ApiError for what it refuses.

    Control characters become spaces, white space at the end goes, links and commands get their entities.
    """
    if len(text.encode()) > MAX_RAW_BYTES:
        raise bad_request("text is too long")
    explicit = sorted(entities or [], key=lambda entity: (entity["offset"], -entity["length"]))
    check_entities(text, explicit)
    if explicit and "\r" in text:
        raise misuse("a carriage return: Telegram removes it, and all entities behind it move")
    text = (text if text.isprintable() else text.translate(_CONTROLS)).rstrip()
    length = utf16_length(text)
    if length > maximum:
        raise bad_request("message caption is too long" if caption else "message is too long")
    if not text and not caption:
        raise bad_request("message text is empty")
    explicit = [
        {**entity, "length": min(entity["length"], length - entity["offset"])}
        for entity in explicit
        if entity["offset"] < length
    ]
    spans = [(entity["offset"], entity["offset"] + entity["length"]) for entity in explicit]
    detected = [
        entity
        for entity in detect_entities(text)
        if not any(start < entity["offset"] + entity["length"] and entity["offset"] < end for start, end in spans)
    ]
    return text, sorted(explicit + detected, key=lambda entity: (entity["offset"], -entity["length"]))


def check_entities(text: str, entities: list[Json]) -> None:
    """`entities` are sorted by offset, the longer first."""
    if not entities:
        return
    if len(entities) > MAX_ENTITIES:
        raise misuse(f"{len(entities)} entities: Telegram drops all after the first {MAX_ENTITIES}")
    encoded = text.encode("utf-16-le")
    end_of_text = len(encoded) // 2

    def splits_a_pair(offset: int) -> bool:
        return offset < end_of_text and 0xDC <= encoded[2 * offset + 1] <= 0xDF

    open_ends: list[int] = []
    for entity in entities:
        start, length = entity["offset"], entity["length"]
        end = start + length
        if start < 0:
            raise bad_request("receive an entity with incorrect offset")
        if length <= 0:
            raise misuse(f"an entity of length {length}: Telegram drops it")
        if start >= end_of_text:
            raise bad_request(f"entity begins after the end of the text at UTF-16 offset {start}")
        while open_ends and open_ends[-1] <= start:
            open_ends.pop()
        if end > end_of_text or (open_ends and end > open_ends[-1]):
            raise bad_request(
                f"entity beginning at UTF-16 offset {start} ends after the end of the text at UTF-16 offset {end}"
            )
        if splits_a_pair(start):
            raise bad_request(f"entity begins in a middle of a UTF-16 symbol at byte offset {start}")
        if splits_a_pair(end):
            raise bad_request(
                f"entity beginning at UTF-16 offset {start} ends in a middle of a UTF-16 symbol at byte offset {end}"
            )
        open_ends.append(end)
        _check_entity_type(entity)


def _check_entity_type(entity: Json) -> None:
    kind = entity["type"]
    if kind in PLAIN_ENTITIES or kind == "pre":
        return
    needed = ENTITY_NEEDS.get(kind)
    if needed is None:
        raise bad_request("can't parse MessageEntity: Unsupported type specified")
    if needed not in entity:
        raise bad_request(f"can't parse MessageEntity: Can't find field \"{needed}\"")
    if kind == "text_link" and not _is_link(entity["url"], {"http", "https", "tg", "ton", "mailto", "tel"}):
        raise bad_request(f"entity URL '{entity['url']}' is invalid: Wrong HTTP URL")


def detect_entities(text: str) -> list[Json]:
    """Commands, mentions, hashtags, links and mail addresses, which Telegram marks by itself."""
    if not any(sign in text for sign in "/@#."):
        return []
    entities: list[Json] = []
    for found in _DETECTED.finditer(text):
        kind = str(found.lastgroup)
        matched = found.group().rstrip(".,;:!?)»“”\"'") if kind == "url" else found.group()
        offset = utf16_length(text[: found.start()])
        entities.append({"type": kind, "offset": offset, "length": utf16_length(matched)})
    return entities


def check_markup(markup: Json | None) -> None:
    """An inline keyboard, a reply keyboard, its removal or a forced reply, already checked for types."""
    if markup is None:
        return
    placeholder = markup.get("input_field_placeholder")
    if placeholder is not None and not 1 <= utf16_length(placeholder) <= 64:
        raise misuse(f"a placeholder of {utf16_length(placeholder)} characters, 1-64 are allowed")
    inline = "inline_keyboard" in markup
    rows = markup["inline_keyboard"] if inline else markup.get("keyboard", [])
    if sum(len(row) for row in rows) > MAX_BUTTONS:
        raise misuse(f"more than {MAX_BUTTONS} buttons: Telegram drops the rest")
    for row in rows:
        if not row:
            raise misuse("an empty row of buttons: Telegram drops it")
        if len(row) > MAX_BUTTONS_IN_ROW:
            raise misuse(f"{len(row)} buttons in a row: Telegram shows {MAX_BUTTONS_IN_ROW}")
        for button in row:
            if not button["text"].strip():
                raise bad_request("can't parse inline keyboard button: Text must be non-empty")
            if inline:
                _check_inline_button(button)
    if "keyboard" in markup and not rows:
        raise bad_request("can't parse reply keyboard markup: keyboard must be non-empty")


def _check_inline_button(button: Json) -> None:
    actions = sorted(button.keys() - BUTTON_LOOKS)
    if not actions:
        raise bad_request("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
    if len(actions) > 1:
        raise misuse(f"a button with several actions: {', '.join(actions)}")
    if actions == ["callback_data"]:
        if not 1 <= len(button["callback_data"].encode()) <= MAX_CALLBACK_DATA_BYTES:
            raise bad_request("BUTTON_DATA_INVALID")
    elif actions == ["url"]:
        _check_button_url(button["url"])
    elif actions == ["copy_text"] and not 1 <= utf16_length(button["copy_text"]["text"]) <= MAX_COPY_TEXT:
        raise bad_request("BUTTON_COPY_TEXT_INVALID")


def _check_button_url(url: str) -> None:
    if not _is_link(url, {"http", "https", "tg"}):
        raise bad_request(f"inline keyboard button URL '{url}' is invalid: Wrong HTTP URL")
    if urlsplit(url).netloc in ("t.me", "telegram.me") or url.startswith("tg://resolve"):
        start = _START_LINK.search(url)
        if start and not is_start_payload(start[1]):
            raise misuse(f"start payload {start[1]!r}: up to 64 of A-Z a-z 0-9 _ - are allowed")


def is_start_payload(payload: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9_-]{0,64}", payload) is not None


def _is_link(url: str, schemes: set[str]) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if any(character.isspace() for character in url) or parts.scheme.lower() not in schemes:
        return False
    return parts.scheme.lower() not in ("http", "https") or "." in (parts.hostname or "")


def check_commands(commands: list[Json]) -> None:
    if len(commands) > MAX_COMMANDS:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    for command in commands:
        if not _COMMAND.fullmatch(command["command"].removeprefix("/")):
            raise bad_request("BOT_COMMAND_INVALID")
        if not 1 <= utf16_length(command["description"]) <= MAX_COMMAND_DESCRIPTION:
            raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    names = [command["command"] for command in commands]
    if len(set(names)) < len(names):
        raise misuse("the same command twice")


def check_language(code: str | None) -> str:
    """The language code, "" for none."""
    if code and not re.fullmatch(r"[a-z]{2}", code):
        raise bad_request("invalid language code specified")
    return code or ""


def check_length(value: str | None, maximum: int, what: str) -> str:
    if utf16_length(value or "") > maximum:
        raise bad_request(f"{what} is too long")
    return value or ""
