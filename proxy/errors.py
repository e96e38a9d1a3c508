"""Every error that turnout raises on purpose: one shallow tree.

    TurnoutError
     ├─ ConfigError        the configuration can't be read or is wrong
     ├─ ChangeError        a change of the routing can't be made
     │   └─ Missing            it names a route, a variant or a version that is not there
     ├─ StartError         turnout can't start on this machine: an address in use, ...
     ├─ StoreError         versions and audit log can't be read or written
     │   ├─ Conflict           a version does not follow the last one that is kept
     │   └─ Unsure             the answer was lost: it may have been kept, or not
     ├─ Refusal            we answer the client ourselves: status, code, message
     └─ UpstreamFailure    no (whole) reply could be had from an upstream
         ├─ ConnectFailure     nothing was sent: safe to try again, or elsewhere
         ├─ StaleConnection    a reused connection was closed before any byte of the reply
         ├─ UpstreamTimeout    one of the deadlines passed
         └─ UpstreamCut        the reply broke off after it had begun

`code` is always a word of `proxy.exchange.outcome.ErrorCode`. The text of an exception is for
the log; what a client reads is written by whoever answers it, never `str(exc)`.
"""


class TurnoutError(Exception):
    """What all of turnout's own errors have in common."""


class ConfigError(TurnoutError):
    """The configuration can't be read (`unreadable`) or has problems, all of them listed."""

    def __init__(
        self, message: str, *, unreadable: bool = False, problems: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message)
        self.unreadable = unreadable
        self.problems = problems  # a line each, with what to do; the message has them too


class ChangeError(TurnoutError):
    """A change of the routing can't be made; the message says why and what to do."""


class Missing(ChangeError):
    """A change names a route, a variant, a unit or a version that is not there."""


class StartError(TurnoutError):
    """turnout can't start on this machine; the message says why and what to do."""


class StoreError(TurnoutError):
    """The store can't be read or written, so nothing was kept; the message says why."""


class Conflict(StoreError):
    """A version does not follow the last one that is kept: another was appended meanwhile."""


class Unsure(StoreError):
    """The store's answer was lost, and it can't be asked: a version may have been kept, or not."""


class Refusal(TurnoutError):
    """turnout answers the request itself, with `status` and the OpenAI error shape."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        param: str | None = None,
        retry_after: float | None = None,
        close: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.param = param
        self.retry_after = retry_after  # seconds
        self.close = close  # the connection can't be used for another request


class UpstreamFailure(TurnoutError):
    """No whole reply could be had from an upstream; `code` says why."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(detail or code)
        self.code = code


class ConnectFailure(UpstreamFailure):
    """The upstream could not be reached; no byte of the request was sent."""


class StaleConnection(UpstreamFailure):
    """A kept-alive connection was closed by the peer before any byte of the reply came."""


class UpstreamTimeout(UpstreamFailure):
    """The upstream missed a deadline: connect, first byte, between bytes or the whole."""


class UpstreamCut(UpstreamFailure):
    """The reply ended before its end."""
