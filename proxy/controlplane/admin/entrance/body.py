"""A request's body: bounded, and strictly JSON.

Numbers that are none (NaN), broken characters and a name said twice are refused: what is checked
must be what whoever wrote it meant.
"""

import json
from typing import Any

import msgspec
from starlette.requests import ClientDisconnect, Request

from proxy.controlplane.admin.entrance.refusals import Refused

MOST_BYTES = 64 * 1024
GONE = 400  # nobody is there to read it


class Bounded(Request):
    """A request whose body is read up to `MOST_BYTES`; Refused beyond, or where it is no JSON."""

    async def body(self) -> bytes:
        """Return the body."""
        if not hasattr(self, "_body"):
            pieces = bytearray()
            try:
                async for piece in self.stream():
                    pieces += piece
                    if len(pieces) > MOST_BYTES:
                        raise Refused(413, f"A body has at most {MOST_BYTES} bytes.")
            except ClientDisconnect:
                raise Refused(GONE, "The body did not come whole.") from None
            self._body = bytes(pieces)
        return self._body

    async def json(self) -> Any:
        """Return what the body says."""
        body = await self.body()
        try:
            msgspec.json.decode(body)
            return json.loads(body, object_pairs_hook=_unique)
        except (msgspec.DecodeError, ValueError, RecursionError):
            raise Refused(400, "The body is no JSON that can be taken.") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a name is said twice")
    return members
