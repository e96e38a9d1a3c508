"""The kinds of value that only notifiers have: their addresses, mail addresses, what signs.

As in `fields`, no reason or remedy repeats a value: it may be a secret.
"""

import base64
import binascii
import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from proxy.config import fields
from proxy.config.fields import split_url, wrong

HOOK = "https://hooks.example.com/alerts"  # examples
ALERTMANAGER = "http://alertmanager:9093"
RUNBOOKS = "https://example.com/runbooks"
LETTERS = 16  # that a secret to sign with has at least
ENCODED = "whsec_"  # what a secret in base64 begins with (Standard Webhooks 1.0)
MAIL = r"[^\s@<>,;:\"()\[\]\\]+@[A-Za-z0-9.-]+"
HOST = r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]+"


def _hook(value: str) -> str:
    if split_url(value, HOOK).fragment:
        raise wrong("has a fragment", "remove what follows the #")
    return value


def _place(like: str) -> AfterValidator:
    def check(value: str) -> str:
        parts = split_url(value, like)
        if parts.query or parts.fragment:
            raise wrong("has a query or fragment", f"write it like {like}")
        return value.rstrip("/")

    return AfterValidator(check)


def _alertmanager(value: str) -> str:
    if re.search(r"/api/v\d(/alerts)?$", value):
        raise wrong("ends in a path of the API", "end it before /api: turnout adds that")
    return value


def _signing(value: str) -> str:
    remedy = f'make one with: echo "{ENCODED}$(openssl rand -base64 32)"'
    if len(value) < LETTERS:
        raise wrong(f"has fewer than {LETTERS} characters, so it could be guessed", remedy)
    try:
        if value.startswith(ENCODED):
            base64.b64decode(value.removeprefix(ENCODED), validate=True)
    except binascii.Error:
        raise wrong(f"begins with {ENCODED} and goes on with what is no base64", remedy) from None
    return value


def _credential(value: str) -> str:
    if not value.isascii():
        raise wrong("has a character that SMTP takes in no password", "have it changed to ASCII")
    return value


def _mail(value: str) -> str:
    if re.fullmatch(MAIL, value) is None or len(value) > 254:
        raise wrong("is no mail address", "write it like oncall@example.com, without a name")
    return value


def _server(value: str) -> str:
    if re.fullmatch(HOST, value) is None:
        raise wrong(
            "is no name or address of a mail server",
            "write it like smtp.example.com, and its port under 'port'",
        )
    return value


def _several(value: object) -> object:
    return [value] if isinstance(value, str) else value


URL = WithJsonSchema({"type": "string", "pattern": "^https?://"})
HookUrl = Annotated[str, AfterValidator(_hook), URL]
Alertmanager = Annotated[str, _place(ALERTMANAGER), AfterValidator(_alertmanager), URL]
Runbooks = Annotated[str, _place(RUNBOOKS), URL]
Signing = Annotated[fields.Secret, AfterValidator(_signing)]
Credential = Annotated[fields.Text, AfterValidator(_credential)]
Port = Annotated[int, Field(ge=1, le=65535), fields.WHOLE]
Server = Annotated[
    str,
    AfterValidator(_server),
    WithJsonSchema({"type": "string", "minLength": 1, "examples": ["smtp.example.com"]}),
]
Mail = Annotated[
    str,
    AfterValidator(_mail),
    WithJsonSchema({"type": "string", "pattern": "@", "examples": ["oncall@example.com"]}),
]
Mails = Annotated[
    list[Mail],
    Field(min_length=1, max_length=50),
    BeforeValidator(_several, json_schema_input_type=list[Mail] | Mail),
]
