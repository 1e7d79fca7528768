"""Files of requests, one a line, for the commands that take `--batch`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bot.output import fail

BOM = b"\xef\xbb\xbf"


class LineError(ValueError):
    """A line that cannot be used; the message says what to do."""


def read_batch(path: Path) -> list[str]:
    """The lines of a batch file; what is not UTF-8 in them becomes U+FFFD. Ends the program when it cannot be read."""
    try:
        return list(batch_lines(path.read_bytes()))
    except OSError as error:
        fail(f"{path} kann nicht gelesen werden: {error.strerror}.", 2)


def batch_lines(data: bytes) -> Iterator[str]:
    """The lines of a batch file: only `\\n` ends one, and what follows the last one counts if it is not empty."""
    *lines, rest = data.removeprefix(BOM).split(b"\n")
    for line in [*lines, rest] if rest else lines:
        yield line.decode("utf-8", errors="replace")


def require_utf8(line: str) -> None:
    """Raises LineError for a line that was not UTF-8."""
    if "\ufffd" in line:
        raise LineError("Sie ist nicht in UTF-8 gespeichert. Bitte als UTF-8 speichern.")


def json_object(line: str, example: str) -> dict[str, Any]:
    """The JSON object in a line. Raises LineError, which shows the `example`."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        raise LineError(f"Das ist kein JSON. So sieht eine Zeile aus: {example}") from None
    if not isinstance(row, dict):
        raise LineError(f"Das ist kein JSON-Objekt. So sieht eine Zeile aus: {example}")
    return row
