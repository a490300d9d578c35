"""Many groups on one interface: start, steady cost, and a crash of all at once."""

import time

from lab import Group, boottime_ns, wait_for
from pair import Pair

TITLE = "many groups on one interface"

# Microseconds between two probes of one address: what a client can send without taking the hosts' processors.
_INTERVAL_US = {1: 1000, 50: 2000, 255: 8000}
# Each of its processes looks at every frame of the host: at that rate 255 of them would do nothing else.
_INTERVAL_UCARP_US = {1: 1000, 50: 8000, 255: 80000}


def _start_both(pair):
    """Seconds from the start of both hosts until each address has one owner, for good."""
    begin = time.monotonic()
    pair.better.start()
    pair.worse.start()
    good_since = None

    def settled():
        nonlocal good_since
        now = time.monotonic()
        good_since = (good_since or now) if pair.one_master_each() else None
        return good_since is not None and now - good_since > 3

    wait_for(settled, 60, "each address has exactly one owner for 3 s", every_s=0.05)
    return good_since - begin


def _steady(pair, seconds):
    """CPU seconds per minute and MiB of master and backup, without any instrument running."""
    pair.wait_held(pair.fw1, 30)
    daemons = (pair.better, pair.worse)
    before = [daemon.cpu_s() for daemon in daemons]
    begin = time.monotonic()
    time.sleep(seconds)
    per_minute = 60 / (time.monotonic() - begin)
    cpu = [(daemon.cpu_s() - old) * per_minute for daemon, old in zip(daemons, before)]
    return cpu, [daemon.pss_kib() / 1024 for daemon in daemons]


def _crash_all(pair):
    """For each address how far beyond its own window it answers, in ms: (surely not before, at the latest)."""
    intervals = _INTERVAL_UCARP_US if pair.kind == "ucarp" else _INTERVAL_US
    sniffer, prober = pair.sniff(), pair.probe(intervals[len(pair.groups)])
    time.sleep(2.5)
    crash_ns = pair.better.crash()
    pair.wait_taken_over(30)
    prober.wait_answered(20)
    prober.stop()
    last_ns = {}
    for advert in sniffer.stop().adverts(pair.fw1):
        if advert.time_ns <= crash_ns:
            last_ns[advert.id] = advert.time_ns
    unanswered, answered = {}, {}
    for one in prober.records(crash_ns):
        if one.target in answered:
            continue
        if one.answered_ns:
            answered[one.target] = one.answered_ns
        else:
            unanswered[one.target] = one.sent_ns
    beyond = []
    for target, group in enumerate(pair.groups):
        end_ns = last_ns[group.vhid] + pair.worse.window_s * 1e9
        beyond.append(((unanswered.get(target, crash_ns) - end_ns) / 1e6, (answered[target] - end_ns) / 1e6))
    return beyond


def measure(kind, settings):
    results = {}
    for count in settings.pick((1, 50, 255), (1, 50)):
        starts, lower, upper = [], [], []
        for run in range(settings.runs(5, 1)):
            with Pair(kind, Group.many(count)) as pair:
                starts.append(_start_both(pair))
                if run == 0:
                    cpu, pss = _steady(pair, settings.pick(60, 10))
                pair.wait_held(pair.fw1, 30)
                beyond = _crash_all(pair)
                lower.append(max(one[0] for one in beyond))
                upper.append(max(one[1] for one in beyond))
        results |= {
            f"{count}: start to one master each, s": starts,
            f"{count}: CPU s per 60 s, master": [cpu[0]],
            f"{count}: CPU s per 60 s, backup": [cpu[1]],
            f"{count}: PSS MiB, master": [pss[0]],
            f"{count}: PSS MiB, backup": [pss[1]],
            f"{count}: crash, last address beyond its window, ms": upper,
            f"{count}: the same, last unanswered probe, ms": lower,
        }
    return results
