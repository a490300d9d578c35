"""Waiting for a condition, and the clock of every time in the lab."""

import time


class LabTimeout(AssertionError):
    """A condition did not come true in time."""


def boottime_ns():
    """The clock carpd and the probes use: it goes on while a machine sleeps and no NTP step moves it."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def wait_for(condition, timeout_s, what, every_s=0.01):
    """Returns condition() as soon as it is true; `what` is a text, or a function that makes one when it fails."""
    end = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= end:
            text = what() if callable(what) else what
            raise LabTimeout(f"not within {timeout_s} s: {text} (last seen: {value!r})")
        time.sleep(every_s)
