"""Ejection by consecutive failures, and the way back."""

from proxy.upstream.health import TRIAL_SECONDS, Health


def health(after: int = 3) -> Health:
    return Health(after=after, seconds=10.0, max_seconds=35.0)


def ejected_at(now: float, retry_after: float | None = None) -> Health:
    ill = health()
    for _ in range(3):
        ill.failed(now, retry_after)
    return ill


def test_an_upstream_that_never_failed_is_available() -> None:
    well = health()
    assert well.available(0.0)
    assert well.claim(0.0)
    assert not well.ejected


def test_consecutive_failures_eject() -> None:
    ill = health()
    ill.failed(0.0)
    ill.failed(0.0)
    assert ill.available(0.0)
    ill.failed(0.0)
    assert ill.ejected
    assert ill.ejections == 1
    assert not ill.available(9.9)
    assert not ill.claim(9.9)


def test_a_success_between_failures_starts_the_count_again() -> None:
    ill = health()
    for outcome in (ill.failed, ill.failed, ill.succeeded, ill.failed, ill.failed):
        outcome(0.0)
    assert not ill.ejected


def test_zero_means_that_nothing_ejects() -> None:
    never = health(after=0)
    for _ in range(100):
        never.failed(0.0)
    assert not never.ejected


def test_after_its_time_one_trial_is_let_through_and_no_second() -> None:
    ill = ejected_at(0.0)
    assert ill.available(10.0)
    assert ill.claim(10.0)
    assert not ill.available(10.0)
    assert not ill.claim(10.0)


def test_a_trial_that_succeeds_ends_the_ejection() -> None:
    ill = ejected_at(0.0)
    ill.claim(10.0)
    ill.succeeded(10.5)
    assert not ill.ejected
    assert ill.claim(10.5)
    assert ill.claim(10.5)


def test_a_trial_that_fails_doubles_the_time_up_to_the_cap() -> None:
    ill = ejected_at(0.0)
    ill.claim(10.0)
    ill.failed(10.0)
    assert not ill.available(29.9)
    assert ill.claim(30.0)
    ill.failed(30.0)
    assert not ill.available(64.9)  # 40 would be twice as long: the cap is 35
    assert ill.available(65.0)
    assert ill.ejections == 3


def test_a_trial_that_showed_nothing_makes_room_for_another() -> None:
    ill = ejected_at(0.0)
    ill.claim(10.0)
    ill.abandon()
    assert ill.claim(10.0)


def test_a_trial_that_is_never_judged_does_not_keep_others_away_for_ever() -> None:
    ill = ejected_at(0.0)
    ill.claim(10.0)
    assert not ill.claim(10.0 + TRIAL_SECONDS - 0.1)
    assert ill.claim(10.0 + TRIAL_SECONDS)


def test_what_was_under_way_changes_nothing_while_it_is_ejected() -> None:
    ill = ejected_at(0.0)
    ill.succeeded(1.0)
    ill.failed(2.0)
    assert ill.ejections == 1
    assert not ill.available(9.9)
    assert ill.available(10.0)


def test_retry_after_lengthens_the_ejection_that_it_causes_up_to_the_cap() -> None:
    asked = ejected_at(0.0, retry_after=20.0)
    assert not asked.available(19.9)
    assert asked.available(20.0)
    greedy = ejected_at(0.0, retry_after=1e9)
    assert greedy.available(35.0)
    modest = ejected_at(0.0, retry_after=1.0)
    assert not modest.available(9.9)


def test_who_falls_ill_again_soon_stays_out_for_longer() -> None:
    ill = ejected_at(0.0)
    ill.claim(10.0)
    ill.succeeded(10.0)
    for _ in range(3):
        ill.failed(15.0)  # well for 5 s after 10 s out
    assert not ill.available(34.9)
    assert ill.available(35.0)


def test_who_was_well_for_as_long_as_it_was_out_starts_anew() -> None:
    ill = ejected_at(0.0)
    ill.claim(10.0)
    ill.succeeded(10.0)
    for _ in range(3):
        ill.failed(20.0)
    assert ill.available(30.0)
