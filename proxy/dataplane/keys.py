"""Client keys: who is calling, and whether they may, now.

Counts stand in the shared tally, so a limit holds over all workers. It knows digests only; the
key itself is hashed and forgotten.
"""

import hashlib
import hmac
from bisect import bisect
from collections.abc import Callable
from typing import Protocol

from proxy.config.settings import ClientKey
from proxy.errors import Refusal
from proxy.exchange import ErrorCode
from proxy.http import Request

LONGEST_WAIT = 120  # seconds after which all that was counted has left the window


class Tally(Protocol):
    """Counts shared by all workers, over a sliding minute; `slot` is a key's column."""

    def add_request(self, slot: int, now: float) -> None:
        """Count one request."""
        ...

    def add_tokens(self, slot: int, count: int, now: float) -> None:
        """Count tokens, prompt and reply."""
        ...

    def requests(self, slot: int, now: float) -> float:
        """Return the requests of the last minute."""
        ...

    def tokens(self, slot: int, now: float) -> float:
        """Return the tokens of the last minute."""
        ...


class Keyring:
    """The client keys in force; without any, every caller may pass."""

    __slots__ = ("_by_digest", "_tally")

    def __init__(self, keys: tuple[ClientKey, ...], tally: Tally) -> None:
        self._by_digest = {key.sha256: key for key in keys}
        self._tally = tally

    @property
    def closed(self) -> bool:
        """Whether a key is asked for."""
        return bool(self._by_digest)

    def identify(self, request: Request) -> ClientKey | None:
        """Return the caller's key, None where none is asked for, or raise Refusal(401)."""
        if not self._by_digest:
            return None
        presented = credential(request)
        if presented is None:
            raise _unauthorized("An API key is needed: send it as 'Authorization: Bearer KEY'.")
        digest = hashlib.sha256(presented).hexdigest()
        # The lookup is by the digest of what was sent, so its timing tells nothing of a key.
        key = self._by_digest.get(digest)
        if key is None or not hmac.compare_digest(digest, key.sha256):
            raise _unauthorized("This API key is not known here.")
        return key

    def admit(self, key: ClientKey, now: float) -> None:
        """Count one request of `key`, or raise Refusal(429) where a limit is used up."""
        requests, tokens = key.requests_per_minute, key.tokens_per_minute
        if requests is not None and (seconds := _wait(self._tally.requests, key, requests, now)):
            raise Refusal(
                429,
                ErrorCode.POLICY_REQUEST_LIMIT,
                f"This key may make {requests} requests a minute.",
                retry_after=seconds,
            )
        if tokens is not None and (seconds := _wait(self._tally.tokens, key, tokens, now)):
            raise Refusal(
                429,
                ErrorCode.POLICY_TOKEN_LIMIT,
                f"This key may use {tokens} tokens a minute.",
                retry_after=seconds,
            )
        self._tally.add_request(key.slot, now)

    def spend(self, key: ClientKey, tokens: int, now: float) -> None:
        """Count what a reply to `key` cost."""
        if key.tokens_per_minute is not None and tokens > 0:
            self._tally.add_tokens(key.slot, tokens, now)


def credential(request: Request) -> bytes | None:
    """Return the key a client sent: as a bearer token, or as Anthropic's clients do."""
    authorization = request.header(b"authorization")
    if authorization is not None and authorization[:7].lower() == b"bearer ":
        return authorization[7:].strip()
    return request.header(b"x-api-key")


def _unauthorized(message: str) -> Refusal:
    return Refusal(401, ErrorCode.CALLER_UNAUTHORIZED, message)


def _wait(used: Callable[[int, float], float], key: ClientKey, limit: int, now: float) -> int:
    """Return the whole seconds until less than `limit` is used, if no more comes; 0: already."""
    if used(key.slot, now) < limit:
        return 0
    ahead = range(1, LONGEST_WAIT)
    return 1 + bisect(ahead, x=False, key=lambda wait: used(key.slot, now + wait) < limit)
