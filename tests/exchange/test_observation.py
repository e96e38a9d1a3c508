from proxy.exchange.observation import Bodies


def test_bodies_weigh_what_is_held_of_them_not_what_there_was() -> None:
    assert Bodies().size == 0
    assert Bodies(request=b"ab", reply=b"cde", request_bytes=100, reply_bytes=200).size == 5
