"""the place that a person gives, and what was asked of them"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("dialogue", sa.Column("place", sa.String(length=80), nullable=True))
    op.add_column("dialogue", sa.Column("state", sa.String(length=2), nullable=True))
    op.add_column("dialogue", sa.Column("asked_for", sa.String(length=48), nullable=True))


def downgrade() -> None:
    for column in ("place", "state", "asked_for"):
        op.drop_column("dialogue", column)
