import pytest

from proxy.http import Reply, Request, render
from tests.http.house import NO_FIELDS, House
from tests.support.dialogue import talk

DIALOGUES = {
    "a request and its reply, then another one": """
        >> GET /a HTTP/1.1
        >> Host: a
        >>
        << HTTP/1.1 200 OK
        << content-length: 6
        <<
        <| GET /a
        >> POST /b?x=1 HTTP/1.1
        >> Host: a
        >> Content-Length: 5
        >>
        >| hello
        << HTTP/1.1 200 OK
        << content-length: 13
        <<
        <| POST /b hello
    """,
    "pipelined requests are answered in order": r"""
        >> POST /1 HTTP/1.1
        >> Host: a
        >> Content-Length: 3
        >>
        >| one
        >> POST /2 HTTP/1.1
        >> Host: a
        >> Transfer-Encoding: chunked
        >>
        >| 3\r\ntwo\r\n0\r\n\r\n
        >> GET /3 HTTP/1.1
        >> Host: a
        >> Connection: close
        >>
        << HTTP/1.1 200 OK
        << content-length: 11
        <<
        <| POST /1 one
        << HTTP/1.1 200 OK
        << content-length: 11
        <<
        <| POST /2 two
        << HTTP/1.1 200 OK
        << content-length: 6
        << connection: close
        <<
        <| GET /3
        <.
    """,
    "a chunked body, with extensions and trailers, is taken apart": r"""
        >> POST / HTTP/1.1
        >> Host: a
        >> Transfer-Encoding: Chunked
        >>
        >| 5;name="value"\r\nhello\r\n00006\r\n world\r\n0\r\nX-Sum: 1\r\n\r\n
        << HTTP/1.1 200 OK
        << content-length: 18
        <<
        <| POST / hello world
    """,
    "a HEAD reply has the length and no body": """
        >> HEAD /a HTTP/1.1
        >> Host: a
        >>
        << HTTP/1.1 200 OK
        << content-length: 7
        <<
        >> GET /a HTTP/1.1
        >> Host: a
        >>
        << HTTP/1.1 200 OK
    """,
    "HTTP/1.0 closes unless it is asked to stay": """
        >> GET /a HTTP/1.0
        >> Connection: keep-alive
        >>
        << HTTP/1.1 200 OK
        << content-length: 6
        << connection: keep-alive
        <<
        <| GET /a
        >> GET /b HTTP/1.0
        >>
        << HTTP/1.1 200 OK
        << content-length: 6
        << connection: close
        <<
        <| GET /b
        <.
    """,
    "one of several Connection headers says close": """
        >> GET /a HTTP/1.1
        >> Host: a
        >> Connection: x-mine
        >> Connection: Close
        >>
        << HTTP/1.1 200 OK
        << content-length: 6
        << connection: close
        <<
        <| GET /a
        <.
    """,
    "an upgrade to h2c is passed over, body and all": """
        >> POST /a HTTP/1.1
        >> Host: a
        >> Connection: Upgrade, HTTP2-Settings
        >> Upgrade: h2c
        >> HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA
        >> Content-Length: 2
        >>
        >| hi
        << HTTP/1.1 200 OK
        << content-length: 10
        <<
        <| POST /a hi
        >> GET /b HTTP/1.1
        >> Host: a
        >>
        << HTTP/1.1 200 OK
    """,
    "a WebSocket is refused": """
        >> GET /a HTTP/1.1
        >> Host: a
        >> Connection: Upgrade
        >> Upgrade: websocket
        >>
        << HTTP/1.1 501 Not Implemented
        << content-length: 0
        << connection: close
        <<
        <.
    """,
    "an absolute target has its path taken out": """
        >> GET http://other:80/v1/x?y=z HTTP/1.1
        >> Host: a
        >>
        << HTTP/1.1 200 OK
        << content-length: 9
        <<
        <| GET /v1/x
    """,
    "OPTIONS may ask about the server itself": """
        >> OPTIONS * HTTP/1.1
        >> Host: a
        >>
        << HTTP/1.1 200 OK
        << content-length: 9
        <<
        <| OPTIONS *
    """,
    "blank lines before a request are passed over": r"""
        >| \r\n\r\n
        >> GET /a HTTP/1.1
        >> Host: a
        >>
        << HTTP/1.1 200 OK
    """,
    "100 Continue goes out once the body is wanted": """
        >> POST /a HTTP/1.1
        >> Host: a
        >> Content-Length: 2
        >> Expect: 100-continue
        >>
        << HTTP/1.1 100 Continue
        <<
        >| hi
        << HTTP/1.1 200 OK
        << content-length: 10
        <<
        <| POST /a hi
    """,
    "100 Continue is not sent where the body came along": """
        >> POST /a HTTP/1.1
        >> Host: a
        >> Content-Length: 2
        >> Expect: 100-continue
        >>
        >| hi
        << HTTP/1.1 200 OK
    """,
    "HTTP/1.0 clients know nothing of Expect": """
        >> POST /a HTTP/1.0
        >> Content-Length: 2
        >> Expect: 100-continue
        >>
        >| hi
        << HTTP/1.1 200 OK
    """,
    "another expectation can't be met": """
        >> POST /a HTTP/1.1
        >> Host: a
        >> Content-Length: 2
        >> Expect: tea
        >>
        << HTTP/1.1 417 Expectation Failed
        << content-length: 0
        << connection: close
        <<
        <.
    """,
}


@pytest.mark.parametrize("text", DIALOGUES.values(), ids=DIALOGUES.keys())
async def test_the_edge_and_its_client(house: House, text: str) -> None:
    running = await house.open()
    await talk(running.port, text)


async def test_an_unread_body_ends_the_connection_after_the_reply(house: House) -> None:
    async def deaf(request: Request, reply: Reply) -> None:
        reply.send(404, [], b"no")

    running = await house.open(deaf)
    await talk(
        running.port,
        """
        >> POST /a HTTP/1.1
        >> Host: a
        >> Content-Length: 100000
        >>
        >| some of it
        << HTTP/1.1 404 Not Found
        << content-length: 2
        << connection: close
        <<
        <| no
        <.
        >| and more, which is thrown away
        """,
    )


async def test_an_expectation_whose_body_is_not_wanted_gets_the_answer(house: House) -> None:
    async def deaf(request: Request, reply: Reply) -> None:
        reply.send(401, [], b"")

    running = await house.open(deaf)
    await talk(
        running.port,
        """
        >> POST /a HTTP/1.1
        >> Host: a
        >> Content-Length: 100000
        >> Expect: 100-continue
        >>
        << HTTP/1.1 401 Unauthorized
        << content-length: 0
        << connection: close
        <<
        <.
        """,
    )


async def test_a_streamed_reply_is_chunked(house: House) -> None:
    async def stream(request: Request, reply: Reply) -> None:
        reply.start(200, b"Fine", render([(b"X-A", b"b")]), length=None)
        reply.write(b"hello")
        reply.write(b"")
        reply.write(b" world, good morning")
        reply.finish()

    running = await house.open(stream)
    await talk(
        running.port,
        r"""
        >> GET /a HTTP/1.1
        >> Host: a
        >>
        << HTTP/1.1 200 Fine
        << X-A: b
        << transfer-encoding: chunked
        <<
        <| 5\r\nhello\r\n14\r\n world, good morning\r\n0\r\n\r\n
        >> GET /a HTTP/1.0
        >> Connection: keep-alive
        >>
        << HTTP/1.1 200 Fine
        << X-A: b
        << connection: close
        <<
        <| hello world, good morning
        <.
        """,
    )


async def test_a_streamed_reply_of_known_length_stays_as_it_is(house: House) -> None:
    async def stream(request: Request, reply: Reply) -> None:
        reply.start(200, b"", NO_FIELDS, length=10)
        reply.write(b"hello")
        reply.write(b"world")
        reply.finish()

    running = await house.open(stream)
    await talk(
        running.port,
        """
        >> GET /a HTTP/1.1
        >> Host: a
        >>
        << HTTP/1.1 200 OK
        << content-length: 10
        <<
        <| helloworld
        >> HEAD /a HTTP/1.1
        >> Host: a
        >>
        << HTTP/1.1 200 OK
        << content-length: 10
        <<
        >> GET /a HTTP/1.0
        >>
        << HTTP/1.1 200 OK
        << content-length: 10
        << connection: close
        <<
        <| helloworld
        <.
        """,
    )


@pytest.mark.parametrize("status", [204, 304])
async def test_replies_without_a_body_have_none(house: House, status: int) -> None:
    async def bare(request: Request, reply: Reply) -> None:
        if request.path == "/sent":
            reply.send(status, [], b"")
        else:
            reply.start(status, b"", NO_FIELDS, length=None)
            reply.write(b"never")
            reply.finish()

    running = await house.open(bare)
    reader, writer = await running.connect()
    for path in (b"/started", b"/sent", b"/started"):
        writer.write(b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n" % path)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 %d " % status)
        assert b"chunked" not in head
    writer.close()
