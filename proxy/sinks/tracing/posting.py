"""One POST to a collector, and what its answer means for whether to try again.

As OTLP has it (https://opentelemetry.io/docs/specs/otlp/#otlphttp-response): four statuses are
worth another try, and so is a connection that failed. An address or header may hold a secret: no
reason here repeats them.
"""

import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx2

AGAIN = frozenset({429, 502, 503, 504})
TIMEOUT = 10.0  # seconds to connect, to write, and for each piece of the answer
ANSWER_BYTES = 64 * 1024  # that are read of an answer
SENT = {  # beside what was configured
    "content-type": "application/x-protobuf",
    "content-encoding": "gzip",
    "accept-encoding": "identity",
}


class Trouble(Exception):
    """Spans were not taken: why, in words without secrets; `after` is what was asked, in seconds.

    `final`: trying again would not help.
    """

    def __init__(self, reason: str, *, final: bool = False, after: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.final = final
        self.after = after


def client(agent: str) -> httpx2.AsyncClient:
    """Return a client; to be closed."""
    return httpx2.AsyncClient(
        headers={"user-agent": agent}, timeout=TIMEOUT, follow_redirects=False
    )


async def post(
    http: httpx2.AsyncClient, url: str, body: bytes, headers: Mapping[str, str], now: float
) -> bytes:
    """Have `body`, a gzipped request, taken; return what was answered. Trouble: it was not.

    `now` is the time, in seconds since the epoch.
    """
    try:
        async with http.stream("POST", url, content=body, headers={**headers, **SENT}) as answer:
            if answer.is_success:
                return await beginning(answer)
            raise Trouble(
                f"status {answer.status_code}",
                final=answer.status_code not in AGAIN,
                after=asked(answer.headers.get("retry-after", ""), now),
            )
    except httpx2.InvalidURL:
        raise Trouble("InvalidURL", final=True) from None
    except httpx2.HTTPError as failure:  # its text may show the address: the kind must do
        raise Trouble(type(failure).__name__) from None


async def beginning(answer: httpx2.Response) -> bytes:
    """Return an answer's body, or as much of it as anybody needs."""
    body = b""
    async for piece in answer.aiter_raw():
        body += piece
        if len(body) > ANSWER_BYTES:
            break
    return body


def asked(said: str, now: float) -> float | None:
    """Return the seconds to wait that a Retry-After asks for; None: it asks for none."""
    if re.fullmatch(r"\d{1,6}", said):
        return float(said)
    try:
        date = parsedate_to_datetime(said)
    except ValueError:
        return None
    return max(0.0, (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now)


def host_of(url: str) -> str:
    """Return what of an address may be shown."""
    try:
        return urlsplit(url).hostname or "?"
    except ValueError:
        return "?"
