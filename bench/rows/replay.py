"""The dead master's last advert sent again and again, twice a second."""

import time

from lab import Flood, boottime_ns
from pair import Pair

TITLE = "replay of the dead master's last advert at 2/s"
_SECONDS = 10


def _once(kind):
    """Seconds after the crash until the backup takes over; a word if it does not while the replay lasts."""
    with Pair(kind) as pair:
        attacker = pair.observer
        pair.start()
        sniffer = pair.sniff()
        time.sleep(2.2)
        crash_ns = pair.better.crash()
        last = [one for one in sniffer.adverts(pair.fw1) if one.time_ns <= crash_ns][-1]
        replay = Flood(attacker, [last.frame], _SECONDS, per_s=2)
        while boottime_ns() < crash_ns + _SECONDS * 1_000_000_000:
            if pair.held_by(pair.fw2):
                return (boottime_ns() - last.time_ns) / 1e9 - pair.worse.window_s
            time.sleep(0.01)
        replay.wait()
        return f"not in {_SECONDS} s"


def measure(kind, settings):
    return {"taken over beyond the window, s": [_once(kind) for _ in range(settings.runs(3, 1))]}
