"""One POST of JSON, and what its answer means for whether to try again.

An address may hold a secret: no reason here repeats it, nor what the receiver says, but for a
plain word like Slack's `invalid_token`.
"""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

import httpx2

from proxy.notifiers.delivery import Trouble

TIMEOUT = 10.0  # seconds to connect, to write, and for each piece of the answer
AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
WORD = re.compile(rb"\s*([a-z]{2,20}(?:_[a-z]{2,20}){0,4})\s*")  # as Slack answers


def client(agent: str) -> httpx2.AsyncClient:
    """Return the client of all who post; to be closed."""
    return httpx2.AsyncClient(
        headers={"user-agent": agent}, timeout=TIMEOUT, follow_redirects=False
    )


async def post(
    http: httpx2.AsyncClient, url: str, body: bytes, headers: Mapping[str, str]
) -> None:
    """Have `body`, which is JSON, taken with a status from 200 to 299. Trouble: it was not."""
    try:
        # A stream, so that no more is read of the answer than its first piece.
        sent = {"content-type": "application/json", **headers}
        async with http.stream("POST", url, content=body, headers=sent) as answer:
            if not answer.is_success:
                raise refusal(answer, await first_piece(answer))
    except httpx2.InvalidURL:
        raise Trouble("InvalidURL", final=True) from None
    except (httpx2.ConnectError, httpx2.ConnectTimeout) as failure:
        raise Trouble(type(failure).__name__) from None
    except httpx2.HTTPError as failure:  # its text may show the address: the kind must do
        raise Trouble(type(failure).__name__, unsure=True) from None


async def first_piece(answer: httpx2.Response) -> bytes:
    """Return what an answer begins with."""
    return await anext(answer.aiter_raw(), b"")


def refusal(answer: httpx2.Response, said: bytes) -> Trouble:
    """Return what a status other than success means."""
    word = WORD.fullmatch(said)
    reason = f"status {answer.status_code}" + (f": {word[1].decode()}" if word else "")
    after = answer.headers.get("retry-after", "")
    return Trouble(
        reason,
        final=answer.status_code not in AGAIN,
        after=float(after) if re.fullmatch(r"\d{1,6}", after) else 0.0,
    )


def host_of(url: str) -> str:
    """Return what of an address may be shown."""
    try:
        return urlsplit(url).hostname or "?"
    except ValueError:
        return "?"
