"""The directory's tables: organisations of the three sectors, what they offer and what they seek."""

from __future__ import annotations

import hashlib
from datetime import date

from sqlalchemy import JSON, BigInteger, Boolean, Date, Float, ForeignKey, Index, Integer, LargeBinary, MetaData, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

# SQLite numbers rows by itself only for INTEGER keys.
RowId = BigInteger().with_variant(Integer, "sqlite")
REACHES = ("lokal", "kreis", "land", "bund")
OFFER, NEED = SIDES = ("offer", "need")
SAMPLE_SOURCE = "Muster"  # of the invented organisations; a real import replaces them
ACTIVE, PENDING, REMOVED = STATUSES = ("active", "pending", "removed")


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention={"ix": "ix_%(table_name)s_%(column_0_name)s", "pk": "pk_%(table_name)s"})


class Organisation(Base):
    """A possible partner. `reach`: how far it works from its place; `state`: ISO code without "DE-".

    `digest` is a hash of the record that it was imported from: the same record again changes nothing.
    """

    __tablename__ = "organisation"
    __table_args__ = (Index("ix_organisation_status", "status"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    sector: Mapped[str] = mapped_column(String(20))
    legal_form: Mapped[str] = mapped_column(String(60), default="")
    description: Mapped[str] = mapped_column(String(600), default="")
    postcode: Mapped[str] = mapped_column(String(5))
    place: Mapped[str] = mapped_column(String(80))
    state: Mapped[str] = mapped_column(String(2))
    latitude: Mapped[float] = mapped_column(Float)
    longitude: Mapped[float] = mapped_column(Float)
    reach: Mapped[str] = mapped_column(String(8))
    themes: Mapped[list[str]] = mapped_column(JSON, default=list)
    languages: Mapped[list[str]] = mapped_column(JSON, default=list)
    website: Mapped[str | None] = mapped_column(String(200))
    contact_name: Mapped[str | None] = mapped_column(String(120))
    contact_email: Mapped[str | None] = mapped_column(String(200))
    verified_on: Mapped[date | None] = mapped_column(Date)
    source: Mapped[str] = mapped_column(String(120))
    status: Mapped[str] = mapped_column(String(10), default=ACTIVE)
    digest: Mapped[str] = mapped_column(String(32), default="")
    phrases: Mapped[list[Phrase]] = relationship(
        cascade="all, delete-orphan", order_by="(Phrase.side.desc(), Phrase.position)", lazy="selectin"
    )


class Phrase(Base):
    """One thing that an organisation offers or needs, in its own words; `until` is the last day on which it holds.

    `resource` is the kind of resource that the text was mapped to by meaning; `corrected`: by a person since.
    """

    __tablename__ = "phrase"
    __table_args__ = (Index("ix_phrase_organisation", "organisation_id"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisation.id", ondelete="CASCADE"))
    side: Mapped[str] = mapped_column(String(5))
    position: Mapped[int] = mapped_column(Integer)
    text: Mapped[str] = mapped_column(String(200))
    resource: Mapped[str] = mapped_column(String(30))
    corrected: Mapped[bool] = mapped_column(Boolean, default=False)
    amount: Mapped[str | None] = mapped_column(String(60))
    until: Mapped[date | None] = mapped_column(Date)


class PhraseVector(Base):
    """The embedding of a phrase's text, kept once however many organisations say it. float16, `digest` names the text."""

    __tablename__ = "phrase_vector"

    digest: Mapped[str] = mapped_column(String(32), primary_key=True)
    model: Mapped[str] = mapped_column(String(80), primary_key=True)
    vector: Mapped[bytes] = mapped_column(LargeBinary)


def text_digest(text: str) -> str:
    """The key of a phrase's text in phrase_vector."""
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
