"""Settings from the environment and `.env`; `.env.example` explains every key."""

from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict


class ConfigurationError(Exception):
    """The configuration cannot be used; the message says in one line what to do. The exit code is 2."""


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="LOTSE_", env_file=".env", extra="ignore", env_ignore_empty=True)

    data_dir: Path = Path("data")
    knowledge_base: Path = Field(default_factory=lambda: Path(__file__).parent.parent / "knowledge_base")
    model: str | None = None
    database_url: str | None = None
    impressum: str = ""
    desk_notice: str = (
        "Dies ist eine allgemeine Auskunft und keine Rechts- oder Steuerberatung. Für Ihren Einzelfall wenden Sie sich bitte "
        "an eine Rechtsanwältin, einen Steuerberater oder Ihr Finanzamt."
    )
    lease_seconds: float = Field(default=30.0, gt=0, le=3600)
    sends_per_second: float = Field(default=25.0, gt=0, le=1000)
    reindex_most_lost: float = Field(default=0.005, ge=0, le=1)
    reindex_most_lost_by_guide: int = Field(default=4, ge=0)
    reindex_memory_mb: int = Field(default=1500, ge=500)

    @property
    def snapshots(self) -> Path:
        return self.data_dir / "snapshots"

    def database(self, name: str = "lotse") -> str:
        """The database's URL: as configured, or a SQLite file `name` in the data folder."""
        return self.database_url or f"sqlite+aiosqlite:///{(self.data_dir / f'{name}.db').absolute()}"


class TelegramSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="TELEGRAM_", env_file=".env", extra="ignore", env_ignore_empty=True)

    bot_token: SecretStr
    api_base: str = "https://api.telegram.org"


def load_settings(**values: Any) -> Settings:  # noqa: ANN401 - any field
    """The settings. Raises ConfigurationError naming the first key that is wrong."""
    try:
        return Settings(**values)
    except ValidationError as error:
        raise ConfigurationError(_first(error, "LOTSE_")) from None


def load_telegram() -> TelegramSettings:
    """What the Telegram bot needs. Raises ConfigurationError when the token is missing or malformed."""
    try:
        settings = TelegramSettings()
    except ValidationError as error:
        if any(detail["loc"] == ("bot_token",) for detail in error.errors()):
            raise ConfigurationError(
                "TELEGRAM_BOT_TOKEN fehlt: Legen Sie mit @BotFather einen Bot an und tragen Sie sein Token in .env ein (Muster: .env.example)."
            ) from None
        raise ConfigurationError(_first(error, "TELEGRAM_")) from None
    number, colon, secret = settings.bot_token.get_secret_value().partition(":")
    if not (number.isdigit() and colon and secret and not secret.isspace()):
        raise ConfigurationError(
            "TELEGRAM_BOT_TOKEN hat nicht die Form 123456789:ABC…: Kopieren Sie es noch einmal von @BotFather."
        )
    return settings


def _first(error: ValidationError, prefix: str) -> str:
    detail = error.errors()[0]
    key = prefix + str(detail["loc"][0]).upper()
    return f"{key} ist nicht brauchbar ({detail['msg']}): Bitte in .env oder in der Umgebung berichtigen."
