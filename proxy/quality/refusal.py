"""Refusal: whether a reply says no in words, though the protocol says nothing of it.

Conservative: a refusal stands at the very beginning, in the model's own voice, and is about
helping at all, not about what could not be found or is sold out. It looks at the first
characters only, so a long reply costs what a short one does.
"""

import re
from typing import Final

from proxy.quality.wordings import WORDINGS

HEAD: Final = 260  # characters that are looked at
BEGINS: Final = 130  # the refusing clause begins within so many
OTHER_VOICES: Final = frozenset('"“”„«»「『:：([{`<|=\t')  # before it: somebody is quoted, a form
MARKS: Final = " \n\r\t*_#>~-"  # markup in front of the words

HINTS: Final = [(hint, wording.clause) for wording in WORDINGS for hint in wording.hints]


def refuses(text: str) -> bool:
    """Return whether a reply's text is a refusal by its wording."""
    head = text[:HEAD].lower().replace("’", "'").lstrip(MARKS)
    clauses = {clause for hint, clause in HINTS if hint in head}
    return any(own_voice(head, clause.search(head)) for clause in clauses)


def own_voice(head: str, found: re.Match[str] | None) -> bool:
    """Return whether a clause was found, early, with nothing that makes it another's words."""
    if found is None or found.start() > BEGINS:
        return False
    return OTHER_VOICES.isdisjoint(head[: found.start()])
