"""Mail: notices as plain text, through an SMTP server.

smtplib blocks, so each mail is sent on a thread of its own, which nobody waits for once its time
is up. No reason here repeats what the server said: it may quote an address or a password.
"""

import asyncio
import re
import smtplib
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import Future
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import TypeVar
from zlib import crc32

import structlog

from proxy.alerting.notice import Notice
from proxy.config.settings import Email
from proxy.notifiers.delivery import Trouble
from proxy.notifiers.payload import moment
from proxy.notifiers.wording import figures, moments, place, plain, title

Result = TypeVar("Result")

TIMEOUT = 10.0  # seconds for each step of the dialogue
SUBJECT_CHARS = 150


class MailCarrier:
    """Mails by `settings`; `wall` is seconds since the epoch. `context`: whom TLS trusts."""

    refresh_seconds = None

    def __init__(
        self,
        settings: Email,
        *,
        host: str,
        wall: Callable[[], float],
        context: Callable[[], ssl.SSLContext] = ssl.create_default_context,
    ) -> None:
        self.where = settings.server
        self._settings = settings
        self._host = host
        self._wall = wall
        self._context = context

    async def tell(self, notice: Notice) -> None:
        """Have it taken. Trouble: it was not."""
        mail = written(notice, self._settings, self._host, self._wall())
        refused = await on_a_thread(lambda: self._send(mail))
        if refused:
            structlog.get_logger().warning("mail refused for some", refused=refused)

    def _send(self, mail: EmailMessage) -> int:
        """Send a mail, and return for how many it was refused. Trouble: for all. It blocks."""
        begun = False
        try:
            with self._dial() as server:
                if self._settings.security == "starttls":
                    server.starttls(context=self._context())
                if self._settings.user is not None:
                    server.login(self._settings.user, self._settings.password or "")
                begun = True
                return len(server.send_message(mail))
        except smtplib.SMTPException as failure:
            raise refusal(failure, begun=begun) from None
        except OSError as failure:  # TLS' errors are some
            raise Trouble(type(failure).__name__, unsure=begun) from None

    def _dial(self) -> smtplib.SMTP:
        place = (self._settings.server, self._settings.port)
        if self._settings.security == "tls":
            return smtplib.SMTP_SSL(*place, timeout=TIMEOUT, context=self._context())
        return smtplib.SMTP(*place, timeout=TIMEOUT)


async def on_a_thread(work: Callable[[], Result]) -> Result:
    """Return what blocking work does; who is cancelled leaves it to itself.

    The thread is a daemon, for one of an executor would keep the process from ending.
    """
    outcome: Future[Result] = Future()

    def run() -> None:
        try:
            outcome.set_result(work())
        except Exception as error:  # noqa: BLE001  # the thread's edge: who waits raises it
            outcome.set_exception(error)

    outcome.set_running_or_notify_cancel()  # from now on, nobody's leaving takes it away
    threading.Thread(target=run, name="mail", daemon=True).start()
    return await asyncio.wrap_future(outcome)


def refusal(failure: smtplib.SMTPException, *, begun: bool) -> Trouble:
    """Return what the server's answer means: by RFC 5321, 4xx is for now and 5xx for good."""
    match failure:
        case smtplib.SMTPRecipientsRefused():
            codes = [code for code, _ in failure.recipients.values()]
        case smtplib.SMTPResponseException():
            codes = [failure.smtp_code]
        case smtplib.SMTPNotSupportedError():
            return Trouble("the server offers no STARTTLS or no log-in", final=True)
        case _:  # it hung up
            return Trouble(type(failure).__name__, unsure=begun)
    reason = f"{type(failure).__name__} {', '.join(map(str, sorted(set(codes))))}"
    return Trouble(reason, final=all(code >= 500 for code in codes))


def written(notice: Notice, settings: Email, host: str, now: float) -> EmailMessage:
    """Return the mail; all that is told of one thing is one conversation."""
    mail = EmailMessage(policy=SMTP)
    domain = settings.sender.rpartition("@")[2]
    mail["Subject"] = line(f"[turnout] {title(notice)}")[:SUBJECT_CHARS]
    mail["From"] = Address("turnout", addr_spec=settings.sender)
    mail["To"] = [Address(addr_spec=each) for each in settings.to]
    mail["Date"] = format_datetime(moment(now))
    mail["Message-ID"] = f"<{re.sub('[^A-Za-z0-9.-]', '-', notice.id)}.turnout@{domain}>"
    mail["References"] = f"<{crc32(notice.key.encode()):08x}.turnout@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence note is wanted
    mail.set_content(text(notice, host), charset="utf-8")
    return mail


def text(notice: Notice, host: str) -> str:
    """Return what the mail says."""
    facts = [
        *figures(notice),
        ("Where", place(notice)),
        *((name, f"{moment(at):%Y-%m-%d %H:%M:%S} UTC") for name, at in moments(notice)),
        ("Examples", ", ".join(notice.request_ids)),
        ("Runbook", notice.runbook),
        ("Host", host),
    ]
    told = [f"{name + ':':<11}{value}" for name, value in facts if value]
    return "\n".join([plain(notice), "", *told, ""])


def line(said: str) -> str:
    """Return text that fits on a header's line: what could end it is taken out."""
    return " ".join("".join(each if each.isprintable() else " " for each in said).split())
