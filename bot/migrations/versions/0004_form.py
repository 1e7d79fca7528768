"""what a person has entered of something that takes several steps"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("dialogue", sa.Column("form", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("dialogue", "form")
