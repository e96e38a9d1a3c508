"""Repetition: whether a model fell into a loop and said the same again and again.

A loop is one passage that follows itself many times over, or one sentence that makes up much of a
text in words. Forms that repeat by nature (tables, rows of data, markup, a refrain) are no loop:
their rows differ, or there are few of them.

The time is linear in the text: some probes, taken from it at even distances, are searched for in
it, which costs a microsecond or two for a thousand characters, and only where one of them is found
several times is there a closer look, at that one. Lengths are those of UTF-8, so that a
script of few characters is not asked for more words.
"""

import re
from collections import Counter
from typing import Final

LEAST: Final = 120  # bytes of a text; a shorter one is not looked at
PROBES: Final = 8
PROBE: Final = 12  # characters
OFTEN: Final = 4  # finds of a probe that are worth a closer look
TIMES: Final = 5  # that a passage follows itself
RUN: Final = 160  # bytes of all its repeats
BLANK_RUN: Final = 400  # bytes, where the passage has no letter: lines, zeros, space
PART: Final = 0.15  # of the text that is in the loop
SENTENCE: Final = 20  # bytes; a shorter one may be said often
SENTENCE_TIMES: Final = 6
PART_SAID: Final = 0.4  # of the text that is one sentence
MOST: Final = 16_384  # characters that are looked at: the last, for few loops end before the text

LOOKED_AT: Final = 32  # finds of a probe
APART: Final = 3  # a passage may hold the probe so often

NUMBERED: Final = re.compile(r"(?m)^[ \t]*\d{1,4}[.):]")
ENDS: Final = re.compile(r"[.!?。！？\n]+\s*")
TAG: Final = re.compile(r"<[^>]*>")
FORMS: Final = ("{", "[", "<", "|", "```")


def loops(text: str) -> bool:
    """Return whether a reply's text is caught in a loop."""
    text = text[-MOST:]
    if size(text) < LEAST:
        return False
    if "\n2" in text:  # a list's numbers would make each of its lines another one
        text = NUMBERED.sub("1.", text)
    length = len(text) - PROBE
    found: dict[str, int] = {}
    for start in range(0, length, max(1, length // PROBES)):
        probe = text[start : start + PROBE]
        if text.count(probe, start) >= OFTEN:
            found.setdefault(probe, start)
    if not found:
        return False
    return any(follows_itself(text, *each) for each in found.items()) or one_sentence(text)


def follows_itself(text: str, probe: str, start: int) -> bool:
    """Return whether a passage with `probe` in it, from `start` on, follows itself too often."""
    least = max(RUN, PART * size(text))
    places = finds(text, probe, start)
    for apart in range(1, APART + 1):
        end = 0
        for place, following in zip(places, places[apart:], strict=False):
            if place < end:
                continue
            unit = text[place:following]
            times, end = repeats(text, unit, place)
            run = times * size(unit)
            if times >= TIMES and run >= least and (run >= BLANK_RUN or has_words(unit)):
                return True
    return False


def repeats(text: str, unit: str, place: int) -> tuple[int, int]:
    """Return how often `unit` follows itself around `place`, and where that ends."""
    length = len(unit)
    begin = end = place
    while text.startswith(unit, end):
        end += length
    while begin >= length and text.startswith(unit, begin - length):
        begin -= length
    return (end - begin) // length, end


def finds(text: str, probe: str, start: int) -> list[int]:
    """Return where `probe` stands from `start` on, the first few places."""
    places: list[int] = []
    while start >= 0 and len(places) < LOOKED_AT:
        places.append(start)
        start = text.find(probe, start + 1)
    return places


def one_sentence(text: str) -> bool:
    """Return whether a text in words is, for the most part, one sentence said again and again."""
    if text.lstrip().startswith(FORMS):
        return False
    sentence, times = Counter(ENDS.split(text)).most_common(1)[0]
    said = size(sentence)
    return times >= SENTENCE_TIMES and said >= SENTENCE and times * said >= PART_SAID * size(text)


def has_words(unit: str) -> bool:
    """Return whether a passage, wherever in it one begins, has a letter outside of markup."""
    tag = max(unit.find("<"), 0)
    return any(map(str.isalpha, TAG.sub("", unit[tag:] + unit[:tag])))


def size(text: str) -> int:
    """Return the length in bytes of UTF-8."""
    return len(text.encode("utf-8", "surrogatepass"))
