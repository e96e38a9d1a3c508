"""Asked: the form that a request asks for, from the JSON that the dialects hand over.

OpenAI's `response_format` and `text.format` and Anthropic's `output_format` are alike but for
where the schema stands. It checks nothing.
"""

from typing import Final

import msgspec
from msgspec import Raw, Struct

from proxy.config.settings import Form

ANY_OBJECT: Final = b'{"type":"object"}'


class Inner(Struct, gc=False):
    """Where chat has the schema."""

    schema: Raw = Raw()


class Asked(Struct, gc=False):
    """A form as a request asks for it."""

    type: str = ""
    schema: Raw = Raw()
    json_schema: Inner | None = None


_asked: Final = msgspec.json.Decoder(Asked)


def asked_form(form: bytes) -> Form | None:
    """Return the form that `form` asks for; None: one that is not known here."""
    try:
        asked = _asked.decode(form)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if asked.type == "json_object":
        return Form(json_schema=ANY_OBJECT)
    if asked.type != "json_schema":
        return None
    schema = bytes(asked.schema or (asked.json_schema or Inner()).schema)
    return Form(json_schema=schema or ANY_OBJECT)
