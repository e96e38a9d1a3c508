"""Slack: notices posted to a channel's incoming webhook, as Block Kit with a text for pop-ups."""

from typing import Any
from urllib.parse import quote

import httpx2
import msgspec

from proxy.alerting.notice import TEST, Notice, State
from proxy.config.settings import Slack
from proxy.notifiers.payload import moment
from proxy.notifiers.posting import host_of, post
from proxy.notifiers.wording import figures, moments, plain, title

SECTION_CHARS = 2900  # Slack refuses a text of more than 3,000 characters


class SlackCarrier:
    """Posts to `settings.url`; what it says comes from the turnout on `host`."""

    refresh_seconds = None

    def __init__(self, settings: Slack, http: httpx2.AsyncClient, *, host: str) -> None:
        self.where = host_of(settings.url)
        self._settings = settings
        self._http = http
        self._host = host

    async def tell(self, notice: Notice) -> None:
        """Have it taken. Trouble: it was not."""
        body = msgspec.json.encode(message(notice, self._host))
        await post(self._http, self._settings.url, body, {})


def message(notice: Notice, host: str) -> dict[str, Any]:
    """Return the message, as Slack takes it."""
    said = f"{sign(notice)} *{escaped(title(notice))}*\n{escaped(plain(notice))}"
    fields = [text(f"*{name}*\n{escaped(each)}") for name, each in figures(notice)]
    fields += [text(f"*{name}*\n{when(at)}") for name, at in moments(notice)]
    blocks: list[dict[str, Any]] = [{"type": "section", "text": text(said)}]
    if fields:
        blocks[0]["fields"] = fields
    context = [text(link(notice.runbook)), text(f"turnout on {escaped(host)}")]
    if notice.request_ids:
        ids = ", ".join(f"`{escaped(each)}`" for each in notice.request_ids)
        context.insert(1, text(f"Requests: {ids}"))
    blocks.append({"type": "context", "elements": context})
    return {"text": escaped(notice.sentence), "blocks": blocks}


def sign(notice: Notice) -> str:
    """Return what is seen before anything is read."""
    if notice.name == TEST:
        return ":wave:"
    return ":large_green_circle:" if notice.state is State.RESOLVED else ":red_circle:"


def text(said: str) -> dict[str, str]:
    """Return a piece of text in Slack's markup."""
    return {"type": "mrkdwn", "text": said[:SECTION_CHARS]}


def escaped(said: str) -> str:
    """Return plain text so that Slack takes none of it for markup of links and mentions."""
    return said.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def link(runbook: str) -> str:
    """Return the runbook to click on, where it is a link."""
    if not runbook.startswith(("http://", "https://")):
        return f"Runbook: {escaped(runbook)}"
    return f"<{quote(runbook, safe=':/?#[]@!$&()*+,;=%~').replace('&', '&amp;')}|Runbook>"


def when(at: float) -> str:
    """Return a moment that Slack shows in each reader's own time zone."""
    written = f"{moment(at):%Y-%m-%d %H:%M:%S} UTC"
    return f"<!date^{int(at)}^{{date_short_pretty}} {{time_secs}}|{written}>"
