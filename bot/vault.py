"""Encryption at rest: what people write is stored encrypted, with a key that lives in a file outside the database."""

import os
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from bot.settings import ConfigurationError


class Vault:
    """Encrypts and decrypts payloads with one symmetric key (Fernet: AES-128-CBC with HMAC-SHA256)."""

    def __init__(self, key: bytes) -> None:
        self._fernet = Fernet(key)

    @classmethod
    def open(cls, path: Path) -> "Vault":
        """The vault with the key in `path`; the key is made at first start, readable by its owner alone.

        Raises ConfigurationError when the file holds no key.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            pass
        else:
            with os.fdopen(descriptor, "wb") as file:
                file.write(Fernet.generate_key())
                file.flush()
                os.fsync(file.fileno())
        try:
            return cls(path.read_bytes())
        except ValueError:
            raise ConfigurationError(
                f"{path} enthält keinen Schlüssel: Stellen Sie die Datei aus der Sicherung wieder her."
            ) from None

    def lock(self, data: bytes) -> bytes:
        return self._fernet.encrypt(data)

    def unlock(self, data: bytes) -> bytes:
        """The plain bytes. Raises ValueError when `data` was encrypted with another key or was altered."""
        try:
            return self._fernet.decrypt(data)
        except InvalidToken:
            raise ValueError("payload was encrypted with another key") from None
