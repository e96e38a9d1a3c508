r"""Dialogues over a real socket: what the client says and what it hears, line by line.

await talk(port, '''
    >> GET /v1/models HTTP/1.1          a line, CRLF added
    >> Host: a
    >>
    << HTTP/1.1 200 OK                  a line that must come; Date headers are passed over
    << content-length: 2
    <<
    <| ok                               bytes that must come, without CRLF
    >| \x00raw                          bytes as they are, with Python's escapes
    >.                                  the client closes its half
    <.                                  the server must close its half
''')
"""

import asyncio
from textwrap import dedent

PATIENCE = 10.0  # seconds a test waits for what must come


async def talk(port: int, text: str) -> None:
    """Play a dialogue on a connection of its own, and check every line of it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(PATIENCE):
            await play(reader, writer, text)
    finally:
        writer.close()


async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, text: str) -> None:
    """Play a dialogue on an open connection."""
    saying = b""
    for line in [*dedent(text).strip().splitlines(), ""]:
        mark, said = line[:2], line[3:]
        if mark == ">>":
            saying += said.encode("latin-1") + b"\r\n"
        elif mark == ">|":
            saying += raw(said)
        else:
            writer.write(saying)
            saying = b""
            if mark == ">.":
                writer.write_eof()
            elif mark:
                await hear(reader, mark, said)


async def hear(reader: asyncio.StreamReader, mark: str, expected: str) -> None:
    """Check that the next thing heard is what was expected."""
    if mark == "<.":
        assert await reader.read() == b""
    elif mark == "<|":
        wanted = raw(expected)
        assert await exactly(reader, len(wanted)) == wanted
    elif mark == "<<":
        heard = await reader.readline()
        while heard.startswith(b"date: "):
            heard = await reader.readline()
        assert heard == expected.encode("latin-1") + b"\r\n"
    else:
        raise ValueError(f"no such mark: {mark}")


async def exactly(reader: asyncio.StreamReader, size: int) -> bytes:
    """Return `size` bytes, or as many as come before the end."""
    try:
        return await reader.readexactly(size)
    except asyncio.IncompleteReadError as cut:
        return cut.partial


def raw(text: str) -> bytes:
    """Return bytes written with Python's escapes."""
    return text.encode("latin-1").decode("unicode_escape").encode("latin-1")
