"""Silences: of which alerts nobody is told, until when."""

import sqlalchemy as sa
from alembic import op

revision = "m0007"
down_revision = "m0006"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "silences",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("alert", sa.String),
        sa.Column("route", sa.String),
        sa.Column("variant", sa.String),
        sa.Column("begins_at", sa.Double, nullable=False),
        sa.Column("ends_at", sa.Double, nullable=False),
        sa.Column("who", sa.String, nullable=False),
        sa.Column("why", sa.String, nullable=False),
    )
