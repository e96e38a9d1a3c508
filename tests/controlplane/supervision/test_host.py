import resource
import shutil
import socket
import stat
import sys
from pathlib import Path

import pytest

from proxy.controlplane.supervision.host import (
    available_cpus,
    cgroup_quota,
    listen,
    private_socket,
    raise_open_files,
    whole_cpus,
)
from proxy.errors import StartError


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


@pytest.mark.parametrize(
    ("membership", "files", "quota"),
    [
        ("0::/\n", {"cpu.max": "150000 100000\n"}, 1.5),
        ("0::/\n", {"cpu.max": "max 100000\n"}, None),
        ("0::/\n", {}, None),
        # The group's own, below its ancestors', which bind as well.
        (
            "0::/shop/web\n",
            {"shop/web/cpu.max": "400000 100000\n", "shop/cpu.max": "200000 100000\n"},
            2.0,
        ),
        # A container's group has the host's path, but is mounted as the root.
        ("0::/kubepods/pod1\n", {"cpu.max": "50000 100000\n"}, 0.5),
        (
            "3:memory:/x\n1:cpu:/x\n",
            {"cpu/x/cpu.cfs_quota_us": "300000\n", "cpu/x/cpu.cfs_period_us": "100000\n"},
            3.0,
        ),
        (
            "4:cpu,cpuacct:/docker/1\n",
            {"cpu,cpuacct/cpu.cfs_quota_us": "100000", "cpu,cpuacct/cpu.cfs_period_us": "50000"},
            2.0,
        ),
        ("1:cpu:/\n", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, None),
        ("1:name=systemd:/\n2:cpuset:/\n", {"cpu.max": "100000 100000"}, None),
    ],
)
def test_the_quota_is_the_smallest_of_the_groups_that_bind(
    tmp_path: Path, membership: str, files: dict[str, str], quota: float | None
) -> None:
    write(tmp_path, files)
    assert cgroup_quota(tmp_path, membership) == quota


@pytest.mark.parametrize(
    ("allowed", "quota", "cpus"),
    [(8, None, 8), (8, 2.0, 2), (2, 4.0, 2), (8, 2.9, 2), (8, 0.5, 1), (1, None, 1)],
)
def test_workers_get_whole_cpus_and_at_least_one(
    allowed: int, quota: float | None, cpus: int
) -> None:
    assert whole_cpus(allowed, quota) == cpus


def test_this_machine_has_a_cpu() -> None:
    assert available_cpus() >= 1


def test_open_files_are_raised_to_the_hard_limit() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        assert raise_open_files() == before[1]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def close(sockets: list[socket.socket]) -> None:
    for sock in sockets:
        sock.close()


@pytest.mark.parametrize("count", [1, 3])
def test_each_worker_gets_a_socket_on_the_same_address(count: int) -> None:
    sockets = listen("127.0.0.1", 0, count)
    assert len(sockets) == count
    assert len({sock.getsockname() for sock in sockets}) == 1
    assert {sock.proto for sock in sockets} == {socket.IPPROTO_TCP}
    close(sockets)


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("already", [1, 2])
def test_an_address_that_others_listen_on_is_an_error(count: int, already: int) -> None:
    first = listen("127.0.0.1", 0, already)
    with pytest.raises(StartError, match="Address already in use"):
        listen("127.0.0.1", first[0].getsockname()[1], count)
    close(first)


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_a_host_that_is_not_ours_is_an_error_with_a_remedy(host: str) -> None:
    with pytest.raises(StartError, match=f"can't listen on {host}:0: .*choose another"):
        listen(host, 0)


def test_sockets_share_a_queue_where_the_system_can_not_balance(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    sockets = listen("127.0.0.1", 0, 2)
    with socket.create_connection(sockets[0].getsockname()):
        sockets[1].settimeout(5)
        accepted, _ = sockets[1].accept()
        accepted.close()
    close(sockets)


def test_the_channel_is_for_this_user_only() -> None:
    folder, sock = private_socket(1)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert sock.getsockname() == str(folder / "channel")
    sock.close()
    shutil.rmtree(folder)


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/shm is Linux'")
@pytest.mark.parametrize("unusable", ["missing", "x" * 120])
def test_where_the_usual_place_is_unusable_there_is_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unusable: str
) -> None:
    place = tmp_path / unusable
    if unusable != "missing":
        place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    folder, sock = private_socket(1)
    assert folder.parent == Path("/dev/shm")
    assert not place.exists() or list(place.iterdir()) == []
    sock.close()
    shutil.rmtree(folder)


def test_where_there_is_no_place_at_all_the_remedy_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_: object, **__: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.mkdtemp", full)
    with pytest.raises(StartError, match=r"No space left on device\. Set TMPDIR"):
        private_socket(1)
