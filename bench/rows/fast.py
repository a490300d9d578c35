"""The fastest setting that is safe: a crash, and a busy machine without one."""

import time

from lab import boottime_ns
from pair import Pair, takeovers

from .crash import crash_once

TITLE = "fastest setting (carpd 0+1/256 s, keepalived 0.01 s, ucarp 1 s)"


def _false_takeovers(kind, seconds):
    with Pair(kind, fast=True) as pair:
        pair.start()
        sniffer = pair.sniff()
        hogs = [pair.observer.start("sh", "-c", "while :; do :; done") for _ in range(2)]
        begin_ns = boottime_ns()
        time.sleep(seconds)
        for hog in hogs:
            hog.kill()
        return takeovers(sniffer.stop().adverts(since_ns=begin_ns), pair.fw2)


def measure(kind, settings):
    runs = [crash_once(kind, fast=True) for _ in range(settings.runs(10, 2))]
    seconds = settings.pick(60, 10)
    return {
        "crash outage, ms": [run[1] for run in runs],
        "first answer beyond the window, ms": [run[0] for run in runs],
        f"false takeovers in {seconds} s with two CPU hogs": [_false_takeovers(kind, seconds)],
    }
