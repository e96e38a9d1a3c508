"""The kinds of value that settings have: names, seconds, sizes, addresses, patterns.

Each is a type for the schema: it says what a person may write, and a wrong value is refused
with a reason and a remedy in plain words. None of them repeats the value: it may be a secret.
It knows no setting by name.
"""

import json
import re
import warnings
from typing import Annotated, Any
from urllib.parse import SplitResult, urlsplit

import regex
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    JsonValue,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)
from pydantic_core import PydanticCustomError, ValidationError

from proxy.config.settings import AUTO

NAME = r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,127}"
HOST = r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?"
HOST_PORT = r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]*):[0-9]{1,5}"
SIZE = r"([0-9]+)\s*([A-Za-z]*)"
UNITS = {"": 1, "b": 1} | {
    f"{letter}{unit}": step**power
    for power, letter in enumerate("kmg", start=1)
    for unit, step in (("b", 1000), ("ib", 1024))
}
DAY = 86_400.0
NO_ADDRESS = (
    "is no address to listen on",
    'write HOST:PORT, like "0.0.0.0:8000" or "[::1]:8000", with a port from 0 to 65535',
)
PROXY = "http://proxy.internal:3128"  # examples
COLLECTOR = "http://collector:4318"
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
# Where the API's endpoints stand; a base URL ends before them.
ENDPOINTS = ("/chat/completions", "/completions", "/embeddings", "/responses", "/messages")
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


def _host_name(value: str) -> str:
    if re.fullmatch(HOST, value) is None:
        raise wrong("is no host's name", "write the name alone, like turnout-admin.example")
    return value


def _number(reason: str, remedy: str) -> BeforeValidator:
    """Refuse what is no number: the text of a reference may be one; `true`, `10%`, `30s` not."""

    def check(value: object) -> object:
        try:
            if isinstance(value, int | float | str) and not isinstance(value, bool):
                float(value)
                return value
        except ValueError:
            pass
        except OverflowError:
            return value  # it is one, and its bounds will say what is wrong with it
        raise wrong(reason, remedy)

    return BeforeValidator(check)


def _size(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    written = re.fullmatch(SIZE, value.strip()) if isinstance(value, str) else None
    if written is None or written[2].lower() not in UNITS or len(written[1]) > 18:
        raise wrong("is no size", "write bytes as a whole number, or like 64KiB, 32MiB, 1GiB")
    return int(written[1]) * UNITS[written[2].lower()]


def _workers(value: object, otherwise: ValidatorFunctionWrapHandler) -> object:
    if value == "auto":
        return AUTO
    try:
        return otherwise(value)
    except ValidationError:
        raise wrong(
            "must be a whole number from 1 to 256, or auto",
            "write a number, or 'auto' for as many as there are CPUs",
        ) from None


def _off(value: object) -> object:
    return None if value is False or value == "off" else value


def _form(value: object) -> object:
    if not isinstance(value, str):
        return value
    if value == "json":
        return {"json_schema": True}
    raise wrong("is no form", "write json, or a mapping with json_schema, regex or max_chars")


def _prices(value: object) -> object:
    if not isinstance(value, str):
        return value
    if value == "free":
        return dict.fromkeys(("input", "cached_input", "output"), 0.0)
    raise wrong("are no prices", "write free, or a mapping like {input: 0.15, output: 0.6}")


def _schema(value: object) -> object:
    if isinstance(value, dict | bool) or value is None:
        return value
    raise wrong("is no JSON Schema", "write a mapping, the path of a JSON file, or true")


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
            'write it as 64 hexadecimal digits: printf %s "$SECRET" | sha256sum',
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
    raise wrong(*NO_ADDRESS)


def _address(value: object) -> str:
    if not isinstance(value, str):  # a port alone, say
        raise wrong(*NO_ADDRESS)
    address(value)
    return value


def _database_url(value: str) -> str:
    value = _text(value.strip())
    try:
        parts = urlsplit(value)
        good = parts.scheme in ("postgresql", "postgres") and parts.port != 0
        good = good and len(parts.path) > 1
    except ValueError:
        good = False
    if not good:
        raise wrong(
            "is no address of a PostgreSQL database",
            "write it like postgresql://turnout@db.internal/turnout; without it, the store is "
            "SQLite in the data directory",
        )
    return "postgresql:" + value.partition(":")[2]


def split_url(value: str, like: str = "https://api.openai.com/v1") -> SplitResult:
    """Return an HTTP address in parts, or raise the error that names what is wrong with it."""
    example = f"write it like {like}"
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
    endpoint = next(filter(parts.path.rstrip("/").endswith, ENDPOINTS), None)
    if endpoint is not None:
        raise wrong(
            f"ends in {endpoint}, which is one endpoint of the API",
            "end it before that, at /v1: turnout adds the endpoint that the client calls",
        )
    return value


def _proxy(value: str) -> str:
    parts = split_url(value, PROXY)
    if parts.scheme != "http" or parts.path not in ("", "/") or parts.query:
        raise wrong("is no HTTP proxy", f"write it like {PROXY}")
    return value


def _collector(value: str) -> str:
    parts = split_url(value, COLLECTOR)
    if "?" in value or "#" in value:
        raise wrong("has a query or fragment", f"write it like {COLLECTOR}")
    if parts.path.rstrip("/").endswith("/v1/traces"):
        raise wrong("ends in the path of traces", "end it before /v1/traces: turnout adds that")
    return value.rstrip("/")


WHOLE = _number("must be a whole number", "write digits only, for example 10")
PART = _number("must be a number", "write a number from 0 to 1, for example 0.2")
WEIGHT = _number("must be a number", "write weights as plain numbers, for example 10")
PERCENT = _number("must be a number", "write percent as a plain number, for example 10")
SECONDS = _number("must be a number", "write seconds as a plain number, for example 30")
DAYS = _number("must be a number", "write days as a plain number, for example 30")
MILLISECONDS = _number("must be a number", "write milliseconds as a plain number, for example 800")
DOLLARS = _number("must be a number", "write US dollars as a plain number, for example 0.15")
FACTOR = _number("must be a number", "write how many times as a plain number, for example 2")
FINITE = Field(allow_inf_nan=False)

Name = Annotated[
    str, AfterValidator(_name), WithJsonSchema({"type": "string", "pattern": f"^{NAME}$"})
]
HostName = Annotated[
    str, AfterValidator(_host_name), WithJsonSchema({"type": "string", "pattern": f"^{HOST}$"})
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
FORM = BeforeValidator(_form)
PRICES = BeforeValidator(_prices)
SCHEMA = BeforeValidator(_schema, json_schema_input_type=dict[str, Any] | bool | str)
Members = Annotated[dict[str, JsonValue], AfterValidator(_members)]
Address = Annotated[str, BeforeValidator(_address)]
BaseUrl = Annotated[
    str,
    AfterValidator(_base_url),
    WithJsonSchema(
        {"type": "string", "pattern": "^https?://", "examples": ["https://api.openai.com/v1"]}
    ),
]
DatabaseUrl = Annotated[
    str,
    AfterValidator(_database_url),
    WithJsonSchema({"type": "string", "pattern": "^postgres(ql)?://"}),
]
ProxyUrl = Annotated[
    str, AfterValidator(_proxy), WithJsonSchema({"type": "string", "pattern": "^http://"})
]
Collector = Annotated[
    str,
    AfterValidator(_collector),
    WithJsonSchema({"type": "string", "pattern": "^https?://", "examples": [COLLECTOR]}),
]

Seconds = Annotated[float, Field(gt=0, le=DAY), FINITE, SECONDS]
Pause = Annotated[float, Field(ge=0, le=DAY), FINITE, SECONDS]
Days = Annotated[float, Field(gt=0, le=36_500), FINITE, DAYS]
Weight = Annotated[float, Field(ge=0), FINITE, WEIGHT]
Percent = Annotated[float, Field(ge=0, le=100), FINITE, PERCENT]
Share = Annotated[float, Field(ge=0, le=1), FINITE, PART]
Chance = Annotated[float, Field(gt=0, le=1), FINITE, PART]
Kib = Annotated[int, Field(ge=1, le=1024), WHOLE]
Price = Annotated[float, Field(ge=0, le=1_000_000), FINITE, DOLLARS]
Dollars = Annotated[float, Field(gt=0, le=1_000_000_000), FINITE, DOLLARS]
Milliseconds = Annotated[float, Field(gt=0, le=DAY * 1000), FINITE, MILLISECONDS]
Factor = Annotated[float, Field(ge=1, le=1000), FINITE, FACTOR]
Count = Annotated[int, Field(ge=0, le=1_000_000_000), WHOLE]
Few = Annotated[int, Field(ge=0, le=10), WHOLE]
Preview = Annotated[int, Field(ge=0, le=10_000), WHOLE]
Some = Annotated[int, Field(ge=1, le=1_000_000_000), WHOLE]
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
    WHOLE,
    Field(ge=1, le=256),
    WrapValidator(_workers),
    WithJsonSchema(
        {"anyOf": [{"type": "integer", "minimum": 1, "maximum": 256}, {"const": "auto"}]}
    ),
]
OFF = BeforeValidator(_off)
