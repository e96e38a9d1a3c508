"""Streams gathered: events put together into the whole reply that they add up to.

    growing    how pieces of a value become the value
    choices    chat and completions
    messages   Anthropic's
    responses  OpenAI's responses
    whole      the bytes of a stream, whichever API's

What a stream says in many small pieces stands in one piece then, as a reply that is no stream
has it. Nothing here is on a request's way: whoever keeps replies uses it, once they are over.
"""

from proxy.dialects.gathered.whole import gathered

__all__ = ["gathered"]
