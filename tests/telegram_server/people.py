"""The people and chats of a test: what they can do, and what the bot has done to them."""

# ruff: noqa: ASYNC109 - what is waited for is a condition, and the failure says which
from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.telegram_server.limits import detect_entities, is_start_payload
from tests.telegram_server.updates import Pending
from tests.telegram_server.wire import Json, text_of

if TYPE_CHECKING:
    from tests.telegram_server.server import TelegramServer

ADMIN_RIGHTS = frozenset(
    {
        "can_manage_chat",
        "can_delete_messages",
        "can_manage_video_chats",
        "can_restrict_members",
        "can_promote_members",
        "can_change_info",
        "can_invite_users",
        "can_post_stories",
        "can_edit_stories",
        "can_delete_stories",
        "can_pin_messages",
        "can_manage_topics",
        "can_send_welcome_messages",
    }
)
MEDIA = ("photo", "document", "voice", "sticker", "video", "audio", "animation", "location", "contact", "venue", "poll")
CONTENT = ("text", "entities", *MEDIA, "caption", "caption_entities")


@dataclass
class Topic:
    id: int
    name: str
    icon_color: int = 7322096
    closed: bool = False
    deleted: bool = False


@dataclass
class Callback:
    """A tap on a button and the bot's answer to it."""

    id: str
    user: User
    chat: Chat
    data: str
    created: float
    update: Pending | None = None
    tried: bool = False
    answer: Json | None = None
    """Parameters of answerCallbackQuery; None until it is answered."""


@dataclass(eq=False, repr=False)
class Chat:
    """A chat as the server sees it. Message objects are never changed: an edit puts a new one in their place."""

    server: TelegramServer
    id: int
    type: str
    title: str = ""
    user: User | None = None
    """The person in a private chat."""
    is_forum: bool = False
    username: str | None = None
    members: dict[int, User] = field(default_factory=dict)
    admins: set[int] = field(default_factory=set)
    bot_status: str = "member"
    bot_rights: frozenset[str] = frozenset()
    bot_may_send: bool = True
    topics: dict[int, Topic] = field(default_factory=dict)
    migrated_to: Chat | None = None
    history: dict[int, Json] = field(default_factory=dict)
    deleted: dict[int, Json] = field(default_factory=dict)
    sent: list[int] = field(default_factory=list)
    """Ids of all messages of the bot, in order, deleted ones too."""
    reply_keyboard: Json | None = None
    reactions: dict[int, list[Json]] = field(default_factory=dict)
    actions: list[str] = field(default_factory=list)
    """Chat actions of the bot, such as "typing"."""
    waiting: list[Pending] = field(default_factory=list)
    """Messages of people to which the bot has not reacted in any way."""
    _read: int = 0
    _last_id: int = 0

    # What the bot did

    @property
    def messages(self) -> list[Json]:
        """The bot's messages as they look now, in order, without deleted ones."""
        return [self.history[message_id] for message_id in self.sent if message_id in self.history]

    @property
    def texts(self) -> list[str]:
        """Text or caption of each of `messages`."""
        return [text_of(message) for message in self.messages]

    @property
    def last(self) -> Json:
        """The bot's latest message, as it looks now."""
        messages = self.messages
        assert messages, f"the bot has written nothing to {self}"
        return messages[-1]

    def in_topic(self, topic: Topic | int) -> list[Json]:
        """The bot's messages in a topic."""
        number = topic.id if isinstance(topic, Topic) else topic
        return [message for message in self.messages if message.get("message_thread_id") == number]

    async def replies(self, count: int = 1, *, timeout: float = 10.0) -> list[Json]:
        """Wait until the bot has sent `count` messages that no earlier call returned; return them."""
        await self.server.wait_for(
            lambda: len(self.sent) >= self._read + count,
            timeout=timeout,
            what=lambda: f"{count} replies to {self}; the bot has sent {self.texts[self._read :]}",
        )
        new = self.sent[self._read : self._read + count]
        self._read += count
        return [self.history.get(message_id) or self.deleted[message_id] for message_id in new]

    def skip_replies(self) -> None:
        """Let `replies` count from here on."""
        self._read = len(self.sent)

    def current(self, message: Json) -> Json:
        """The message as it looks now; AssertionError when it is deleted."""
        found = self.history.get(message["message_id"])
        assert found is not None, f"message {message['message_id']} of {self} is deleted"
        return found

    # What happens to the chat

    def as_json(self) -> Json:
        described: Json = {"id": self.id, "type": self.type}
        if self.user:
            described.update(
                {k: v for k, v in self.user.as_json().items() if k in ("first_name", "last_name", "username")}
            )
        else:
            described["title"] = self.title
        if self.username:
            described["username"] = self.username
        if self.is_forum:
            described["is_forum"] = True
        return described

    def next_message_id(self) -> int:
        """Supergroups and channels count for themselves; all other chats of a bot share one count."""
        if self.type in ("private", "group"):
            return self.server.next_message_id()
        self._last_id += 1
        return self._last_id

    def put(
        self, sender: Json | None, content: Json, *, thread: int | None = None, reply_to: Json | None = None
    ) -> Json:
        """Add a message to the history and return it."""
        message: Json = {"message_id": self.next_message_id()}
        if sender:
            message["from"] = sender
        message |= {"date": int(self.server.clock.time()), "chat": self.as_json()}
        if thread is not None:
            message["message_thread_id"] = thread
            if thread in self.topics:
                message["is_topic_message"] = True
        if reply_to:
            message["reply_to_message"] = {k: v for k, v in reply_to.items() if k != "reply_to_message"}
        message |= content
        self.history[message["message_id"]] = message
        return message

    def service(self, by: User, content: Json, *, thread: int | None = None) -> Json:
        """A service message; the bot gets it as long as it is in the chat."""
        message = self.put(by.as_json(), content, thread=thread)
        if self.bot_status in ("member", "administrator"):
            self.server.updates.add("message", message)
        return message

    async def add_bot(self, by: User, rights: Iterable[str] | None = None) -> None:
        """Somebody adds the bot: as a member, or as an administrator with `rights`."""
        self._set_bot(by, "member" if rights is None else "administrator", rights or ())
        self.service(by, {"new_chat_members": [self.server.bot]})

    async def remove_bot(self, by: User) -> None:
        self._set_bot(by, "kicked", ())

    async def promote_bot(self, by: User, rights: Iterable[str] = ADMIN_RIGHTS) -> None:
        self._set_bot(by, "administrator", rights)

    async def demote_bot(self, by: User) -> None:
        self._set_bot(by, "member", ())

    def _set_bot(self, by: User, status: str, rights: Iterable[str]) -> None:
        old = self.bot_member()
        self.bot_status, self.bot_rights = status, frozenset(rights)
        self.server.updates.add("my_chat_member", self._member_change(by, old, self.bot_member()))

    def _member_change(self, by: User, old: Json, new: Json) -> Json:
        return {
            "chat": self.as_json(),
            "from": by.as_json(),
            "date": int(self.server.clock.time()),
            "old_chat_member": old,
            "new_chat_member": new,
        }

    def bot_member(self) -> Json:
        if self.bot_status == "administrator":
            return self._admin(self.server.bot, self.bot_rights)
        if self.bot_status == "kicked":
            return {"user": self.server.bot, "status": "kicked", "until_date": 0}
        return {"user": self.server.bot, "status": self.bot_status}

    def member(self, user: User) -> Json:
        if user.id in self.admins:
            return self._admin(user.as_json(), ADMIN_RIGHTS)
        there = user.id in self.members or self.user is user
        return {"user": user.as_json(), "status": "member" if there else "left"}

    def _admin(self, user: Json, rights: Iterable[str]) -> Json:
        flags = {right: right in rights for right in sorted(ADMIN_RIGHTS)}
        member: Json = {"user": user, "status": "administrator", "can_be_edited": False, "is_anonymous": False, **flags}
        member["can_manage_chat"] = True  # implied by any administrator privilege
        return member

    async def add(self, user: User, by: User | None = None) -> None:
        self.members[user.id] = user
        self._announce(user, by or user, "left", "member")
        self.service(by or user, {"new_chat_members": [user.as_json()]})

    async def remove(self, user: User, by: User | None = None) -> None:
        self.members.pop(user.id, None)
        self.admins.discard(user.id)
        self._announce(user, by or user, "member", "left")
        self.service(by or user, {"left_chat_member": user.as_json()})

    def _announce(self, user: User, by: User, old: str, new: str) -> None:
        if self.bot_status == "administrator":
            states = ({"user": user.as_json(), "status": status} for status in (old, new))
            self.server.updates.add("chat_member", self._member_change(by, *states))

    async def upgrade(self, by: User) -> Chat:
        """The group becomes a supergroup: a new chat with a new id; the old one takes no messages any more."""
        assert self.type == "group", f"{self} is no basic group"
        new = self.server.group(
            self.title, self.members.values(), supergroup=True, bot_rights=self.bot_rights or None, admins=self.admins
        )
        self.service(by, {"migrate_to_chat_id": new.id})
        self.migrated_to = new
        new.service(by, {"migrate_from_chat_id": self.id})
        return new

    async def open_topic(self, name: str, by: User) -> Topic:
        message = self.put(by.as_json(), {"forum_topic_created": {"name": name, "icon_color": 7322096}})
        topic = self.topics[message["message_id"]] = Topic(message["message_id"], name)
        message = {**message, "message_thread_id": topic.id, "is_topic_message": True}
        self.history[topic.id] = message
        self.server.updates.add("message", message)
        return topic

    async def close_topic(self, topic: Topic, by: User) -> None:
        topic.closed = True
        self.service(by, {"forum_topic_closed": {}}, thread=topic.id)

    async def reopen_topic(self, topic: Topic, by: User) -> None:
        topic.closed = False
        self.service(by, {"forum_topic_reopened": {}}, thread=topic.id)

    async def delete_topic(self, topic: Topic) -> None:
        """Telegram tells bots nothing about it."""
        self.drop_topic(topic)

    def drop_topic(self, topic: Topic) -> None:
        topic.deleted = True
        for number in [n for n, message in self.history.items() if message.get("message_thread_id") == topic.id]:
            self.deleted[number] = self.history.pop(number)

    def __repr__(self) -> str:
        return self.user.name if self.user else f"{self.type} {self.title!r}"


@dataclass(eq=False, repr=False)
class User:
    """A person. Everything is done in the private chat with the bot unless `chat` says otherwise."""

    server: TelegramServer
    id: int
    name: str
    language_code: str | None = "de"
    username: str | None = None
    last_name: str | None = None
    hides_forwards: bool = False
    """Forwards of this person's messages name no account."""
    started: bool = False
    blocked: bool = False
    deactivated: bool = False

    def __post_init__(self) -> None:
        self.chat = Chat(self.server, self.id, "private", user=self)

    def as_json(self) -> Json:
        described = {
            "id": self.id,
            "is_bot": False,
            "first_name": self.name,
            "last_name": self.last_name,
            "username": self.username,
            "language_code": self.language_code,
        }
        return {name: value for name, value in described.items() if value is not None}

    # What the bot did to her

    @property
    def messages(self) -> list[Json]:
        """The bot's messages to her as they look now."""
        return self.chat.messages

    @property
    def texts(self) -> list[str]:
        return self.chat.texts

    @property
    def last(self) -> Json:
        return self.chat.last

    async def replies(self, count: int = 1, *, timeout: float = 10.0) -> list[Json]:
        """Wait until the bot has sent her `count` messages that no earlier call returned; return them."""
        return await self.chat.replies(count, timeout=timeout)

    async def ask(self, text: str, *, timeout: float = 10.0) -> Json:
        """Send a text and return the bot's first message after it."""
        self.chat.skip_replies()
        await self.send(text)
        return (await self.replies(timeout=timeout))[0]

    # What she does

    async def start(self, payload: str = "") -> Json:
        """Press START, or follow a link `t.me/<bot>?start=payload`."""
        assert is_start_payload(payload), f"Telegram opens no link with the payload {payload!r}"
        return await self.send(f"/start {payload}".strip())

    async def send(
        self,
        text: str,
        *,
        chat: Chat | None = None,
        topic: Topic | int | None = None,
        reply_to: Json | None = None,
        entities: list[Json] | None = None,
    ) -> Json:
        """Send a text. Commands, mentions and links get their entities; `entities` adds formatting."""
        found = sorted(
            [*(entities or []), *detect_entities(text)], key=lambda entity: (entity["offset"], -entity["length"])
        )
        content: Json = {"text": text, "entities": found} if found else {"text": text}
        return self._send(content, chat, topic, reply_to)

    async def send_photo(
        self, caption: str | None = None, *, data: bytes = b"\xff\xd8 a photo", chat: Chat | None = None
    ) -> Json:
        small = {**self.server.store(data[:64], "photos/thumb.jpg"), "width": 90, "height": 60}
        large = {**self.server.store(data, "photos/photo.jpg"), "width": 1280, "height": 853}
        return self._send({"photo": [small, large], **_caption(caption)}, chat)

    async def send_document(
        self,
        name: str = "satzung.pdf",
        caption: str | None = None,
        *,
        data: bytes = b"%PDF-1.7",
        mime_type: str = "application/pdf",
        chat: Chat | None = None,
    ) -> Json:
        document = {**self.server.store(data, f"documents/{name}"), "file_name": name, "mime_type": mime_type}
        return self._send({"document": document, **_caption(caption)}, chat)

    async def send_voice(self, duration: int = 7, *, data: bytes = b"OggS", chat: Chat | None = None) -> Json:
        voice = {**self.server.store(data, "voice/voice.oga"), "duration": duration, "mime_type": "audio/ogg"}
        return self._send({"voice": voice}, chat)

    async def send_sticker(self, emoji: str = "👍", *, chat: Chat | None = None) -> Json:
        sticker = {
            **self.server.store(b"RIFF", "stickers/sticker.webp"),
            "type": "regular",
            "width": 512,
            "height": 512,
            "is_animated": False,
            "is_video": False,
            "emoji": emoji,
        }
        return self._send({"sticker": sticker}, chat)

    async def send_location(
        self, latitude: float = 52.52, longitude: float = 13.405, *, chat: Chat | None = None
    ) -> Json:
        return self._send({"location": {"latitude": latitude, "longitude": longitude}}, chat)

    async def send_contact(self, phone_number: str = "+4930123456", *, chat: Chat | None = None) -> Json:
        contact = {"phone_number": phone_number, "first_name": self.name, "user_id": self.id}
        return self._send({"contact": contact}, chat)

    async def send_content(self, content: Json, *, chat: Chat | None = None, topic: Topic | int | None = None) -> Json:
        """Send a message of any other kind, given as fields of a Message object."""
        return self._send(content, chat, topic)

    async def forward(
        self,
        content: str | Json,
        origin: User | Chat | str | None = None,
        *,
        chat: Chat | None = None,
        topic: Topic | int | None = None,
    ) -> Json:
        """Forward a message or a text.

        `origin`: a User (who may hide the account), a name alone (hidden user), a group (sent in its name) or a channel.
        Without it the sender of the forwarded message.
        """
        if isinstance(content, str):
            found = detect_entities(content)
            copied: Json = {"text": content, "entities": found} if found else {"text": content}
        else:
            copied = {key: content[key] for key in CONTENT if key in content}
            if origin is None and "forward_origin" in content:
                return self._send({**copied, "forward_origin": content["forward_origin"]}, chat, topic)
        if origin is None:
            assert not isinstance(content, str), "whose text is it? name an origin"
            origin = self.server.users.get(content["from"]["id"])
        described: Json = {"date": int(self.server.clock.time()) - 60}
        if isinstance(origin, str) or (isinstance(origin, User) and origin.hides_forwards):
            described |= {"type": "hidden_user", "sender_user_name": origin if isinstance(origin, str) else origin.name}
        elif isinstance(origin, User):
            described |= {"type": "user", "sender_user": origin.as_json()}
        elif origin is None:
            described |= {"type": "user", "sender_user": self.server.bot}
        elif origin.type == "channel":
            described |= {"type": "channel", "chat": origin.as_json(), "message_id": origin.next_message_id()}
        else:
            described |= {"type": "chat", "sender_chat": origin.as_json()}
        return self._send({**copied, "forward_origin": described}, chat, topic)

    def _send(
        self, content: Json, chat: Chat | None, topic: Topic | int | None = None, reply_to: Json | None = None
    ) -> Json:
        chat = chat or self.chat
        self._require_membership(chat)
        thread = topic.id if isinstance(topic, Topic) else topic
        if thread is not None:
            assert thread in chat.topics, f"{chat} has no topic {thread}"
        if reply_to:
            reply_to = chat.current(reply_to)
            if thread is None and chat.type == "supergroup":
                # Without topics it names the root of the chain of replies, and is_topic_message is missing.
                thread = reply_to.get("message_thread_id", None if chat.is_forum else reply_to["message_id"])
        elif thread is not None:
            reply_to = chat.history.get(thread)  # Telegram lets every message of a topic reply to the topic's first
        message = chat.put(self.as_json(), content, thread=thread, reply_to=reply_to)
        if chat is self.chat:
            self.started = True
        if self._bot_sees(chat, message):
            pending = self.server.updates.add("message", message)
            if pending and chat is self.chat:
                chat.waiting.append(pending)
        self.server.note_person(chat)
        return message

    def _require_membership(self, chat: Chat) -> None:
        if chat is self.chat:
            assert not self.blocked, f"{self.name} has blocked the bot; unblock_bot() first"
        else:
            assert self.id in chat.members, f"{self.name} is not in {chat}"
            assert chat.migrated_to is None, f"{chat} has become {chat.migrated_to}"

    def _bot_sees(self, chat: Chat, message: Json) -> bool:
        """Privacy mode: in a group a plain member bot sees commands and replies to itself only.

        BotFather says that mentions reach it too; reports from practice say that they do not (telegraf #545,
        nanobot #449). To try a bot without privacy mode set `server.bot["can_read_all_group_messages"]`.
        """
        if chat is self.chat:
            return True
        if chat.bot_status == "administrator":
            return True
        if chat.bot_status != "member":
            return False
        bot = self.server.bot
        if bot["can_read_all_group_messages"]:
            return True
        command, _, addressee = next(iter(text_of(message).split()), "").partition("@")
        to_bot = message.get("reply_to_message", {}).get("from", {}).get("id") == bot["id"]
        return bool(to_bot or (command.startswith("/") and addressee.lower() in ("", bot["username"].lower())))

    async def edit(self, message: Json, text: str) -> Json:
        """Edit one of her own messages."""
        chat = self.server.chats[message["chat"]["id"]]
        old = chat.current(message)
        assert old.get("from", {}).get("id") == self.id, "people edit their own messages only"
        found = detect_entities(text)
        new = {key: value for key, value in old.items() if key != "entities"}
        new |= {"edit_date": int(self.server.clock.time()), "caption" if "caption" in old else "text": text}
        if found:
            new["caption_entities" if "caption" in old else "entities"] = found
        chat.history[old["message_id"]] = new
        if self._bot_sees(chat, new):
            self.server.updates.add("edited_message", new)
        self.server.note_person(chat)
        return new

    async def tap(self, message: Json, button: str) -> str:
        """Tap the button with this visible text on the message as it looks now; return the callback id."""
        chat = self.server.chats[message["chat"]["id"]]
        buttons = buttons_of(chat.current(message))
        matching = [item for item in buttons if item["text"] == button]
        assert matching, f"no button {button!r}, there are {[item['text'] for item in buttons]}"
        assert len(matching) == 1, f"{len(matching)} buttons {button!r}"
        assert "callback_data" in matching[0], f"the button {button!r} sends nothing to the bot: {matching[0]}"
        return self._tap(chat, message, matching[0]["callback_data"])

    async def tap_data(self, message: Json, data: bytes | str) -> str:
        """Send callback data of one's own making, as a changed client can; return the callback id."""
        text = data.decode("utf-8", "replace") if isinstance(data, bytes) else data
        return self._tap(self.server.chats[message["chat"]["id"]], message, text)

    def _tap(self, chat: Chat, message: Json, data: str) -> str:
        self._require_membership(chat)
        shown = chat.history.get(message["message_id"])
        if shown is None:  # the Bot API names a message that is gone like this
            shown = {"chat": chat.as_json(), "message_id": message["message_id"], "date": 0}
        callback = Callback(str(secrets.randbits(62)), self, chat, data, self.server.clock.time())
        self.server.callbacks[callback.id] = callback
        query = {
            "id": callback.id,
            "from": self.as_json(),
            "message": shown,
            "chat_instance": str(chat.id * 7919),
            "data": data,
        }
        callback.update = self.server.updates.add("callback_query", query)
        self.server.note_person(chat)
        return callback.id

    async def press(self, text: str) -> Json:
        """Press a key of the reply keyboard that the bot has put up, which sends its text."""
        keys = [key["text"] for row in (self.chat.reply_keyboard or {}).get("keyboard", []) for key in row]
        assert text in keys, f"no key {text!r}, there are {keys}"
        return await self.send(text)

    async def react(self, message: Json, emoji: str | None) -> None:
        """Set or take away a reaction; the bot hears of it only when it asked for message_reaction."""
        chat = self.server.chats[message["chat"]["id"]]
        new = [{"type": "emoji", "emoji": emoji}] if emoji else []
        old = [] if emoji else [{"type": "emoji", "emoji": "👍"}]
        if chat is not self.chat and chat.bot_status != "administrator":
            return
        reaction = {
            "chat": chat.as_json(),
            "message_id": message["message_id"],
            "user": self.as_json(),
            "date": int(self.server.clock.time()),
            "old_reaction": old,
            "new_reaction": new,
        }
        self.server.updates.add("message_reaction", reaction)

    async def block_bot(self) -> None:
        self._set_blocked(True)

    async def unblock_bot(self) -> None:
        self._set_blocked(False)

    def _set_blocked(self, blocked: bool) -> None:
        states: list[Json] = [
            {"user": self.server.bot, "status": "member"},
            {"user": self.server.bot, "status": "kicked", "until_date": 0},
        ]
        old, new = states if blocked else states[::-1]
        self.blocked = blocked
        change = {
            "chat": self.chat.as_json(),
            "from": self.as_json(),
            "date": int(self.server.clock.time()),
            "old_chat_member": old,
            "new_chat_member": new,
        }
        self.server.updates.add("my_chat_member", change)

    def __repr__(self) -> str:
        return self.name


def _caption(caption: str | None) -> Json:
    if caption is None:
        return {}
    found = detect_entities(caption)
    return {"caption": caption, "caption_entities": found} if found else {"caption": caption}


def buttons_of(message: Json) -> list[Json]:
    """All inline buttons of a message, row by row."""
    return [button for row in message.get("reply_markup", {}).get("inline_keyboard", []) for button in row]


def labels(message: Json) -> list[list[str]]:
    """The visible texts of a message's inline buttons, by rows."""
    return [[button["text"] for button in row] for row in message.get("reply_markup", {}).get("inline_keyboard", [])]
