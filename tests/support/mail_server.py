"""A real SMTP server (aiosmtpd) in the test's own loop: it keeps the mails that it takes."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER, PASSWORD = "turnout", "hush-hush"


class MailServer:
    """What came, and what it answers; its handlers are named by aiosmtpd."""

    def __init__(self) -> None:
        self.port = 0
        self.mails: list[EmailMessage] = []
        self.raw: list[bytes] = []
        self.recipients: list[list[str]] = []
        self.encrypted: list[bool] = []
        self.users: list[str | None] = []
        self.answers: list[str] = []  # to the next mails; then it takes them
        self.unknown: set[str] = set()  # recipients
        self.came = asyncio.Event()

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        if address in self.unknown:
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer.startswith("250") and isinstance(envelope.content, bytes):
            self.raw.append(envelope.content)
            self.mails.append(message_from_bytes(envelope.content, EmailMessage, policy=default))
            self.recipients.append([str(each) for each in envelope.rcpt_tos])
            self.encrypted.append(encrypted(server))
            self.users.append(USER if session.authenticated else None)
        self.came.set()
        return answer


def encrypted(server: SMTP) -> bool:
    """Return whether what is said on a connection is encrypted."""
    return server.transport is not None and bool(server.transport.get_extra_info("sslcontext"))


def known(
    server: object, session: object, envelope: object, mechanism: str, data: Any
) -> AuthResult:
    """Let in who has the password."""
    good = data == LoginPassword(USER.encode(), PASSWORD.encode())
    return AuthResult(success=good, handled=False)


async def over(connection: SMTP) -> None:
    """Hang up, and wait until that is done."""
    if isinstance(connection.transport, asyncio.Transport):
        connection.transport.abort()
    if connection._handler_coroutine is not None:
        await asyncio.gather(connection._handler_coroutine, return_exceptions=True)


@asynccontextmanager
async def mail_server(
    tls: ssl.SSLContext | None = None, *, at_once: bool = False, accounts: bool = False
) -> AsyncIterator[MailServer]:
    """Run a server; with `tls` it offers STARTTLS, or speaks TLS `at_once`."""
    loop, found = asyncio.get_running_loop(), MailServer()
    connections: list[SMTP] = []

    def connected() -> SMTP:
        protocol = SMTP(
            found,
            hostname="mail.example",
            loop=loop,
            tls_context=None if at_once else tls,
            authenticator=known,
            auth_required=accounts and not at_once,  # it does not see that this is TLS
            auth_require_tls=not at_once,
        )
        connections.append(protocol)
        return protocol

    server = await loop.create_server(connected, "127.0.0.1", 0, ssl=tls if at_once else None)
    async with server:
        found.port = server.sockets[0].getsockname()[1]
        yield found
    for each in connections:
        await over(each)
