"""What is ambiguous, malformed or too large: refused, closed, and never handled.

Each case is played whole and byte by byte: how a client cuts its bytes changes nothing.
"""

import asyncio

import pytest

from proxy.config.settings import Limits
from proxy.http import Reply, Request
from tests.http.house import House, Running
from tests.support.dialogue import PATIENCE

HEAD = b"POST /v1/x HTTP/1.1\r\nHost: a\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
END = b"\r\n0\r\n\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"

AMBIGUOUS = {
    "Content-Length and Transfer-Encoding": HEAD
    + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding and Content-Length": HEAD
    + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "Content-Length twice, the same": HEAD + b"Content-Length: 5\r\n" * 2 + b"\r\nhello",
    "Content-Length twice, different": HEAD
    + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "Content-Length twice, spelt differently": HEAD
    + b"Content-Length: 5\r\ncontent-length: 5\r\n\r\nhello",
    "Content-Length as a list": HEAD + b"Content-Length: 5, 5\r\n\r\nhello",
    "Content-Length with plus": HEAD + b"Content-Length: +5\r\n\r\nhello",
    "Content-Length with minus": HEAD + b"Content-Length: -5\r\n\r\nhello",
    "Content-Length with underscore": HEAD + b"Content-Length: 0_5\r\n\r\nhello",
    "Content-Length in hexadecimal": HEAD + b"Content-Length: 0x5\r\n\r\nhello",
    "Content-Length empty": HEAD + b"Content-Length:\r\n\r\n",
    "Content-Length with a space inside": HEAD + b"Content-Length: 1 0\r\n\r\nhellohello",
    "Content-Length beyond 64 bits": HEAD + b"Content-Length: 18446744073709551616\r\n\r\n",
    "Content-Length in other digits": HEAD + b"Content-Length: \xd9\xa5\r\n\r\nhello",
    "Content_Length": HEAD + b"Content_Length: 5\r\n\r\n" + SMUGGLED,
    "Transfer_Encoding": HEAD + b"Transfer_Encoding: chunked\r\n\r\n" + SMUGGLED,
    "Transfer-Encoding as a list": HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding chunked twice": HEAD
    + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding in two headers": HEAD
    + b"Transfer-Encoding: chunked\r\n" * 2
    + b"\r\n0\r\n\r\n",
    "Transfer-Encoding identity": HEAD + b"Transfer-Encoding: identity\r\n\r\n",
    "Transfer-Encoding xchunked": HEAD + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding quoted": HEAD + b'Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n',
    "Transfer-Encoding with a parameter": HEAD
    + b"Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding with vertical tab": HEAD
    + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding empty": HEAD + b"Transfer-Encoding:\r\n\r\n" + SMUGGLED,
    "Transfer-Encoding behind an upgrade": HEAD
    + b"Connection: Upgrade\r\nUpgrade: h2c\r\nTransfer-Encoding: identity\r\n\r\n"
    + SMUGGLED,
    "Transfer-Encoding on HTTP/1.0": b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"0\r\n\r\n",
    "a folded header": HEAD + b"A: b\r\n c\r\n\r\n",
    "a folded header by tab": HEAD + b"A: b\r\n\tc\r\n\r\n",
    "a folded first header": b"GET / HTTP/1.1\r\n Host: a\r\n\r\n",
    "bare LF behind the request line": b"GET / HTTP/1.1\nHost: a\r\n\r\n",
    "bare LF behind a header": HEAD + b"A: b\nB: c\r\n\r\n",
    "bare LF everywhere": b"GET / HTTP/1.1\nHost: a\n\n",
    "bare LF before the end": HEAD + b"A: b\r\n\n",
    "bare LF before the request": b"\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "bare CR in a header": HEAD + b"A: b\rc\r\n\r\n",
    "bare CR before the request": b"\rGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "CR CR LF": HEAD + b"A: b\r\r\n\r\n",
    "NUL in a value": HEAD + b"A: b\0c\r\n\r\n",
    "NUL in a name": HEAD + b"A\0: b\r\n\r\n",
    "NUL in the target": b"GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n",
    "a control character in a value": HEAD + b"A: b\x01\r\n\r\n",
    "space before the colon": HEAD + b"A : b\r\n\r\n",
    "tab before the colon": HEAD + b"Content-Length\t: 5\r\n\r\nhello",
    "no colon": HEAD + b"nonsense\r\n\r\n",
    "no name": HEAD + b": b\r\n\r\n",
    "a name in brackets": HEAD + b"(a): b\r\n\r\n",
    "a name beyond ASCII": HEAD + b"caf\xe9: b\r\n\r\n",
    "a method in lower case": b"get / HTTP/1.1\r\nHost: a\r\n\r\n",
    "a method with a bracket": b"GE(T / HTTP/1.1\r\nHost: a\r\n\r\n",
    "a space before the method": b" GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "two spaces before the target": b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
    "two spaces before the version": b"GET /  HTTP/1.1\r\nHost: a\r\n\r\n",
    "a tab in the request line": b"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "a space behind the version": b"GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
    "a space in the target": b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
    "no version": b"GET /\r\n\r\n",
    "HTTP/0.9 by name": b"GET / HTTP/0.9\r\nHost: a\r\n\r\n",
    "HTTP/1.2": b"GET / HTTP/1.2\r\nHost: a\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "http in lower case": b"GET / http/1.1\r\nHost: a\r\n\r\n",
    "another protocol": b"GET / RTSP/1.0\r\nHost: a\r\n\r\n",
    "a TLS greeting": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
}

PATHS = {
    "no Host": b"GET / HTTP/1.1\r\n\r\n",
    "Host twice": b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
    "Host twice on HTTP/1.0": b"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n",
    "an empty Host": b"GET / HTTP/1.1\r\nHost:\r\n\r\n",
    "a Host with a path": b"GET / HTTP/1.1\r\nHost: a/v1?x=\r\n\r\n",
    "a Host with a user": b"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n",
    "a Host list": b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
    "a Host with a bad port": b"GET / HTTP/1.1\r\nHost: a:80x\r\n\r\n",
    "an open bracket in Host": b"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n",
    "Authorization twice": HEAD + b"Authorization: a\r\nAuthorization: b\r\n\r\n",
    **{
        f"target {target.decode('latin-1')}": b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n" % target
        for target in (
            b"//v1/x",
            b"/v1/../admin",
            b"/v1/..",
            b"/./v1",
            b"/v1/.",
            b"/v1/%2e%2e/admin",
            b"/v1/.%2E/admin",
            b"/v1/%2e",
            b"/v1/..%2fadmin",
            b"/v1/a%2f..%2f..",
            b"/v1/..%5cadmin",
            b"/v1\\x",
            b"/v1%5cx",
            b"/v1/%00",
            b"/v1/%zz",
            b"/v1/%2",
            b"/v1#part",
            b"/v1?x#part",
            b'/v1"',
            b"/v1<x>",
            b"/v1/\xc3\xa9",
            b"/v1?x=\xff",
            b"/v1{x}",
            b"v1/x",
            b"?x",
            b"*",
            b"ftp://a/x",
            b"http:///x",
            b"http://u:p@a/x",
            b"http://a//x",
            b"http://a/../x",
        )
    },
}

BROKEN_BODIES = {
    "0x before the size": b"0x5\r\nhello" + END,
    "a plus before the size": b"+5\r\nhello" + END,
    "a minus before the size": b"-5\r\nhello" + END,
    "an underscore in the size": b"0_5\r\nhello" + END,
    "a space behind the size": b"5 \r\nhello" + END,
    "a space before the size": b" 5\r\nhello" + END,
    "a space before the extension": b"5 ;a=b\r\nhello" + END,
    "no size": b"\r\nhello" + END,
    "an extension without a size": b";a=b\r\nhello" + END,
    "a size beyond 64 bits": b"10000000000000005\r\nhello" + END,
    "very many zeros": b"0" * 2000 + b"5\r\nhello" + END,
    "bare LF behind the size": b"5\nhello" + END,
    "bare CR behind the size": b"5\rhello" + END,
    "bare LF in an extension": b"5;a\nhello" + END,
    "bare CR in an extension": b"5;a\rb\r\nhello" + END,
    "an extension without a name": b"5;=b\r\nhello" + END,
    "an extension that is no token": b"5;a(b\r\nhello" + END,
    "an open quote in an extension": b'5;a="b\r\nhello' + END,
    "NUL in an extension": b"5;a=\0\r\nhello" + END,
    "bare LF behind the data": b"5\r\nhello\n0\r\n\r\n",
    "bare CR behind the data": b"5\r\nhello\r0\r\n\r\n",
    "data longer than its size": b"5\r\nhelloX\r\n0\r\n\r\n",
    "data shorter than its size": b"7\r\nhello\r\n0\r\n\r\n",
    "bare LF behind the last chunk": b"0\n\n",
    "bare LF at the end": b"0\r\n\n",
    "a trailer with a space before the colon": b"0\r\nA : b\r\n\r\n",
    "a trailer without a colon": b"0\r\nnonsense\r\n\r\n",
    "a folded trailer": b"0\r\nA: b\r\n c\r\n\r\n",
    "NUL in a trailer": b"0\r\nA: \0\r\n\r\n",
    "Content-Length as a trailer": b"0\r\nContent-Length: 5\r\n\r\n",
    "endless extensions": b"1;" + b"a" * 4000 + b"\r\nx" + END,
    "too many extensions": b"1;aaaaaaaaaaaaaaaa\r\nx\r\n" * 2000 + b"0\r\n\r\n",
    "too many trailers": b"0\r\n" + b"A: aaaaaaaaaaaaaaaaaaaaaaaaa\r\n" * 2000 + b"\r\n",
}


async def answer(running: Running, sent: bytes, *, piecewise: bool) -> bytes:
    """Return the status line that `sent` gets."""
    reader, writer = await running.connect()
    async with asyncio.timeout(PATIENCE):
        if piecewise:
            for at in range(len(sent)):
                writer.write(sent[at : at + 1])
                await asyncio.sleep(0)
        else:
            writer.write(sent)
        status = await reader.readline()
        assert b"connection: close\r\n" in await reader.read(), "to the end"
    writer.close()
    return status


@pytest.mark.parametrize("piecewise", [False, True], ids=["whole", "by bytes"])
@pytest.mark.parametrize("sent", (AMBIGUOUS | PATHS).values(), ids=(AMBIGUOUS | PATHS).keys())
async def test_an_ambiguous_request_is_refused(
    house: House, sent: bytes, *, piecewise: bool
) -> None:
    running = await house.open()
    status = await answer(running, sent, piecewise=piecewise)
    assert status == b"HTTP/1.1 400 Bad Request\r\n"
    assert running.guest.requests == []


@pytest.mark.parametrize("piecewise", [False, True], ids=["whole", "by bytes"])
@pytest.mark.parametrize("body", BROKEN_BODIES.values(), ids=BROKEN_BODIES.keys())
async def test_a_broken_chunked_body_never_ends(
    house: House, body: bytes, *, piecewise: bool
) -> None:
    running = await house.open()
    sent = CHUNKED + body + SMUGGLED
    status = await answer(running, sent, piecewise=piecewise and len(body) < 1000)
    assert status == b"HTTP/1.1 400 Bad Request\r\n"
    (request,) = running.guest.requests
    assert not request.complete


LARGE = {
    "a target beyond its limit": (b"GET /" + b"a" * 200 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
    "an endless target": (b"GET /" + b"a" * 100_000, 414),
    "an endless method": (b"G" * 100_000, 414),
    "a header beyond the head's limit": (HEAD + b"A: " + b"b" * 2000 + b"\r\n\r\n", 431),
    "an endless header": (HEAD + b"A: " + b"b" * 100_000, 431),
    "too many headers": (HEAD + b"A: b\r\n" * 50 + b"\r\n", 431),
    "endless headers": (HEAD + b"A: b\r\n" * 20_000, 431),
    "CONNECT": (b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 405),
    "TRACE": (b"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 405),
    "an unknown method": (b"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 405),
    "a length beyond the body's limit": (HEAD + b"Content-Length: 1001\r\n\r\n", 413),
    "a body beyond its limit": (CHUNKED + b"3e9\r\n" + b"a" * 1001 + END, 413),
    "endless chunks": (CHUNKED + b"64\r\n" + (b"a" * 100 + b"\r\n64\r\n") * 1000, 413),
}


@pytest.mark.parametrize(("sent", "status"), LARGE.values(), ids=LARGE.keys())
async def test_too_much_is_refused_early(house: House, sent: bytes, status: int) -> None:
    async def bounded(request: Request, reply: Reply) -> None:
        await request.read(1000)
        reply.send(200, [], b"")

    limits = Limits(head_bytes=1024, target_bytes=128, header_count=40)
    running = await house.open(bounded, limits=limits)
    reader, writer = await running.connect()
    writer.write(sent)
    async with asyncio.timeout(PATIENCE):
        line = await reader.readline()
    assert line.startswith(b"HTTP/1.1 %d " % status)
    writer.close()


async def test_what_is_refused_is_told_to_the_service(house: House) -> None:
    running = await house.open()
    reader, writer = await running.connect()
    writer.write(b"HEAD /a?b HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n")
    await reader.read()
    writer.close()
    (refused,) = running.guest.refused
    assert (refused.status, refused.method, refused.target) == (400, "HEAD", b"/a?b")


async def test_a_method_that_is_not_served_is_told_which_are(house: House) -> None:
    running = await house.open()
    reader, writer = await running.connect()
    writer.write(b"BREW / HTTP/1.1\r\nHost: a\r\n\r\n")
    reply = await reader.read()
    writer.close()
    assert reply.startswith(b"HTTP/1.1 405 ")
    assert b"\r\nallow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n" in reply
