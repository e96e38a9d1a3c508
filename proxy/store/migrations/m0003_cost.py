"""Cost: what an exchange cost, and what was spent a day."""

import sqlalchemy as sa
from alembic import op

revision = "m0003"
down_revision = "m0002"


def upgrade() -> None:
    """Add the column and the table."""
    op.add_column("observations", sa.Column("cost_usd", sa.Double))
    op.create_table(
        "spending",
        sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("route", sa.String, primary_key=True),
        sa.Column("variant", sa.String, primary_key=True),
        sa.Column("key_name", sa.String, primary_key=True),
        sa.Column("shadow", sa.Boolean, primary_key=True),
        sa.Column("requests", sa.BigInteger, nullable=False),
        sa.Column("unpriced", sa.BigInteger, nullable=False),
        sa.Column("cost_usd", sa.Double, nullable=False),
    )
