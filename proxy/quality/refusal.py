"""Refusal: whether a reply says no in words, though the protocol says nothing of it.

Conservative: a refusal stands at the very beginning, in the model's own voice, and is about
helping at all, not about what could not be found or is sold out. It looks at the first
characters only, so a long reply costs what a short one does.
"""

from typing import Final

from proxy.quality.wordings import WORDINGS, Wording

HEAD: Final = 260  # characters that are looked at
BEGINS: Final = 130  # the refusing clause begins within so many
OTHER_VOICES: Final = frozenset('"“”„«»「『:：([{`<|=\t')  # before it: somebody is quoted, a form
MARKS: Final = " \n\r\t*_#>~-"  # markup in front of the words

# Each with its wording's number: a pattern is slow to put into a set.
HINTS: Final = [(hint, at) for at, wording in enumerate(WORDINGS) for hint in wording.hints]
ASCII_HINTS: Final = [(hint, at) for hint, at in HINTS if hint.isascii()]


def refuses(text: str) -> bool:
    """Return whether a reply's text is a refusal by its wording."""
    head = text[:HEAD].lower().replace("’", "'").lstrip(MARKS)
    hints = ASCII_HINTS if head.isascii() else HINTS
    hinted = [at for hint, at in hints if hint in head]
    return bool(hinted) and any(own_voice(head, WORDINGS[at]) for at in set(hinted))


def own_voice(head: str, wording: Wording) -> bool:
    """Return whether a clause is found, early, with nothing that makes it another's words."""
    if not [word for word in wording.voice if word in head]:
        return False
    found = wording.clause.search(head)
    if found is None or found.start() > BEGINS:
        return False
    return OTHER_VOICES.isdisjoint(head[: found.start()])
