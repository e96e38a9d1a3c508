"""Requests as bytes, for clients that do what no library would, and for many of them quickly."""

import asyncio
import json
import re
import time
from collections.abc import Iterable
from typing import Any

PATIENCE = 30.0
STATUS = re.compile(rb"HTTP/1\.1 ([0-9]{3}) ")
READ = 1 << 18
LONGEST_STATUS = 13  # bytes of it
CLOSE = b"\r\nConnection: close\r\n"


def request(
    path: str = "/v1/chat/completions",
    body: bytes | None = None,
    *headers: str,
    method: str = "POST",
) -> bytes:
    """Return one request; a body brings its length."""
    lines = [f"{method} {path} HTTP/1.1", "Host: turnout", *headers]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + (body or b"")


def chat(model: str = "support", *headers: str, prompt: str = "Hello", **members: Any) -> bytes:
    """Return a chat request."""
    messages = [{"role": "user", "content": prompt}]
    body = json.dumps({"model": model, "messages": messages, **members}).encode()
    return request("/v1/chat/completions", body, *headers)


CHAT = chat()


async def pipeline(port: int, requests: Iterable[bytes]) -> list[int]:
    """Write all `requests` on one connection without waiting; return the replies' statuses.

    The last one asks for the connection's end, which is read up to. The replies' bodies must
    not hold what looks like the start of a reply.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    *others, last = requests
    heard = bytearray()
    statuses: list[int] = []
    try:
        async with asyncio.timeout(PATIENCE):
            writer.write(b"".join([*others, last.replace(b"\r\n", CLOSE, 1)]))
            while data := await reader.read(READ):
                heard += data
                found = list(STATUS.finditer(heard))
                statuses += [int(match[1]) for match in found]
                del heard[: found[-1].end() if found else -LONGEST_STATUS]
    except ConnectionResetError:
        pass  # it is how a broken reply ends
    finally:
        writer.transport.abort()
    return statuses


async def hasty(port: int, data: bytes, until: bytes) -> bytes:
    """Send `data`, read up to `until`, and leave with a reset; return what was read."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(data)
        async with asyncio.timeout(PATIENCE):
            return await reader.readuntil(until)
    finally:
        writer.transport.abort()


async def ask(port: int, request: bytes = CHAT) -> tuple[bytes, float]:
    """Return the head of a reply on a connection of its own, and the seconds it took."""
    began = time.perf_counter()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(PATIENCE):
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
    finally:
        writer.transport.abort()
    return head, time.perf_counter() - began


async def p99(port: int, count: int = 200) -> float:
    """Return the 99th percentile of the seconds of chats, each of which must be answered."""
    took = []
    for _ in range(count):
        head, seconds = await ask(port)
        assert head.startswith(b"HTTP/1.1 200 ")
        took.append(seconds)
    return sorted(took)[count * 99 // 100 - 1]
