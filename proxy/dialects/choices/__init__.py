"""What chat and completions share: replies made of choices, and usage that streams must ask for.

It knows the reply side of both APIs as OpenAI, vLLM, llama.cpp and the gateways speak it.
"""

from proxy.dialects.choices.replies import read
from proxy.dialects.choices.texts import read_text, read_texts
from proxy.dialects.choices.usage import (
    NO_DETAILS,
    Details,
    ask_usage,
    asks_usage,
    read_usage,
    stripper,
)

__all__ = [
    "NO_DETAILS",
    "Details",
    "ask_usage",
    "asks_usage",
    "read",
    "read_text",
    "read_texts",
    "read_usage",
    "stripper",
]
