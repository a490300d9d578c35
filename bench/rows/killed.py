"""The daemon dies or hangs while its host and its cable live: who answers for the address?"""

import signal
import time

from lab import ArpObserver, boottime_ns
from lab.process import send
from pair import ADDRESS, Pair

TITLE = "daemon SIGKILLed or SIGSTOPped"


def _engine(daemon):
    """The processes below the first one; a daemon of one process is that process."""
    pids = daemon.pids()
    return pids[1:] or pids


_WAYS = {
    "SIGKILL of all": lambda daemon: send(daemon.pids(), signal.SIGKILL),
    "SIGKILL of the engine": lambda daemon: send(_engine(daemon), signal.SIGKILL),
    "SIGSTOP of all": lambda daemon: send(daemon.pids(), signal.SIGSTOP),
}


def _once(kind, way):
    """(hosts that answer ARP after the takeover, ms with two answers to one question in 3 s, ms without any)."""
    with Pair(kind) as pair:
        pair.start()
        observer = ArpObserver(pair.observer, ADDRESS)
        time.sleep(0.5)
        begin_ns = boottime_ns()
        way(pair.better)
        # A restarted engine may well keep its addresses; then nobody takes over.
        end = time.monotonic() + pair.worse.window_s + 3
        while "fw2" not in observer.owners(begin_ns) and time.monotonic() < end:
            time.sleep(0.05)
        time.sleep(3)
        observer.stop()
        answers = observer.answers(begin_ns)
        first_ns = next((time_ns for time_ns, _, port, _ in answers if port == "fw2"), begin_ns)
        times = [begin_ns] + [time_ns for time_ns, *_ in answers]
        silent_ms = max((b - a) / 1e6 for a, b in zip(times, times[1:])) if len(times) > 1 else None
        return len(observer.owners(first_ns)), observer.two_owners_ms(first_ns), silent_ms


def measure(kind, settings):
    results = {}
    for name, way in _WAYS.items():
        runs = [_once(kind, way) for _ in range(settings.runs(3, 1))]
        results[f"{name}: hosts answering after the takeover"] = [run[0] for run in runs]
        results[f"{name}: two owners, ms of 3 s"] = [run[1] for run in runs]
        results[f"{name}: nobody answers, ms"] = [run[2] for run in runs]
    return results
