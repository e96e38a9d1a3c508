"""Bodies: what was asked and answered, kept beside the observation that has its number.

They are written with it and forgotten with it, or before it where somebody asks for that. They
come compressed (zlib), and are given back as text.
"""

import zlib
from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, delete, or_, select, update

from proxy.exchange.observation import Observation
from proxy.store.tables import BODIES, OBSERVATIONS

ROW = OBSERVATIONS.c
BODY = BODIES.c
OWN: Final = ("request", "reply", "request_bytes", "reply_bytes", "request_whole", "reply_whole")


class Body(Struct, frozen=True, kw_only=True):
    """A request, or a reply, as it was kept: `bytes` of it there were, `whole`: all are here."""

    text: str
    bytes: int
    whole: bool


class KeptBodies(Struct, frozen=True, kw_only=True):
    """Both bodies of an exchange."""

    request: Body
    reply: Body


def keep_bodies(connection: Connection, first: int, batch: Sequence[Observation]) -> None:
    """Keep the bodies of a batch whose observations were just kept, numbered from `first` on.

    An observation that was there before has another number, and its bodies with it.
    """
    rows = [_row(number, seen) for number, seen in enumerate(batch, first) if seen.bodies]
    if rows:
        fresh = set(connection.scalars(select(ROW.number).where(ROW.number >= first)))
        rows = [row for row in rows if row["number"] in fresh]
    if rows:
        connection.execute(BODIES.insert(), rows)


def read_bodies(connection: Connection, request_id: str) -> KeptBodies | None:
    """Return the bodies of a request; None: none were kept."""
    query = select(BODIES).join(OBSERVATIONS, ROW.number == BODY.number)
    row = connection.execute(query.where(ROW.request_id == request_id)).first()
    if row is None:
        return None
    return KeptBodies(
        request=_body(row.request, row.request_bytes, row.request_whole),
        reply=_body(row.reply, row.reply_bytes, row.reply_whole),
    )


def forget_words(connection: Connection, request_id: str) -> bool:
    """Take out what was said: bodies and previews of a request and of its shadows.

    Returns whether there is such a request; what else is known of it stays.
    """
    if connection.dialect.name == "sqlite":  # else its pages keep them until they are used again
        connection.exec_driver_sql("PRAGMA secure_delete = ON")
    meant = or_(ROW.request_id == request_id, ROW.shadow_of == request_id)
    connection.execute(delete(BODIES).where(BODY.number.in_(select(ROW.number).where(meant))))
    silent = update(OBSERVATIONS).where(meant)
    found = connection.execute(silent.values(prompt_preview=None, response_preview=None))
    return found.rowcount > 0


def forget_bodies(connection: Connection, where: ColumnElement[bool]) -> None:
    """Take out the bodies of observations, `where` is so of these; they are there still."""
    connection.execute(delete(BODIES).where(BODY.number.in_(select(ROW.number).where(where))))


def _row(number: int, seen: Observation) -> dict[str, Any]:
    return {"number": number, **{name: getattr(seen.bodies, name) for name in OWN}}


def _body(kept: bytes, size: int, whole: bool) -> Body:  # noqa: FBT001  # as the row has it
    return Body(text=zlib.decompress(kept).decode("utf-8", "replace"), bytes=size, whole=whole)
