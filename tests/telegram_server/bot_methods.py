"""What the Bot API's methods do. The server calls them by name: sendMessage is `send_message`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from telegram.constants import ChatAction, ReactionEmoji

from tests.telegram_server import limits
from tests.telegram_server.people import CONTENT, MEDIA, Chat, Topic
from tests.telegram_server.wire import ApiError, Json, bad_request, forbidden, misuse, text_of, utf16_length

if TYPE_CHECKING:
    from tests.telegram_server.server import Call, TelegramServer

NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same as a current content "
    "and reply markup of the message"
)
EDIT_TIME = 48 * 3600  # seconds after which the bot can no longer delete a message
NOT_EMULATED = frozenset(
    {
        "business_connection_id",
        "direct_messages_topic_id",
        "ephemeral_message_parameters",
        "suggested_post_parameters",
        "message_effect_id",
        "allow_paid_broadcast",
        "inline_message_id",
        "rich_message",
        "video_start_timestamp",
        "certificate",
    }
)


def snake_case(method: str) -> str:
    return re.sub(r"(?=[A-Z])", "_", method).lower()


class BotMethods:
    """Each method takes a checked Call, returns the `result` and raises ApiError."""

    def __init__(self, server: TelegramServer) -> None:
        self._server = server
        self._commands: dict[tuple[object, str], list[Json]] = {}
        self._profile: dict[tuple[str, str], str] = {}

    # Updates

    async def get_updates(self, call: Call) -> object:
        return await self._server.updates.get_updates(
            call.params.get("offset", 0),
            call.params.get("limit", 100),
            call.params.get("timeout", 0),
            call.params.get("allowed_updates"),
        )

    async def set_webhook(self, call: Call) -> object:
        self._server.updates.set_webhook(call.params)
        return True

    async def delete_webhook(self, call: Call) -> object:
        self._server.updates.delete_webhook(drop=call.params.get("drop_pending_updates", False))
        return True

    async def get_webhook_info(self, call: Call) -> object:
        return self._server.updates.info()

    # Messages

    async def send_message(self, call: Call) -> object:
        text, entities = self._text(call.params, "text", "entities", limits.MAX_TEXT)
        content: Json = {"text": text}
        if entities:
            content["entities"] = entities
        if "link_preview_options" in call.params:
            content["link_preview_options"] = call.params["link_preview_options"]
        return self._post(call, content)

    async def send_photo(self, call: Call) -> object:
        file = self._file(call, "photo", "photos/photo.jpg")
        return self._post(call, {"photo": [{**file, "width": 1280, "height": 853}], **self._caption(call.params)})

    async def send_document(self, call: Call) -> object:
        file = self._file(call, "document", "documents/file")
        return self._post(call, {"document": file, **self._caption(call.params)})

    async def copy_message(self, call: Call) -> object:
        source = self._source(call, "copy")
        content = {key: source[key] for key in CONTENT if key in source}
        if not content:
            raise bad_request("message can't be copied")
        if "caption" in call.params and any(key in source for key in MEDIA):
            content = {key: value for key, value in content.items() if not key.startswith("caption")}
            content |= self._caption(call.params)
        return {"message_id": self._post(call, content)["message_id"]}

    async def forward_message(self, call: Call) -> object:
        source = self._source(call, "forward")
        content = {key: source[key] for key in CONTENT if key in source}
        if not content:
            raise bad_request("message can't be forwarded")
        sender = self._server.users.get(source.get("from", {}).get("id", 0))
        origin = source.get("forward_origin")
        if origin is None and sender and sender.hides_forwards:
            origin = {"type": "hidden_user", "sender_user_name": sender.name, "date": source["date"]}
        elif origin is None and "from" in source:
            origin = {"type": "user", "sender_user": source["from"], "date": source["date"]}
        return self._post(call, {**content, "forward_origin": origin} if origin else content)

    def _source(self, call: Call, what: str) -> Json:
        self._target(call)
        chat = self._chat(call.params["from_chat_id"])
        source = chat.history.get(call.params["message_id"])
        if source is None:
            raise bad_request(f"message to {what} not found")
        return source

    async def edit_message_text(self, call: Call) -> object:
        chat, message = self._own_message(call)
        if "text" not in message:
            raise bad_request("there is no text in the message to edit")
        if "text" not in call.params:
            raise bad_request("message text is empty")
        text, entities = self._text(call.params, "text", "entities", limits.MAX_TEXT)
        new = {
            key: value
            for key, value in message.items()
            if key not in ("entities", "reply_markup", "link_preview_options")
        }
        new["text"] = text
        if entities:
            new["entities"] = entities
        if "link_preview_options" in call.params:
            new["link_preview_options"] = call.params["link_preview_options"]
        return self._change(call, chat, message, new)

    async def edit_message_reply_markup(self, call: Call) -> object:
        chat, message = self._own_message(call)
        return self._change(
            call, chat, message, {key: value for key, value in message.items() if key != "reply_markup"}
        )

    def _own_message(self, call: Call) -> tuple[Chat, Json]:
        for name in ("chat_id", "message_id"):
            if name not in call.params:
                raise bad_request(f"{'chat_id' if name == 'chat_id' else 'message identifier'} is empty")
        chat = self._chat(call.params["chat_id"])
        self._check_reachable(chat)
        message = chat.history.get(call.params["message_id"])
        if message is None:
            raise bad_request("message to edit not found")
        if message.get("from", {}).get("id") != self._server.bot["id"] or "forward_origin" in message:
            raise bad_request("message can't be edited")
        return chat, message

    def _change(self, call: Call, chat: Chat, old: Json, new: Json) -> Json:
        markup = call.params.get("reply_markup")
        limits.check_markup(markup)
        if markup and markup["inline_keyboard"]:
            new["reply_markup"] = markup
        compared = ("text", "entities", "reply_markup", "link_preview_options")
        if all(old.get(key) == new.get(key) for key in compared):
            raise bad_request(NOT_MODIFIED)
        self._spend(call, chat)
        new["edit_date"] = int(self._server.clock.time())
        chat.history[old["message_id"]] = new
        self._server.note_bot(chat, call)
        return new

    async def delete_message(self, call: Call) -> object:
        chat = self._chat(call.params["chat_id"])
        message = chat.history.get(call.params["message_id"])
        if message is None:
            raise bad_request("message to delete not found")
        own = message.get("from", {}).get("id") == self._server.bot["id"]
        allowed = own or chat.type == "private" or "can_delete_messages" in chat.bot_rights
        if not allowed or self._server.clock.time() - message["date"] > EDIT_TIME:
            raise bad_request("message can't be deleted")
        chat.deleted[message["message_id"]] = chat.history.pop(message["message_id"])
        self._server.note_bot(chat, call)
        return True

    async def set_message_reaction(self, call: Call) -> object:
        chat = self._chat(call.params["chat_id"])
        self._check_reachable(chat)
        if call.params["message_id"] not in chat.history:
            raise bad_request("message to react not found")
        reactions = call.params.get("reaction", [])
        if len(reactions) > 1:
            raise bad_request("REACTIONS_TOO_MANY")
        if any(r["type"] != "emoji" or r["emoji"] not in set(ReactionEmoji) for r in reactions):
            raise bad_request("REACTION_INVALID")
        chat.reactions[call.params["message_id"]] = reactions
        self._server.note_bot(chat, call)
        return True

    async def send_chat_action(self, call: Call) -> object:
        chat, _ = self._target(call)
        if call.params["action"] not in set(ChatAction):
            raise bad_request("wrong parameter action in request")
        chat.actions.append(call.params["action"])
        return True

    async def answer_callback_query(self, call: Call) -> object:
        if utf16_length(call.params.get("text", "")) > limits.MAX_CALLBACK_ANSWER:
            raise bad_request("MESSAGE_TOO_LONG")
        callback = self._server.callbacks.get(call.params["callback_query_id"])
        late = callback is None or self._server.clock.time() - callback.created > limits.CALLBACK_LIFE
        if callback:
            callback.tried = True
        if callback is None or late or callback.answer is not None:
            raise bad_request("query is too old and response timeout expired or query ID is invalid")
        callback.answer = call.params
        return True

    # Files

    async def get_file(self, call: Call) -> object:
        stored = self._server.files.get(call.params["file_id"])
        if stored is None:
            raise bad_request("wrong file_id or the file is temporarily unavailable")
        if len(stored.data) > limits.MAX_DOWNLOAD:
            raise bad_request("file is too big")
        return {**stored.described, "file_path": stored.path}

    # Topics

    async def create_forum_topic(self, call: Call) -> object:
        chat = self._forum(call, "create a topic")
        name = self._topic_name(call.params["name"])
        self._spend(call, chat)
        color = call.params.get("icon_color", 7322096)
        created = chat.put(self._server.bot, {"forum_topic_created": {"name": name, "icon_color": color}})
        topic = chat.topics[created["message_id"]] = Topic(created["message_id"], name, color)
        chat.history[topic.id] = {**created, "message_thread_id": topic.id, "is_topic_message": True}
        return {"message_thread_id": topic.id, "name": name, "icon_color": color}

    async def edit_forum_topic(self, call: Call) -> object:
        topic = self._topic(call)
        name = self._topic_name(call.params.get("name") or topic.name)
        if name == topic.name and "icon_custom_emoji_id" not in call.params:
            raise bad_request("TOPIC_NOT_MODIFIED")
        topic.name = name
        return True

    async def close_forum_topic(self, call: Call) -> object:
        return self._set_closed(call, closed=True)

    async def reopen_forum_topic(self, call: Call) -> object:
        return self._set_closed(call, closed=False)

    def _set_closed(self, call: Call, *, closed: bool) -> bool:
        topic = self._topic(call)
        if topic.closed is closed:
            raise bad_request("TOPIC_NOT_MODIFIED")
        topic.closed = closed
        return True

    async def delete_forum_topic(self, call: Call) -> object:
        topic = self._topic(call)
        self._chat(call.params["chat_id"]).drop_topic(topic)
        return True

    def _forum(self, call: Call, what: str) -> Chat:
        chat = self._chat(call.params["chat_id"])
        self._check_reachable(chat)
        if not chat.is_forum:
            raise bad_request("the chat is not a forum")
        if "can_manage_topics" not in chat.bot_rights:
            raise bad_request(f"not enough rights to {what}")
        return chat

    def _topic(self, call: Call) -> Topic:
        topic = self._forum(call, "manage topics").topics.get(call.params["message_thread_id"])
        if topic is None or topic.deleted:
            raise bad_request("TOPIC_ID_INVALID")
        return topic

    @staticmethod
    def _topic_name(name: str) -> str:
        if not 1 <= utf16_length(name.strip()) <= limits.MAX_TOPIC_NAME:
            raise bad_request("TOPIC_TITLE_EMPTY" if not name.strip() else "topic name is too long")
        return name.strip()

    # Chats

    async def get_chat(self, call: Call) -> object:
        chat = self._chat(call.params["chat_id"])
        if chat.user and not chat.user.started:
            raise bad_request("chat not found")
        gifts = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels")
        return {
            **chat.as_json(),
            "accent_color_id": 0,
            "max_reaction_count": 11,
            "accepted_gift_types": dict.fromkeys(gifts, False),
        }

    async def get_chat_member(self, call: Call) -> object:
        chat = self._chat(call.params["chat_id"])
        self._check_reachable(chat)
        if call.params["user_id"] == self._server.bot["id"]:
            return chat.bot_member()
        user = self._server.users.get(call.params["user_id"])
        if user is None:
            raise bad_request("PARTICIPANT_ID_INVALID")
        return chat.member(user)

    # The bot itself

    async def get_me(self, call: Call) -> object:
        return self._server.bot

    async def set_my_commands(self, call: Call) -> object:
        limits.check_commands(call.params["commands"])
        self._commands[self._scope(call)] = call.params["commands"]
        return True

    async def get_my_commands(self, call: Call) -> object:
        return self._commands.get(self._scope(call), [])

    async def delete_my_commands(self, call: Call) -> object:
        self._commands.pop(self._scope(call), None)
        return True

    def _scope(self, call: Call) -> tuple[object, str]:
        scope = call.params.get("scope", {"type": "default"})
        if "chat_id" in scope:
            self._chat(scope["chat_id"])
        return tuple(sorted(scope.items())), limits.check_language(call.params.get("language_code"))

    async def set_my_name(self, call: Call) -> object:
        return self._set_profile(call, "name", 64)

    async def set_my_description(self, call: Call) -> object:
        return self._set_profile(call, "description", 512)

    async def set_my_short_description(self, call: Call) -> object:
        return self._set_profile(call, "short_description", 120)

    async def get_my_name(self, call: Call) -> object:
        return {"name": self._get_profile(call, "name") or self._server.bot["first_name"]}

    async def get_my_description(self, call: Call) -> object:
        return {"description": self._get_profile(call, "description")}

    async def get_my_short_description(self, call: Call) -> object:
        return {"short_description": self._get_profile(call, "short_description")}

    def _set_profile(self, call: Call, field: str, maximum: int) -> bool:
        language = limits.check_language(call.params.get("language_code"))
        value = limits.check_length(call.params.get(field), maximum, f"bot {field.replace('_', ' ')}")
        self._profile[field, language] = value
        return True

    def _get_profile(self, call: Call, field: str) -> str:
        language = limits.check_language(call.params.get("language_code"))
        return self._profile.get((field, language)) or self._profile.get((field, ""), "")

    # Shared steps

    def check_emulated(self, call: Call) -> None:
        used = sorted(NOT_EMULATED & call.params.keys())
        if used:
            raise misuse(f"{call.method}: {', '.join(used)} is not emulated")
        if "parse_mode" in call.params or "quote_parse_mode" in call.params.get("reply_parameters", {}):
            raise misuse(f"{call.method}: parse_mode is not emulated, send entities")

    def _text(self, params: Json, text: str, entities: str, maximum: int) -> tuple[str, list[Json]]:
        return limits.clean_text(params.get(text, ""), params.get(entities), maximum=maximum, caption=text == "caption")

    def _caption(self, params: Json) -> Json:
        caption, entities = self._text(params, "caption", "caption_entities", limits.MAX_CAPTION)
        content: Json = {"caption": caption} if caption else {}
        return {**content, "caption_entities": entities} if entities else content

    def _file(self, call: Call, name: str, path: str) -> Json:
        value = call.params[name]
        if isinstance(value, str) and value.startswith("attach://"):
            upload = call.files.get(value.removeprefix("attach://"))
        else:
            upload = call.files.get(name)
        if upload is not None:
            if not upload.data:
                raise bad_request("file must be non-empty")
            if len(upload.data) > limits.MAX_UPLOAD:
                raise ApiError(413, "Request Entity Too Large")
            described = self._server.store(upload.data, path if name == "photo" else f"documents/{upload.name}")
            return described if name == "photo" else {**described, "file_name": upload.name}
        if isinstance(value, str) and value in self._server.files:
            return self._server.files[value].described
        if isinstance(value, str) and re.match(r"https?://", value):
            raise misuse("sending a file by its address is not emulated")
        raise bad_request("wrong file identifier/HTTP URL specified")

    def _chat(self, chat_id: int | str) -> Chat:
        if isinstance(chat_id, str):
            named = (chat for chat in self._server.chats.values() if chat.username and f"@{chat.username}" == chat_id)
            chat = next(named, None)
        else:
            chat = self._server.chats.get(chat_id)
        if chat is None:
            raise bad_request("chat not found")
        if chat.migrated_to:
            raise bad_request("group chat was upgraded to a supergroup chat", migrate_to_chat_id=chat.migrated_to.id)
        return chat

    def _check_reachable(self, chat: Chat) -> None:
        if chat.user:
            if chat.user.deactivated:
                raise forbidden("user is deactivated")
            if chat.user.blocked:
                raise forbidden("bot was blocked by the user")
            if not chat.user.started:
                raise forbidden("bot can't initiate conversation with a user")
            return
        kind = "group" if chat.type == "group" else chat.type
        if chat.bot_status == "kicked":
            raise forbidden(f"bot was kicked from the {kind} chat")
        if chat.bot_status == "left":
            raise forbidden(f"bot is not a member of the {kind} chat")

    def _target(self, call: Call) -> tuple[Chat, int | None]:
        """Chat and topic to write to."""
        chat = self._chat(call.params["chat_id"])
        self._check_reachable(chat)
        if chat.bot_status != "administrator" and not chat.bot_may_send:
            raise bad_request("not enough rights to send text messages to the chat")
        thread = call.params.get("message_thread_id")
        if thread is not None:
            topic = chat.topics.get(thread)
            if topic is None or topic.deleted:
                raise bad_request("message thread not found")
            if topic.closed and "can_manage_topics" not in chat.bot_rights:
                raise bad_request("TOPIC_CLOSED")
        return chat, thread

    def _post(self, call: Call, content: Json) -> Json:
        chat, thread = self._target(call)
        reply_to, quote = self._reply_target(chat, call.params.get("reply_parameters"))
        if reply_to and thread is None and reply_to.get("is_topic_message"):
            thread = reply_to["message_thread_id"]
        markup = call.params.get("reply_markup")
        limits.check_markup(markup)
        self._spend(call, chat)
        extra: Json = {"quote": quote} if quote else {}
        if markup and markup.get("inline_keyboard"):
            extra["reply_markup"] = markup
        elif markup and ("keyboard" in markup or "remove_keyboard" in markup):
            chat.reply_keyboard = markup if "keyboard" in markup else None
        if call.params.get("protect_content"):
            extra["has_protected_content"] = True
        message = chat.put(self._server.bot, content | extra, thread=thread, reply_to=reply_to)
        chat.sent.append(message["message_id"])
        self._server.note_bot(chat, call, message)
        return message

    def _reply_target(self, chat: Chat, parameters: Json | None) -> tuple[Json | None, Json | None]:
        """The message to reply to and the quote from it."""
        if parameters is None:
            return None, None
        if parameters.get("chat_id", chat.id) != chat.id:
            raise misuse("a reply to a message of another chat is not emulated")
        target = chat.history.get(parameters.get("message_id", 0))
        if target is None:
            if parameters.get("allow_sending_without_reply"):
                return None, None
            raise bad_request("message to be replied not found")
        quote = parameters.get("quote")
        if quote is None:
            return target, None
        text = text_of(target)
        if utf16_length(quote) > limits.MAX_QUOTE or not quote or quote not in text:
            raise bad_request("QUOTE_TEXT_INVALID")
        position = utf16_length(text[: text.index(quote)])
        return target, {"text": quote, "position": position, "is_manual": True}

    def _spend(self, call: Call, chat: Chat) -> None:
        self._server.flood.spend(
            chat.id, group=chat.type in ("group", "supergroup"), what=call.method, connection=call.connection
        )
