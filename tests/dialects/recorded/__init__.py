"""Replies in the forms that OpenAI, vLLM, llama.cpp, gateways and Anthropic send them."""

from tests.dialects.recorded.anthropic import ANTHROPIC
from tests.dialects.recorded.forms import Recorded
from tests.dialects.recorded.openai_chat import OPENAI_CHAT
from tests.dialects.recorded.other_chat import OTHER_CHAT
from tests.dialects.recorded.responses import OPENAI_OTHERS

RECORDED: dict[str, Recorded] = {**OPENAI_CHAT, **OTHER_CHAT, **OPENAI_OTHERS, **ANTHROPIC}
