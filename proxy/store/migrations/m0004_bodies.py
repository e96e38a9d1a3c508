"""Bodies: what was asked and answered, where a route says to keep it."""

import sqlalchemy as sa
from alembic import op

revision = "m0004"
down_revision = "m0003"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "bodies",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer, "sqlite"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("request", sa.LargeBinary, nullable=False),
        sa.Column("reply", sa.LargeBinary, nullable=False),
        sa.Column("request_bytes", sa.BigInteger, nullable=False),
        sa.Column("reply_bytes", sa.BigInteger, nullable=False),
        sa.Column("request_whole", sa.Boolean, nullable=False),
        sa.Column("reply_whole", sa.Boolean, nullable=False),
    )
