"""The client: the admin API over HTTP, and what its refusals mean for whoever asked.

It knows paths and bodies only as it is given them. Proxies of the environment are not used:
administration is on this host or a private network.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn
from urllib.parse import quote

import httpx2
import msgspec
from msgspec import Struct

from proxy import __version__
from proxy.cli.running.refused import CHANGED, REFUSED, UNKNOWN, UNREACHED, Denied
from proxy.cli.running.where import Where, kept

PREFIX = "/api/v1"
CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 60.0  # a change waits for every worker, and for changes before it
AGENT = f"turnout-cli/{__version__}"  # by it, administration knows where a change came from
Parts = Sequence[str | int]  # of a path, behind /api/v1

NOTHING_DONE = 503  # as turnout says it
ASK = "It is not known whether the change is in force; see with: turnout versions --limit 1"


class Answer(Struct, frozen=True, kw_only=True):
    """What administration answered: JSON, and the version that it is of."""

    body: bytes
    etag: str


class Client:
    """Asks one turnout; `close` it. `transport` stands for the network."""

    def __init__(
        self,
        where: Where,
        *,
        seconds: float = ANSWER_SECONDS,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        self._where = where
        self._token = where.token
        self._tried: list[str] = []  # places at which nobody answers
        self._http = httpx2.Client(
            base_url=where.url.value,
            headers={"user-agent": AGENT},
            timeout=httpx2.Timeout(seconds, connect=min(seconds, CONNECT_SECONDS)),
            transport=transport,
            trust_env=False,
        )

    def close(self) -> None:
        """Close what is open."""
        self._http.close()

    def get(self, parts: Parts, query: Mapping[str, Any] | None = None) -> Answer:
        """Look at a path, by its parts; Denied: it can't be had."""
        return self._ask("GET", parts, query=query or {})

    def change(
        self,
        method: str,
        parts: Parts,
        *,
        body: object = None,
        query: Mapping[str, Any] | None = None,
        etag: str | None = None,
    ) -> Answer:
        """Change something, if what `etag` is of is still in force. Denied: it was not done."""
        headers = {} if etag is None else {"if-match": etag}
        sent = {} if body is None else {"json": body}
        return self._ask(method, parts, query=query or {}, headers=headers, **sent)

    def _ask(self, method: str, parts: Parts, *, query: Mapping[str, Any], **sent: Any) -> Answer:
        path = PREFIX + "".join(f"/{quote(str(part), safe='')}" for part in parts)
        asked = {name: value for name, value in query.items() if value is not None}
        try:
            reply = self._http.request(method, path, params=asked, auth=self._show, **sent)
            if reply.status_code == 401 and self._look_again():
                reply = self._http.request(method, path, params=asked, auth=self._show, **sent)
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            self._tried.append(self._place)
            if self._where.instead is not None:
                self._go_to(self._where.instead)
                return self._ask(method, parts, query=query, **sent)
            nowhere = ", nor at ".join(self._tried)
            raise self._unreached(f"nobody answers at {nowhere}; is turnout running?") from error
        except httpx2.RequestError as error:
            broken = f"no whole answer came from {self._place}, though it was reached."
            raise self._open(method, broken) from error
        said = detail(reply.content)
        if reply.is_server_error and (said is None or reply.status_code != NOTHING_DONE):
            failed = f"what answers at {self._place} failed with status {reply.status_code}."
            raise self._open(method, failed if said is None else said["message"])
        if not reply.is_success:
            self._refuse(reply)
        return Answer(body=reply.content, etag=reply.headers.get("etag", ""))

    def _show(self, request: httpx2.Request) -> httpx2.Request:
        """Show the token, where there is one."""
        if self._token.value:
            request.headers["authorization"] = f"Bearer {self._token.value}"
        return request

    def _go_to(self, where: Where) -> None:
        """Ask the turnout that is meant where nobody answers at the other place."""
        self._where, self._token = where, where.token
        self._http.base_url = httpx2.URL(where.url.value)

    def _look_again(self) -> bool:
        """Return whether another token is kept now: turnout makes it while it starts."""
        before, path = self._token.value, self._where.kept
        if path is not None:
            self._token = kept(path)
        return self._token.value not in ("", before)

    @property
    def _place(self) -> str:
        return f"{self._where.url.value} ({self._where.url.source})"

    def _unreached(self, why: str) -> Denied:
        return Denied(why, code=UNREACHED)

    def _open(self, method: str, why: str) -> Denied:
        """Return what is said where a request came there, and no telling what became of it."""
        if method == "GET":
            return self._unreached(why)
        return Denied(f"{why} {ASK}", code=UNKNOWN)

    def _refuse(self, reply: httpx2.Response) -> NoReturn:
        said = detail(reply.content)
        if said is None:
            raise self._unreached(
                f"what answers at {self._place} is not turnout's administration "
                f"(status {reply.status_code}); say where it is: --admin-url or TURNOUT_ADMIN_URL"
            )
        message = str(said["message"])
        match reply.status_code:
            case 401:
                message = self._unknown()
            case 403:
                message = f"{message} The one used is from {self._token.source}."
        code = CHANGED if reply.status_code == 412 else REFUSED
        raise Denied(message, detail=said, code=code)

    def _unknown(self) -> str:
        token = self._token
        if token.value:
            return (
                f"the token from {token.source} is not known to the turnout at {self._place}; "
                "set TURNOUT_ADMIN_TOKEN to one that is"
            )
        return (
            f"the turnout at {self._place} wants a token and there is none: {token.source}; "
            "set TURNOUT_ADMIN_TOKEN, or name turnout's configuration file: --config FILE"
        )


def detail(body: bytes) -> dict[str, Any] | None:
    """Return what a refusal says; None: it is none of turnout's."""
    try:
        said = msgspec.json.decode(body, type=dict[str, dict[str, Any]])["detail"]
    except (msgspec.MsgspecError, KeyError):
        return None
    return said if isinstance(said.get("message"), str) else None
