"""The textbook proxy: FastAPI in front, httpx behind, as a tutorial would write it.

It does the least that turnout does: picks a variant by weight, changes `model`, forwards, reads
`usage`, counts two metrics. uvicorn runs it (on uvloop and httptools, with its access log):

    UPSTREAM=http://127.0.0.1:9000 HTTPX=httpx uvicorn bench.textbook:app

HTTPX names the client library: httpx, which most tutorials use, or httpx2, which continues its
API. The client's pool is the library's own, 100 connections of which it keeps 20; TUNED=1 gives
it one without bounds, which somebody who measured would do.
"""

from __future__ import annotations

import importlib
import os
import random
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse
from prometheus_client import Counter, Histogram
from starlette.background import BackgroundTask

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx2

UPSTREAM = os.environ.get("UPSTREAM", "http://127.0.0.1:9000")
HTTPX: Any = importlib.import_module(os.environ.get("HTTPX", "httpx"))
DROPPED = {"host", "content-length", "connection", "accept-encoding", "transfer-encoding"}

TOKENS = Counter("textbook_tokens", "Tokens by variant and kind", ["variant", "kind"])
DURATION = Histogram("textbook_duration_seconds", "Duration by variant", ["variant"])

NO_LIMITS = HTTPX.Limits(max_connections=None, max_keepalive_connections=None)
POOL = {"limits": NO_LIMITS} if os.environ.get("TUNED") == "1" else {}

client: httpx2.AsyncClient = HTTPX.AsyncClient(base_url=UPSTREAM, timeout=600, **POOL)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    yield
    await client.aclose()


app = FastAPI(lifespan=lifespan)


@app.post("/v1/chat/completions")
async def chat(request: Request) -> Response:
    started = time.perf_counter()
    body = await request.json()
    variant = random.choices(["base", "ft"], [90, 10])[0]
    body["model"] = f"bench-{variant}"
    headers = {name: value for name, value in request.headers.items() if name not in DROPPED}
    outgoing = client.build_request("POST", "/v1/chat/completions", json=body, headers=headers)
    if body.get("stream"):
        return await stream(outgoing)
    reply = await client.send(outgoing)
    count(variant, reply.json().get("usage") or {}, time.perf_counter() - started)
    return Response(reply.content, reply.status_code, media_type=reply.headers["content-type"])


async def stream(outgoing: httpx2.Request) -> StreamingResponse:
    reply = await client.send(outgoing, stream=True)
    return StreamingResponse(
        reply.aiter_bytes(),
        reply.status_code,
        media_type=reply.headers["content-type"],
        background=BackgroundTask(reply.aclose),
    )


def count(variant: str, usage: dict[str, Any], seconds: float) -> None:
    for kind in ("prompt_tokens", "completion_tokens"):
        TOKENS.labels(variant, kind).inc(usage.get(kind, 0))
    DURATION.labels(variant).observe(seconds)
