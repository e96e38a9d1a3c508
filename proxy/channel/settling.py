"""Settling: what a child asks of Python and of the kernel once it stands.

Both are about latency only: nothing is more, or less, of the machine's time.
"""

import ctypes
import gc
import os
import struct
import sys

GC_THRESHOLDS = (50_000, 20, 100)  # exchanges make little cyclic garbage; seldom is often enough
SLICE_NANOSECONDS = 100_000  # the shortest that Linux has; its own is some milliseconds
# The system call sched_setattr, for which C's library has no name, and its struct sched_attr.
SET_SCHEDULING = {"x86_64": 314, "aarch64": 274}
SCHEDULING = struct.Struct("=IIQiIQQQ")


def settle() -> None:
    """Have the garbage collector look seldom, and never at what a child has made to begin with."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


def shorten_slices() -> bool:
    """Have this thread, when it wakes, wait no longer for others on its core than it must.

    Linux from 6.12 on lets the shorter time slice go first; the share of the core stays the same.
    False: this system takes no such wish, or not from us (an older Linux takes it in vain).
    """
    number = SET_SCHEDULING.get(os.uname().machine)
    if sys.platform != "linux" or number is None or sys.maxsize < 2**32:
        return False
    try:
        policy, nice = os.sched_getscheduler(0), os.getpriority(os.PRIO_PROCESS, 0)
    except OSError:
        return False  # musl has no such function, and a filter of system calls may refuse it
    if policy != os.SCHED_OTHER:
        return False  # somebody decided otherwise
    wish = SCHEDULING.pack(SCHEDULING.size, os.SCHED_OTHER, 0, nice, 0, SLICE_NANOSECONDS, 0, 0)
    refused: int = ctypes.CDLL(None).syscall(number, 0, wish, 0)
    return refused == 0
