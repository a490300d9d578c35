"""SIGKILL of all processes and a dead cable in the same instant."""

import random
import time

from pair import Pair

TITLE = "crash, advert 1 s"


def crash_once(kind, fast=False):
    """(beyond the window, outage, probes lost) of one crash at a random moment between two adverts."""
    with Pair(kind, fast=fast) as pair:
        pair.start()
        sniffer, prober = pair.sniff(), pair.probe(interval_us=500 if fast else 1000)
        time.sleep(1 + random.random())
        crash_ns = pair.better.crash()
        pair.wait_taken_over()
        prober.wait_answered()
        prober.stop()
        last_ns = pair.last_advert_ns(sniffer.stop(), crash_ns)
        beyond_ms = (prober.first_answer_ns(crash_ns) - last_ns) / 1e6 - pair.worse.window_s * 1e3
        outage = max(prober.outages(crash_ns - 1_000_000_000), key=lambda one: one.ms)
        return beyond_ms, outage.ms, outage.lost


def measure(kind, settings):
    runs = [crash_once(kind) for _ in range(settings.runs(10, 2))]
    return {
        "first answer beyond the window, ms": [run[0] for run in runs],
        "outage, ms": [run[1] for run in runs],
        "probes lost at 1000/s": [run[2] for run in runs],
    }
