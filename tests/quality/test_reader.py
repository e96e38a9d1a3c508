"""What is looked for depends on the route; words are told apart by choice."""

from msgspec import Struct

from proxy.exchange.observation import Texts
from proxy.quality import Reader, replies_of
from tests.support.observed import observed

NO = "I'm sorry, but I can't help with that."
NOTHING = observed(reply_chars=0)


class Looked(Struct, frozen=True):
    signals: tuple[str, ...] | None = None
    short_reply_chars: int = 10


def test_all_signals_are_read_where_nothing_is_said() -> None:
    reader = Reader(Looked(), {})
    assert reader.read(NOTHING).signals == ("short", "empty")
    assert reader.read(observed(texts=Texts(b"", NO))).signals == ("refusal",)


def test_an_observation_without_signals_is_handed_back_as_it_is() -> None:
    seen = observed()
    assert Reader(Looked(), {}).read(seen) is seen


def test_a_route_has_looks_of_its_own() -> None:
    reader = Reader(Looked(), {"support": Looked(("empty",)), "other": Looked((), 500)})
    assert reader.read(NOTHING).signals == ("empty",)
    assert reader.read(observed(route="other")).signals == ()
    assert reader.read(observed(route=None, reply_chars=0)).signals == ("short", "empty")


def test_signals_come_in_one_order_whatever_that_of_the_looks() -> None:
    assert Reader(Looked(("empty", "short")), {}).read(NOTHING).signals == ("short", "empty")


def test_the_threshold_of_short_is_the_looks_own() -> None:
    seen = observed(reply_chars=120)
    assert Reader(Looked(None, 121), {}).read(seen).signals == ("short",)
    assert Reader(Looked(None, 120), {}).read(seen).signals == ()


def test_choices_are_told_apart() -> None:
    assert replies_of(Texts(b"", "one")) == ("one",)
    assert replies_of(Texts(b"", "onetwo", (3, 0, 3))) == ("one", "", "two")
    cut = Texts(b"", "onetw", (3, 9))
    assert replies_of(cut) == ("one", "tw")
    both = Texts(b"", f"All is well.{NO}", (12, len(NO)))
    assert Reader(Looked(), {}).read(observed(texts=both)).signals == ("refusal",)
