"""Strict HTTP/1.1 for clients: the edge of the data plane, on llhttp and asyncio.

    edge        takes connections, bounds and ends them
    connection  one client: its requests in order, and its end
    deadlines   when a client is too late
    framing     where heads and bodies begin and end
    head        one request head, read or refused
    request     what a handler is given
    reply       what it answers with
    headers     which headers may pass on, and how they are written safely

It knows nothing of models, routes or upstreams.
"""

from proxy.http.connection import Service
from proxy.http.edge import Edge
from proxy.http.framing import BrokenChunks, Chunks, chunk
from proxy.http.head import Head
from proxy.http.headers import (
    HOP_BY_HOP,
    KEPT_HEADS,
    Fields,
    Headers,
    HeadMemory,
    end_to_end,
    render,
)
from proxy.http.reply import Reply
from proxy.http.request import Request

__all__ = [
    "HOP_BY_HOP",
    "KEPT_HEADS",
    "BrokenChunks",
    "Chunks",
    "Edge",
    "Fields",
    "Head",
    "HeadMemory",
    "Headers",
    "Reply",
    "Request",
    "Service",
    "chunk",
    "end_to_end",
    "render",
]
