"""A child of the supervisor."""

# ruff: noqa: PLC0415  # what one kind of process needs, the other does not load

import sys


def main(kind: str, descriptor: int) -> None:
    """Be a child of the supervisor until it is over."""
    if kind == "worker":
        from proxy.app.worker import compose_worker
        from proxy.dataplane.worker import run_worker

        run_worker(descriptor, compose_worker)
    else:
        from proxy.app.control import compose_control
        from proxy.controlplane.control import run_control
        from proxy.dataplane.worker import loop_factory

        run_control(descriptor, compose_control, loop_factory())


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
