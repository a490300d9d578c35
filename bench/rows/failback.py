"""The better host returns and takes its addresses back."""

import time

from lab import ArpObserver, boottime_ns
from pair import ADDRESS, Pair

TITLE = "better host returns (preempt)"


def _return_once(kind):
    with Pair(kind) as pair:
        pair.worse.start()
        pair.wait_held(pair.fw2)
        prober = pair.probe()
        observer = ArpObserver(pair.observer, ADDRESS)
        # A cache that has just changed is not changed again for a second; the last takeover must be older.
        time.sleep(3 + time.time() % 1)
        begin_ns = boottime_ns()
        pair.better.start()
        pair.wait_held(pair.fw1)
        time.sleep(2)
        observer.stop()
        prober.stop()
        return prober.lost(begin_ns), observer.two_owners_ms(begin_ns), prober.worst_outage_ms(begin_ns)


def measure(kind, settings):
    runs = [_return_once(kind) for _ in range(settings.runs(10, 2))]
    return {
        "probes lost at 1000/s": [run[0] for run in runs],
        "two owners, ms": [run[1] for run in runs],
        "outage, ms": [run[2] for run in runs],
    }
