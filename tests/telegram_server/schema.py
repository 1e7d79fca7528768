"""Checks parameters against the Bot API: names, types and which are required.

The table is read off aiogram's generated method classes, which follow the official documentation; so it is always
that of the installed release. Lengths and ranges are in `limits.py`.
"""

from __future__ import annotations

import json
import re
import types
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from functools import cache
from typing import Annotated, Literal, Protocol, Union, get_args, get_origin

import aiogram.methods
from aiogram.client.default import Default
from aiogram.methods import TelegramMethod
from aiogram.types import InputFile
from pydantic import BaseModel

from tests.telegram_server.wire import Json, bad_request, misuse


class MismatchError(Exception):
    """A value is not of the declared type."""


class Kind(Protocol):
    """A declared type."""

    def check(self, value: object, where: str) -> None:
        """Raise MismatchError unless the JSON value is of this type."""


@dataclass(frozen=True)
class Scalar:
    type: type[bool] | type[int] | type[float] | type[str]

    def check(self, value: object, where: str) -> None:
        right = type(value) in (int, float) if self.type is float else type(value) is self.type
        if not right:
            raise MismatchError(f"{where} must be {self.type.__name__}, not {value!r:.80}")


@dataclass(frozen=True)
class Constant:
    values: tuple[object, ...]

    def check(self, value: object, where: str) -> None:
        if value not in self.values:
            raise MismatchError(f"{where} must be one of {list(self.values)}, not {value!r:.80}")


@dataclass(frozen=True)
class ListOf:
    item: Kind

    def check(self, value: object, where: str) -> None:
        if not isinstance(value, list):
            raise MismatchError(f"{where} must be a list, not {value!r:.80}")
        for index, item in enumerate(value):
            self.item.check(item, f"{where}[{index}]")


@dataclass(frozen=True)
class ObjectOf:
    model: type[BaseModel]

    def check(self, value: object, where: str) -> None:
        if not isinstance(value, dict):
            raise MismatchError(f"{where} must be a {self.model.__name__}, not {value!r:.80}")
        fields = _fields(self.model)
        for name, item in value.items():
            if name not in fields:
                raise MismatchError(f"{where} has an unknown field {name!r}")
            fields[name].kind.check(item, f"{where}.{name}")
        for name, field in fields.items():
            if field.required and name not in value:
                raise MismatchError(f"{where} lacks {name!r}")


@dataclass(frozen=True)
class AnyOf:
    options: tuple[Kind, ...]

    def check(self, value: object, where: str) -> None:
        reasons = []
        for option in self.options:
            try:
                return option.check(value, where)
            except MismatchError as error:
                reasons.append(str(error))
        raise MismatchError("; or ".join(dict.fromkeys(reasons)))


class File:
    """An uploaded file. In JSON it is the name of an attached part, a file id or an address."""

    def check(self, value: object, where: str) -> None:
        if not isinstance(value, str | bytes):
            raise MismatchError(f"{where} must be a file, not {value!r:.80}")


@dataclass(frozen=True)
class Field:
    kind: Kind
    required: bool


def _kind(annotation: object) -> Kind:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _kind(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        options = [a for a in get_args(annotation) if a not in (type(None), Default, timedelta)]
        return _kind(options[0]) if len(options) == 1 else AnyOf(tuple(_kind(option) for option in options))
    if origin is Literal:
        return Constant(tuple(v.value if isinstance(v, Enum) else v for v in get_args(annotation)))
    if origin is list:
        return ListOf(_kind(get_args(annotation)[0]))
    if isinstance(annotation, type):
        if issubclass(annotation, InputFile):
            return File()
        if issubclass(annotation, BaseModel):
            return ObjectOf(annotation)
        if issubclass(annotation, Enum):
            return Constant(tuple(member.value for member in annotation))
        if issubclass(annotation, datetime):
            return Scalar(int)
        if annotation in (bool, int, float, str):
            return Scalar(annotation)
    raise TypeError(f"no rule for {annotation!r}")


@cache
def _fields(model: type[BaseModel]) -> dict[str, Field]:
    fields = {}
    for name, info in model.model_fields.items():
        extra = info.json_schema_extra
        if isinstance(extra, dict) and extra.get("deprecated"):
            continue  # aiogram keeps what the Bot API has dropped
        kind = _kind(info.annotation)
        # aiogram prefills discriminators such as `type`; on the wire they are required.
        fields[info.alias or name] = Field(kind, info.is_required() or (isinstance(kind, Constant) and name == "type"))
    return fields


METHODS: dict[str, type[BaseModel]] = {
    method.__api_method__.lower(): method
    for method in vars(aiogram.methods).values()
    if isinstance(method, type) and issubclass(method, TelegramMethod) and method is not TelegramMethod
}
"""Method class by lower-case name: the Bot API does not mind the case."""


def method_name(name: str) -> str | None:
    """The method's name as the documentation spells it; None when there is no such method."""
    method = METHODS.get(name.lower())
    return str(vars(method)["__api_method__"]) if method else None


def fields_of(method: str) -> dict[str, Field]:
    return _fields(METHODS[method.lower()])


def parse(method: str, raw: Json) -> Json:
    """Parameters of a call by their declared types.

    Values are strings (query or form), bytes (an uploaded part) or JSON values. Raises ApiError.
    """
    fields = fields_of(method)
    parsed: Json = {}
    for name, value in raw.items():
        if name not in fields:
            raise misuse(f"{method} has no parameter {name!r}")
        if value is None:
            continue
        kind = fields[name].kind
        try:
            parsed[name] = _from_text(kind, value) if isinstance(value, str) else value
            kind.check(parsed[name], name)
        except (MismatchError, ValueError) as error:
            raise misuse(f"{method}: {error}") from None
        if not _is_utf8(parsed[name]):
            raise bad_request("strings must be encoded in UTF-8")
    missing = [name for name, field in fields.items() if field.required and name not in parsed]
    if missing == ["text"]:  # aiogram leaves empty strings out
        raise bad_request("message text is empty")
    if missing:
        raise misuse(f"{method} lacks the required {', '.join(missing)}")
    return parsed


def _from_text(kind: Kind, text: str) -> object:
    options = kind.options if isinstance(kind, AnyOf) else (kind,)
    scalars = [option.type for option in options if isinstance(option, Scalar)]
    if int in scalars and re.fullmatch(r"-?\d+", text):
        return int(text)
    if str in scalars or any(isinstance(option, File | Constant) for option in options):
        return text
    if bool in scalars and text.lower() in ("true", "false", "1", "0", "yes", "no"):
        return text.lower() in ("true", "1", "yes")
    if scalars:
        raise MismatchError(f"{text!r:.80} is not {' or '.join(scalar.__name__ for scalar in scalars)}")
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise MismatchError(f"{text!r:.80} is not JSON: {error}") from None


def _is_utf8(value: object) -> bool:
    if isinstance(value, str):
        return value.isascii() or not any("\ud800" <= character <= "\udfff" for character in value)
    if isinstance(value, list):
        return all(map(_is_utf8, value))
    return not isinstance(value, dict) or all(map(_is_utf8, value.values()))
