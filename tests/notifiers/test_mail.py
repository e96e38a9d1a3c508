"""Mails, sent to a real SMTP server."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest

from proxy.alerting import State
from proxy.config.settings import Email, MailSecurity
from proxy.notifiers import mail as module
from proxy.notifiers.delivery import Trouble
from proxy.notifiers.mail import MailCarrier
from tests.support.certificates import Certificates, make_certificates
from tests.support.mail_server import PASSWORD, USER, mail_server
from tests.support.noticed import NOW, slow, window


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("mail"))


def carrier(port: int, *, ca: str | None = None, **changes: Any) -> MailCarrier:
    settings: dict[str, Any] = {
        "server": "127.0.0.1",
        "port": port,
        "security": "none",
        "sender": "turnout@example.com",
        "to": ("oncall@example.com", "lead@example.com"),
    }
    return MailCarrier(
        Email(**(settings | changes)),
        host="gpu-7",
        wall=lambda: NOW,
        context=partial(ssl.create_default_context, cafile=ca),
    )


async def trouble(mails: MailCarrier) -> Trouble:
    with pytest.raises(Trouble) as caught:
        await mails.tell(slow())
    return caught.value


async def test_a_mail_says_what_fires_where_and_since_when() -> None:
    async with mail_server() as server:
        await carrier(server.port).tell(window())
    (mail,) = server.mails
    assert mail["subject"] == "[turnout] Firing: error_rate on support"
    assert mail["from"] == "turnout <turnout@example.com>"
    assert mail["to"] == "oncall@example.com, lead@example.com"
    assert server.recipients == [["oncall@example.com", "lead@example.com"]]
    assert mail["date"].datetime.timestamp() == NOW
    assert mail["auto-submitted"] == "auto-generated"
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content().splitlines() == [
        "7.5 % of the requests to support failed within 5 minutes",
        "",
        "Value:     7.5 percent",
        "Threshold: 5 percent",
        "Requests:  240",
        "Where:     support",
        "Since:     2026-11-18 11:04:40 UTC",
        "Latest:    2026-11-18 11:06:40 UTC",
        "Examples:  req-7, req-8",
        "Runbook:   docs/runbooks/error_rate.md",
        "Host:      gpu-7",
    ]


async def test_what_is_told_of_one_thing_is_one_conversation() -> None:
    async with mail_server() as server:
        mails = carrier(server.port)
        await mails.tell(window())
        await mails.tell(window(State.RESOLVED))
        await mails.tell(slow())
    first, second, other = server.mails
    assert first["references"] == second["references"] != other["references"]
    assert len({mail["message-id"] for mail in server.mails}) == 3
    assert second["subject"] == "[turnout] Resolved: error_rate on support"


async def test_what_was_asked_or_answered_gets_into_no_header() -> None:
    """Names come from the file and are clean; ids may come from clients, words from anywhere."""
    evil = "x\r\nBcc: evil@example.com\r\n\r\nhello \u2028 there"
    notice = window(sentence=evil, request_ids=(evil,), about=evil, id=evil)
    async with mail_server() as server:
        await carrier(server.port).tell(notice)
    (mail,) = server.mails
    assert set(mail.keys()) >= {"Subject", "From", "To", "Date", "Message-ID", "MIME-Version"}
    assert mail["bcc"] is None
    assert server.recipients == [["oncall@example.com", "lead@example.com"]]
    assert "evil@example.com" in mail.get_content(), "it is in the text, where it does no harm"


async def test_words_in_any_script_arrive() -> None:
    async with mail_server() as server:
        await carrier(server.port).tell(window(sentence="turnout: Grüße, 你好 🙂"))
    (mail,) = server.mails
    assert mail.get_content().splitlines()[0] == "Grüße, 你好 🙂"
    assert mail.get_content_charset() == "utf-8"


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_password_goes_encrypted(
    security: MailSecurity, certificates: Certificates
) -> None:
    tls = certificates.server_context()
    async with mail_server(tls, at_once=security == "tls", accounts=True) as server:
        mails = carrier(
            server.port,
            ca=certificates.ca_file,
            security=security,
            user=USER,
            password=PASSWORD,
        )
        await mails.tell(slow())
    assert (len(server.mails), server.encrypted, server.users) == (1, [True], [USER])


async def test_a_wrong_password_is_final_and_is_not_repeated(certificates: Certificates) -> None:
    async with mail_server(certificates.server_context(), accounts=True) as server:
        mails = carrier(
            server.port,
            ca=certificates.ca_file,
            security="starttls",
            user=USER,
            password="canary",
        )
        found = await trouble(mails)
    assert (found.reason, found.final) == ("SMTPAuthenticationError 535", True)


async def test_a_server_that_nobody_vouches_for_is_told_nothing(
    certificates: Certificates,
) -> None:
    async with mail_server(certificates.server_context()) as server:
        found = await trouble(carrier(server.port, security="starttls"))
    assert (found.reason, found.final) == ("SSLCertVerificationError", False)
    assert server.mails == []


async def test_a_server_without_starttls_is_told_nothing() -> None:
    async with mail_server() as server:
        found = await trouble(carrier(server.port, security="starttls"))
    assert found.final
    assert "STARTTLS" in found.reason
    assert server.mails == []


@pytest.mark.parametrize(
    ("answer", "final"), [("451 4.3.0 try later", False), ("554 5.7.1 spam", True)]
)
async def test_a_refusal_is_for_now_or_for_good(answer: str, final: bool) -> None:  # noqa: FBT001
    async with mail_server() as server:
        server.answers = [answer]
        found = await trouble(carrier(server.port))
    assert (found.reason, found.final) == (f"SMTPDataError {answer[:3]}", final)


async def test_one_unknown_recipient_keeps_it_from_no_other(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with mail_server() as server:
        server.unknown = {"lead@example.com"}
        await carrier(server.port).tell(slow())
        server.unknown.add("oncall@example.com")
        found = await trouble(carrier(server.port))
    assert server.recipients == [["oncall@example.com"]]
    assert "mail refused for some" in capsys.readouterr().out
    assert (found.reason, found.final) == ("SMTPRecipientsRefused 550", True)


async def test_where_nobody_listens_nobody_has_taken_it() -> None:
    async with mail_server() as server:
        port = server.port
    found = await trouble(carrier(port))
    assert (found.reason, found.final, found.unsure) == ("ConnectionRefusedError", False, False)


@asynccontextmanager
async def silent() -> AsyncIterator[int]:
    """Run a server that says nothing; its port. Once nobody is connected any more, it ends."""
    gone = asyncio.Event()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        gone.set()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    async with asyncio.timeout(10), server:
        yield server.sockets[0].getsockname()[1]
        await gone.wait()


async def test_a_server_that_says_nothing_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TIMEOUT", 0.05)
    async with silent() as port:
        found = await trouble(carrier(port))
    assert (found.reason, found.final) == ("SMTPServerDisconnected", False)


async def test_who_gives_up_leaves_the_thread_to_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TIMEOUT", 0.2)
    async with silent() as port:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await carrier(port).tell(slow())
