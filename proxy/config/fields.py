"""The kinds of value that settings have: names, seconds, sizes, addresses, patterns.

Each is a type for the schema: it says what a person may write, and a wrong value is refused
with a reason and a remedy in plain words. None of them repeats the value: it may be a secret.
It knows no setting by name.
"""

import json
import re
import warnings
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

import regex
from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, WithJsonSchema
from pydantic_core import PydanticCustomError

NAME = r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,127}"
HOST_PORT = r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]*):[0-9]{1,5}"
SIZE = r"([0-9]+)\s*([A-Za-z]*)"
UNITS = {"": 1, "b": 1} | {
    f"{letter}{unit}": step**power
    for power, letter in enumerate("kmg", start=1)
    for unit, step in (("b", 1000), ("ib", 1024))
}
DAY = 86_400.0
DEFAULT_PORTS = {"http": 80, "https": 443}
# What the proxy writes itself, hop by hop or as its own word, RFC 9110 sections 7.6.1 and 8.6.
OURS = frozenset(
    (
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)
SECRET_HEADERS = frozenset(("authorization", "cookie", "proxy-authorization", "x-api-key"))
RESERVED_MEMBERS = {
    "model": "use the variant's own 'model'",
    "stream": "leave it to the client, who must be able to read the reply",
    "stream_options": "use the upstream's 'ask_usage'",
}


def wrong(reason: str, remedy: str) -> PydanticCustomError:
    """Return the error that check turns into a problem with this reason and remedy."""
    return PydanticCustomError("turnout", "{reason}", {"reason": reason, "remedy": remedy})


def _name(value: str) -> str:
    if re.fullmatch(NAME, value) is None:
        raise wrong(
            "is no name that can be used",
            "use up to 128 letters, digits and . _ : / @ + -, beginning with a letter or digit",
        )
    return value


def _no_bool(value: object) -> object:
    if isinstance(value, bool):
        raise wrong("must be a number", "write a number, without quotes")
    return value


def _size(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    written = re.fullmatch(SIZE, value.strip()) if isinstance(value, str) else None
    if written is None or written[2].lower() not in UNITS or len(written[1]) > 18:
        raise wrong("is no size", "write bytes as a whole number, or like 64KiB, 32MiB, 1GiB")
    return int(written[1]) * UNITS[written[2].lower()]


def _workers(value: object) -> object:
    return 0 if value == "auto" else _no_bool(value)


def _off(value: object) -> object:
    return None if value is False or value == "off" else value


def _text(value: str) -> str:
    if not value.strip():
        raise wrong("is empty", "write a value, or remove the line")
    if not value.isprintable():
        raise wrong("has a line break or control character", "write it on one line")
    return value


def _secret(value: str) -> str:
    bare = _text(value.strip())  # variables and files often end in a line break
    if not bare.isascii():
        raise wrong("has a character that no HTTP header takes", "check it for stray characters")
    return bare


def _header_name(value: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}", value) is None:
        raise wrong("is no header name", "use letters, digits and hyphens, like x-user-id")
    name = value.lower()
    if name in OURS or name.startswith("x-turnout-"):
        raise wrong("is a header that turnout writes itself", "remove it")
    return name


def _unit_header(value: str) -> str:
    name = value.lower()
    if not name.startswith("x-turnout-"):
        name = _header_name(value)
    if name in SECRET_HEADERS:
        raise wrong("is a header that carries a secret", "to stick to keys, use 'sticky: key'")
    return name


def _digest(value: str) -> str:
    if re.fullmatch(r"[0-9A-Fa-f]{64}", value) is None:
        raise wrong(
            "is no SHA-256 digest",
            'write the key\'s digest as 64 hexadecimal digits: printf %s "$KEY" | sha256sum',
        )
    return value.lower()


def _pattern(value: str) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            matches_nothing = regex.compile(value).search("") is not None  # as it will be used
    except (regex.error, Warning, OverflowError, RecursionError) as error:
        raise wrong(
            f"is no regular expression: {str(error).split(' at position')[0]}",
            "correct it; in YAML, put patterns in single quotes",
        ) from None
    if matches_nothing:
        raise wrong("matches the empty text, so it would mask everything", "use + instead of *")
    return value


def _members(value: dict[str, JsonValue]) -> dict[str, JsonValue]:
    for name, remedy in RESERVED_MEMBERS.items():
        if name in value:
            raise wrong(f"may not set '{name}'", remedy)
    try:
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except ValueError:
        raise wrong(
            "has a value that JSON can't carry", "remove numbers like .inf and broken characters"
        ) from None
    return value


def address(value: str) -> tuple[str, int]:
    """Return host and port of `HOST:PORT`, `[IPV6]:PORT` or `:PORT`, or raise `wrong`."""
    try:
        parts = urlsplit(f"//{value}")
        if parts.port is not None and parts.netloc == value and re.fullmatch(HOST_PORT, value):
            return parts.hostname or "0.0.0.0", parts.port  # noqa: S104  # ":8000" asks for it
    except ValueError:
        pass
    raise wrong(
        "is no address to listen on",
        "write HOST:PORT, like 0.0.0.0:8000 or [::1]:8000, with a port from 0 to 65535",
    )


def _address(value: str) -> str:
    address(value)
    return value


def split_url(value: str) -> SplitResult:
    """Return an HTTP address in parts, or raise the error that names what is wrong with it."""
    example = "write it like https://api.openai.com/v1"
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise wrong("has no valid host and port", example) from None
    if parts.scheme not in ("http", "https"):
        raise wrong("does not begin with http:// or https://", example)
    if "@" in parts.netloc:
        raise wrong("holds a user name or password", "remove it and send it in a header instead")
    if re.fullmatch(r"[!-~]+", value) is None or "\\" in value:
        raise wrong(
            "has a space or a character that no address has",
            "percent-encode it; write an international host name in its xn-- form",
        )
    if not parts.hostname or port == 0:
        raise wrong("has no valid host and port", example)
    return parts


def _base_url(value: str) -> str:
    parts = split_url(value)
    if "?" in value or "#" in value:
        raise wrong("has a query or fragment", "end it with the path, like /v1")
    if {".", ".."} & set(parts.path.split("/")) or "//" in parts.path:
        raise wrong("has a path with '.', '..' or empty parts", "write the path out, like /v1")
    return value


def _webhook(value: str) -> str:
    if split_url(value).fragment:
        raise wrong("has a fragment", "remove what follows the #")
    return value


def _proxy(value: str) -> str:
    parts = split_url(value)
    if parts.scheme != "http" or parts.path not in ("", "/") or parts.query:
        raise wrong("is no HTTP proxy", "write it like http://proxy.internal:3128")
    return value


NOT_BOOL = BeforeValidator(_no_bool)
FINITE = Field(allow_inf_nan=False)

Name = Annotated[
    str, AfterValidator(_name), WithJsonSchema({"type": "string", "pattern": f"^{NAME}$"})
]
Text = Annotated[str, AfterValidator(_text), WithJsonSchema({"type": "string", "minLength": 1})]
Secret = Annotated[
    str,
    AfterValidator(_secret),
    WithJsonSchema(
        {
            "type": "string",
            "minLength": 1,
            "examples": ["${OPENAI_API_KEY}", "file:/run/secrets/key"],
        }
    ),
]
HeaderName = Annotated[str, AfterValidator(_header_name)]
UnitHeader = Annotated[str, AfterValidator(_unit_header)]
Digest = Annotated[
    str,
    AfterValidator(_digest),
    WithJsonSchema({"type": "string", "pattern": "^[0-9A-Fa-f]{64}$"}),
]
Pattern = Annotated[
    str, AfterValidator(_pattern), WithJsonSchema({"type": "string", "format": "regex"})
]
Members = Annotated[dict[str, JsonValue], AfterValidator(_members)]
Address = Annotated[str, AfterValidator(_address)]
BaseUrl = Annotated[
    str,
    AfterValidator(_base_url),
    WithJsonSchema(
        {"type": "string", "pattern": "^https?://", "examples": ["https://api.openai.com/v1"]}
    ),
]
WebhookUrl = Annotated[
    str, AfterValidator(_webhook), WithJsonSchema({"type": "string", "pattern": "^https?://"})
]
ProxyUrl = Annotated[
    str, AfterValidator(_proxy), WithJsonSchema({"type": "string", "pattern": "^http://"})
]

Seconds = Annotated[float, Field(gt=0, le=DAY), FINITE, NOT_BOOL]
Pause = Annotated[float, Field(ge=0, le=DAY), FINITE, NOT_BOOL]
Weight = Annotated[float, Field(ge=0), FINITE, NOT_BOOL]
Share = Annotated[float, Field(ge=0, le=1), FINITE, NOT_BOOL]
Milliseconds = Annotated[float, Field(gt=0, le=DAY * 1000), FINITE, NOT_BOOL]
Count = Annotated[int, Field(ge=0, le=1_000_000_000), NOT_BOOL]
Few = Annotated[int, Field(ge=0, le=10), NOT_BOOL]
Preview = Annotated[int, Field(ge=0, le=10_000), NOT_BOOL]
Some = Annotated[int, Field(ge=1, le=1_000_000_000), NOT_BOOL]
Size = Annotated[
    int,
    Field(ge=1024, le=1024**4),
    BeforeValidator(_size),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": f"^{SIZE}$", "examples": ["32MiB"]},
                {"type": "integer", "minimum": 1024},
            ]
        }
    ),
]
Workers = Annotated[
    int,
    BeforeValidator(_workers),
    Field(ge=0, le=256),
    WithJsonSchema(
        {"anyOf": [{"type": "integer", "minimum": 1, "maximum": 256}, {"const": "auto"}]}
    ),
]
OFF = BeforeValidator(_off)
