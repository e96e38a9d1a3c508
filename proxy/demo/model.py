"""A simulated model behind a real socket: a chat API that speaks a `Character`'s drafts.

It knows OpenAI's form of a chat reply, streamed and not. It knows nothing of turnout.
"""

import asyncio
import contextlib
import itertools
import json
import socket
from collections.abc import AsyncIterator, Iterator
from random import Random
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from proxy.demo.character import Character, Draft, draft

SECONDS_TO_END = 1  # what is being said then is cut off


class ModelServer(uvicorn.Server):
    """uvicorn, but signals stay with the demo."""

    def __init__(self, character: Character, dice: Random) -> None:
        config = uvicorn.Config(
            model_app(character, dice),
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=SECONDS_TO_END,
        )
        super().__init__(config)
        self.socket = socket.create_server(("127.0.0.1", 0))
        port: int = self.socket.getsockname()[1]
        self.base_url = f"http://127.0.0.1:{port}/v1"

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield

    async def run_until_told(self) -> None:
        """Serve until `should_exit` is set."""
        await self.serve(sockets=[self.socket])


def model_app(character: Character, dice: Random) -> FastAPI:
    """Return the API of one simulated model."""
    app = FastAPI(openapi_url=None)
    counter = itertools.count(1)

    @app.get("/v1/models")
    async def models() -> dict[str, Any]:
        """List the one model."""
        model = {"id": character.name, "object": "model", "created": 0, "owned_by": "demo"}
        return {"object": "list", "data": [model]}

    @app.post("/v1/chat/completions")
    async def chat(request: Request) -> Response:
        """Answer in the character's way."""
        body = await request.json()
        count = next(counter)
        reply = draft(character, count, dice)
        if reply.fails:
            error = {"message": "The model is out of memory.", "type": "server_error"}
            return JSONResponse({"error": error | {"param": None, "code": None}}, 500)
        head = {"id": f"chatcmpl-{count}", "created": 0, "model": character.name}
        if body.get("stream"):
            chunks = _stream(head, reply, body)
            return StreamingResponse(chunks, media_type="text/event-stream")
        await asyncio.sleep(reply.before_first + reply.between * len(reply.words))
        return JSONResponse(_whole(head, reply, body))

    return app


def _whole(head: dict[str, Any], reply: Draft, body: dict[str, Any]) -> dict[str, Any]:
    message = {"role": "assistant", "content": " ".join(reply.words)}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    usage = _usage(reply, body)
    return head | {"object": "chat.completion", "choices": [choice], "usage": usage}


async def _stream(
    head: dict[str, Any], reply: Draft, body: dict[str, Any]
) -> AsyncIterator[bytes]:
    await asyncio.sleep(reply.before_first)
    yield _event(head, {"role": "assistant", "content": ""})
    for index, word in enumerate(reply.words):
        yield _event(head, {"content": word if index == 0 else f" {word}"})
        await asyncio.sleep(reply.between)
    yield _event(head, {}, finish="stop")
    if (body.get("stream_options") or {}).get("include_usage"):
        yield _event(head, None, usage=_usage(reply, body))
    yield b"data: [DONE]\n\n"


def _event(head: dict[str, Any], delta: dict[str, Any] | None, **more: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": more.pop("finish", None)}
    choices = [] if delta is None else [choice]
    chunk = head | {"object": "chat.completion.chunk", "choices": choices} | more
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def _usage(reply: Draft, body: dict[str, Any]) -> dict[str, int]:
    """Count words as tokens."""
    asked = sum(len(str(message.get("content")).split()) for message in body["messages"])
    said = len(reply.words)
    return {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said}
