"""What llhttp, which has read more HTTP than anybody, makes of the same bytes."""

import httptools
from hypothesis import strategies as st

pieces = st.binary(max_size=20)
Parser = httptools.HttpRequestParser | httptools.HttpResponseParser

words = (b"0", b"1", b"2", b"a", b"F", b";", b"=", b" ", b":", b"x", b"\0", b'"')
alphabet = st.sampled_from([*words, b"\r\n", b"\r", b"\n"])
noise = st.lists(alphabet, max_size=30).map(b"".join)
extended = st.lists(alphabet, max_size=8).map(
    lambda extension: b"1;" + b"".join(extension) + b"\r\nx\r\n0\r\n\r\n"
)
trailed = noise.map(lambda trailers: b"0\r\n" + trailers + b"\r\n\r\n")


class Peer:
    """Hears of one message: of its trailers nothing, nor of what lies behind it."""

    def __init__(self) -> None:
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""
        self.begun = False
        self.ended = False

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.begun:
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        self.begun = True

    def on_body(self, data: bytes) -> None:
        if not self.ended:
            self.body += data

    def on_message_complete(self) -> None:
        self.ended = True


def request(data: bytes) -> Peer:
    """Return what is heard of a request; an HttpParserError where it is none."""
    return _heard(httptools.HttpRequestParser, data)


def reply(data: bytes) -> Peer:
    """Return what is heard of a reply; an HttpParserError where it is none."""
    return _heard(httptools.HttpResponseParser, data)


def _heard(parser: type[Parser], data: bytes) -> Peer:
    peer = Peer()
    try:
        parser(peer).feed_data(data)
    except httptools.HttpParserError:
        if not peer.ended:
            raise
    return peer


def chunked(body: list[bytes]) -> bytes:
    """Return `body` in chunks, each as it stands."""
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(each), each) for each in body if each)
    return chunks + b"0\r\n\r\n"
