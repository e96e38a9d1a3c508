"""Reads one request head, or refuses it: RFC 9112 by the letter, and no guessing.

llhttp reads the fields; the gates here refuse what it lets pass and what two readers could
read in two ways. A head comes whole, up to its blank line; sockets, bodies and deadlines are
`connection`'s. Every refusal here closes the connection: where its framing is in doubt, nothing
that follows can be trusted. A client's heads mostly differ in their Content-Length alone, so the
rest is read once (`Heads`).
"""

import re
from collections.abc import Callable
from functools import lru_cache

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from proxy.config.settings import Limits
from proxy.errors import Refusal
from proxy.exchange import ErrorCode
from proxy.http.headers import Headers, HeadMemory, Spellings, connection_options

METHODS = {
    name.encode(): name for name in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
}
ALLOW = ", ".join(METHODS.values()).encode()
LINE_SLACK = 32  # what a request line may hold beside its target

_LINE = re.compile(rb"([A-Z]+) ([!-~]+) HTTP/1\.([01])")
_DAMAGE = re.compile(rb"(?<!\r)\n|\r[^\n]|\0")
_HOST = re.compile(
    rb"(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+(?::[0-9]{0,5})?"
    rb"|\[[0-9A-Fa-f:.]+\](?::[0-9]{0,5})?"
)
_ABSOLUTE = re.compile(rb"https?://([^/?#]*)(.*)", re.IGNORECASE | re.DOTALL)
# RFC 3986, 3.3 and 3.4; a query may also hold the brackets that many clients leave bare.
_PATH_QUERY = re.compile(
    rb"(/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*)"
    rb"(?:\?((?:[A-Za-z0-9._~!$&'()*+,;=:@/?\[\]-]|%[0-9A-Fa-f]{2})*))?"
)
_TRICKS = re.compile(
    rb"^//|(?:/|%2f|%5c)(?:\.|%2e){1,2}(?:/|%2f|%5c|$)|%00|%5c",
    re.IGNORECASE,
)
_LOWER: Spellings[bytes] = Spellings(bytes)
_SPECIAL = frozenset(
    {
        b"connection",
        b"content_length",
        b"expect",
        b"transfer-encoding",
        b"transfer_encoding",
        b"upgrade",
    }
)
_NO_FIELDS: dict[bytes, bytes] = {}
_ONCE = (b"host", b"content-length", b"transfer-encoding", b"authorization")


class _Fields:
    """What llhttp calls for each field; nothing of ours, so that no field costs a frame."""

    __slots__ = ("on_header",)

    on_header: Callable[[bytes, bytes], object]


class Head:
    """What a request's head says, all but its Content-Length; `parse` fills it.

    Requests share one where their heads differ in nothing else: nobody changes it afterwards.
    `header` returns the first value of a name (in lower case), or None. `kept`: requests that
    follow may share it. `refusal`: it is none that we take; the rest is what was read of it.
    """

    __slots__ = (
        "chunked",
        "expects_continue",
        "header",
        "headers",
        "http11",
        "keep_alive",
        "kept",
        "method",
        "path",
        "query",
        "refusal",
        "target",
    )

    def __init__(self) -> None:
        self.method = ""
        self.target = b""
        self.path = ""
        self.query = b""
        self.headers: Headers = []
        self.header: Callable[[bytes], bytes | None] = _NO_FIELDS.get
        self.http11 = True
        self.chunked = False
        self.keep_alive = False
        self.expects_continue = False
        self.kept = False
        self.refusal: Refusal | None = None

    def parse(self, raw: bytes, limits: Limits) -> int | None:
        """Read a whole head, blank line included; return its Content-Length, or raise Refusal."""
        self._request_line(raw[: raw.index(b"\r\n")], limits)
        spelt: dict[bytes, bytes] = {}
        feed(raw, spelt.setdefault)
        index = {_LOWER[name]: value for name, value in spelt.items()}
        # As many names as lines: each stands once, and none was lost on its way into a dict.
        if len(index) == raw.count(b"\n") - 2:
            self.headers = list(spelt.items())
        else:
            index = self._repeated(raw)
        if len(self.headers) > limits.header_count:
            raise head_too_large()
        host = index.get(b"host")
        if host is None:
            if self.http11:
                raise malformed("Host is missing.")
        elif not is_host(host):
            raise malformed("Host is malformed.")
        length = self._length(index)
        if _SPECIAL.isdisjoint(index):
            self.keep_alive = self.http11
        else:
            self._special(index, length)
        self.header = index.get
        return length

    def _request_line(self, line: bytes, limits: Limits) -> None:
        method, target, self.http11 = split_line(line)
        self.target = target
        if len(target) > limits.target_bytes:
            raise target_too_long()
        if not method:
            raise not_served()
        self.method = method
        authority, self.path, self.query = read_target(target, method)
        if authority is not None:
            if not is_host(authority):
                raise malformed("The target's authority is malformed.")
            self.target = self.path.encode() + (b"?" + self.query if self.query else b"")

    def _repeated(self, raw: bytes) -> dict[bytes, bytes]:
        """Keep every field; refuse a second one of what may stand once; join Connection's."""
        headers = self.headers
        feed(raw, lambda name, value: headers.append((name, value)))
        values: dict[bytes, list[bytes]] = {}
        for name, value in headers:
            values.setdefault(name.lower(), []).append(value)
        for name in _ONCE:
            if len(values.get(name, ())) > 1:
                raise malformed(f"{name.decode().title()} stands in the head more than once.")
        index = {name: all_of[0] for name, all_of in values.items()}
        if b"connection" in values:
            index[b"connection"] = b",".join(values[b"connection"])
        return index

    def _length(self, index: dict[bytes, bytes]) -> int | None:
        """Take Content-Length out: it is the one field that is not the same next time."""
        value = index.pop(b"content-length", None)
        if value is None:
            return None
        if not value.isdigit():
            raise malformed("Content-Length is no plain number.")
        self.headers = [each for each in self.headers if _LOWER[each[0]] != b"content-length"]
        return int(value)

    def _special(self, index: dict[bytes, bytes], length: int | None) -> None:
        """Read what few heads have: a body in chunks, a word on the connection, a wish."""
        # Some peers read an underscore as a dash.
        if b"content_length" in index or b"transfer_encoding" in index:
            raise malformed("A framing header is misspelt.")
        coding = index.get(b"transfer-encoding")
        if coding is not None:
            if length is not None:
                raise malformed("Content-Length and Transfer-Encoding exclude each other.")
            if not self.http11 or coding.lower() != b"chunked":
                raise malformed("The only Transfer-Encoding taken is chunked, on HTTP/1.1.")
            self.chunked = True
        options = connection_options(index.get(b"connection", b""))
        self.keep_alive = b"close" not in options and (self.http11 or b"keep-alive" in options)
        if b"websocket" in index.get(b"upgrade", b"").lower():
            raise unsupported(501, "WebSockets are not served here.")
        expected = index.get(b"expect")
        if expected is not None and self.http11:
            if expected.lower() != b"100-continue":
                raise unsupported(417, "The only expectation that is met is 100-continue.")
            self.expects_continue = True


class Heads:
    """Reads heads under `limits`, and remembers those that passed every gate."""

    __slots__ = ("_known", "_limits")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._known: HeadMemory[Head] = HeadMemory()

    def read(self, raw: bytes) -> tuple[Head, int | None]:
        """Return what a whole head says, and its Content-Length, if it has one."""
        known, length = self._known.find(raw)
        if known is not None:
            return known, length
        head = Head()
        try:
            said = head.parse(raw, self._limits)
        except Refusal as refusal:
            head.refusal = refusal
            return head, None
        if said == length:  # else it is spelt in a way that the memory does not see
            head.kept = self._known.keep(raw, head)
        return head, said


def feed(raw: bytes, on_header: Callable[[bytes, bytes], object]) -> None:
    """Have llhttp read a whole head and call `on_header` for each field, or raise Refusal."""
    fields = _Fields()
    fields.on_header = on_header
    try:
        HttpRequestParser(fields).feed_data(raw)
    except HttpParserUpgrade:
        pass  # llhttp is done with the head; whether to switch protocols is for us to say
    except HttpParserError:
        raise malformed("The request head is malformed.") from None


@lru_cache(maxsize=256)
def split_line(line: bytes) -> tuple[str, bytes, bool]:
    """Return method (empty: not served), target, and whether it is HTTP/1.1, or raise Refusal.

    What clients send here is mostly the same: so it is read once.
    """
    match = _LINE.fullmatch(line)
    if match is None:
        raise malformed("The request line is malformed.")
    method, target, version = match.groups()
    return METHODS.get(method, ""), target, version == b"1"


@lru_cache(maxsize=256)
def is_host(value: bytes) -> bool:
    """Return whether `value` is a Host: a name or an address, and perhaps a port."""
    return _HOST.fullmatch(value) is not None


@lru_cache(maxsize=256)
def read_target(target: bytes, method: str) -> tuple[bytes | None, str, bytes]:
    """Return the authority (absolute form only), the raw path and the query, or raise Refusal.

    A path that means another path is refused and never rewritten: what is authorised is what
    is routed, here and by every reader after us.
    """
    if target == b"*" and method == "OPTIONS":
        return None, "*", b""
    authority: bytes | None = None
    absolute = _ABSOLUTE.fullmatch(target)
    if absolute is not None:
        authority, target = absolute.groups()
        if not target.startswith(b"/"):
            target = b"/" + target
    parts = _PATH_QUERY.fullmatch(target)
    if parts is None:
        raise malformed("The request target holds what a URL may not.")
    path, query = parts.groups()
    if _TRICKS.search(path) is not None:
        raise malformed("The path has dot segments, backslashes or an empty start.")
    return authority, path.decode("ascii"), query or b""


def check_unfinished(data: bytes | bytearray, start: int, limits: Limits) -> None:
    """Raise Refusal where a head that is not whole yet can't become a good one.

    `start`: what lies before it was checked already.
    """
    if _DAMAGE.search(data, max(0, start - 1)) is not None:
        raise malformed("The request head is malformed.")
    check_size(data, len(data), limits)


def check_size(data: bytes | bytearray, size: int, limits: Limits) -> None:
    """Raise Refusal where a head of `size` bytes is too large: for its target, or as a whole."""
    line = limits.target_bytes + LINE_SLACK
    if size > line and data.find(b"\r\n", 0, line) < 0:
        raise target_too_long()
    if size > limits.head_bytes:
        raise head_too_large()


def malformed(message: str) -> Refusal:
    """Return the refusal of what is no valid HTTP."""
    return Refusal(400, ErrorCode.CALLER_BAD_HTTP, message, close=True)


def not_served() -> Refusal:
    """Return the refusal of a method that no path has."""
    return Refusal(
        405, ErrorCode.CALLER_METHOD_NOT_ALLOWED, "This method is not served here.", close=True
    )


def head_too_large() -> Refusal:
    """Return the refusal of a head with too many bytes or fields."""
    return Refusal(
        431, ErrorCode.CALLER_HEAD_TOO_LARGE, "The request head is too large.", close=True
    )


def target_too_long() -> Refusal:
    """Return the refusal of a target that is too long."""
    return Refusal(414, ErrorCode.CALLER_HEAD_TOO_LARGE, "The URL is too long.", close=True)


def unsupported(status: int, message: str) -> Refusal:
    """Return the refusal of a part of HTTP that is not offered here."""
    return Refusal(status, ErrorCode.CALLER_UNSUPPORTED, message, close=True)


def too_late(message: str) -> Refusal:
    """Return the refusal of a client that missed a deadline."""
    return Refusal(408, ErrorCode.CALLER_TIMEOUT, message, close=True)
