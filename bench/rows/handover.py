"""A clean stop of the master: SIGTERM, as a service manager sends it."""

import time

from lab import boottime_ns
from pair import Pair

TITLE = "clean stop (hand-over)"


def _stop_once(kind):
    with Pair(kind) as pair:
        pair.start()
        prober = pair.probe()
        begin_ns = boottime_ns()
        pair.better.stop()
        pair.wait_held(pair.fw2)
        prober.wait_answered()
        time.sleep(1)
        prober.stop()
        return prober.lost(begin_ns), prober.worst_outage_ms(begin_ns - 50_000_000)


def measure(kind, settings):
    runs = [_stop_once(kind) for _ in range(settings.runs(10, 2))]
    return {"probes lost at 1000/s": [run[0] for run in runs], "outage, ms": [run[1] for run in runs]}
