"""Waiting for a condition, and the clock of every time in the lab."""

import os
import time

# How many times longer than usual this machine may take; an emulated one is slow. It makes no test pass that should fail.
PATIENCE = float(os.environ.get("LAB_PATIENCE", "1"))


class LabTimeout(AssertionError):
    """A condition did not come true in time."""


def boottime_ns():
    """The clock carpd and the probes use: it goes on while a machine sleeps and no NTP step moves it."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def wait_for(condition, timeout_s, what, every_s=0.01):
    """
    Returns condition() as soon as it is true, or a fiftieth of the wait later: looking must not be the load of the
    machine. `what` is a text, or a function that makes one when it fails.
    """
    timeout_s *= PATIENCE
    begin = time.monotonic()
    while True:
        value = condition()
        if value:
            return value
        waited_s = time.monotonic() - begin
        if waited_s >= timeout_s:
            text = what() if callable(what) else what
            raise LabTimeout(f"not within {timeout_s} s: {text} (last seen: {value!r})")
        time.sleep(max(every_s * PATIENCE, waited_s / 50))


def let_pass(seconds, since_ns=None, while_true=None):
    """
    Nothing happens for so many seconds, from now or from since_ns on. `while_true` is what must hold all the while,
    or else what has not happened is asserted afterwards.
    """
    end_ns = (boottime_ns() if since_ns is None else since_ns) + round(seconds * 1e9)
    left_s = seconds
    while left_s > 0:
        left_s = (end_ns - boottime_ns()) / 1e9
        assert while_true is None or while_true(), f"no longer so {left_s:.3f} s before {seconds} s are over"
        time.sleep(max(0, left_s if while_true is None else min(left_s, 0.05)))
