"""the partners' directory"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "organisation",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("sector", sa.String(length=20), nullable=False),
        sa.Column("legal_form", sa.String(length=60), nullable=False),
        sa.Column("description", sa.String(length=600), nullable=False),
        sa.Column("postcode", sa.String(length=5), nullable=False),
        sa.Column("place", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=2), nullable=False),
        sa.Column("latitude", sa.Float(), nullable=False),
        sa.Column("longitude", sa.Float(), nullable=False),
        sa.Column("reach", sa.String(length=8), nullable=False),
        sa.Column("themes", sa.JSON(), nullable=False),
        sa.Column("languages", sa.JSON(), nullable=False),
        sa.Column("website", sa.String(length=200), nullable=True),
        sa.Column("contact_name", sa.String(length=120), nullable=True),
        sa.Column("contact_email", sa.String(length=200), nullable=True),
        sa.Column("verified_on", sa.Date(), nullable=True),
        sa.Column("source", sa.String(length=120), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("digest", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation")),
    )
    op.create_index("ix_organisation_status", "organisation", ["status"], unique=False)
    op.create_table(
        "phrase",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("side", sa.String(length=5), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(length=200), nullable=False),
        sa.Column("resource", sa.String(length=30), nullable=False),
        sa.Column("corrected", sa.Boolean(), nullable=False),
        sa.Column("amount", sa.String(length=60), nullable=True),
        sa.Column("until", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phrase")),
    )
    op.create_index("ix_phrase_organisation", "phrase", ["organisation_id"], unique=False)
    op.create_table(
        "phrase_vector",
        sa.Column("digest", sa.String(length=32), nullable=False),
        sa.Column("model", sa.String(length=80), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("digest", "model", name=op.f("pk_phrase_vector")),
    )


def downgrade() -> None:
    op.drop_table("phrase_vector")
    op.drop_index("ix_phrase_organisation", table_name="phrase")
    op.drop_table("phrase")
    op.drop_index("ix_organisation_status", table_name="organisation")
    op.drop_table("organisation")
