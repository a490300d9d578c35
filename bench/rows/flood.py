"""Bad packets at full speed for at most ten seconds."""

import time

import attack
from lab import Flood, boottime_ns
from pair import Pair, takeovers

TITLE = "bad packets"


def _missed(adverts, begin_ns, end_ns, interval_s):
    """Adverts that should have come in this span and did not."""
    times = [begin_ns] + [one.time_ns for one in adverts if begin_ns < one.time_ns < end_ns] + [end_ns]
    # An advert is due once an interval; one and a half intervals apart means one is missing.
    return sum(max(0, round((b - a) / 1e9 / interval_s - 0.45) - 1) for a, b in zip(times, times[1:]))


def _once(kind, make_frames, seconds, per_s=0):
    """One flood: what came of it; nothing if there is no such packet of this daemon."""
    with Pair(kind) as pair:
        attacker = pair.observer
        pair.start()
        sniffer, prober = pair.sniff(), pair.probe()
        time.sleep(2.2)
        before = sniffer.adverts(pair.fw1)
        frames = make_frames(before[-1], attacker.mac(), attacker.ipv4)
        if not frames:
            return {}
        log_before = pair.better.log_bytes() + pair.worse.log_bytes()
        begin_ns = boottime_ns()
        sent = Flood(attacker, frames, seconds, per_s).wait()
        end_ns = boottime_ns()
        time.sleep(2.5)
        prober.stop()
        adverts = sniffer.stop().adverts(since_ns=begin_ns)
        mine = [one for one in adverts if one.source == pair.fw1.ipv4]
        return {
            "packets/s": sent / (end_ns - begin_ns) * 1e9,
            "flips": takeovers(before + adverts, pair.fw2),
            "adverts missed": _missed(mine, begin_ns, end_ns, mine[0].interval_s if mine else 1),
            "log, KiB": (pair.better.log_bytes() + pair.worse.log_bytes() - log_before) / 1024,
            "probes lost": prober.lost(begin_ns),
        }


def measure(kind, settings):
    results = {}
    ways = [(name, make, 0) for name, make in attack.KINDS.items()]
    ways.append(("wrong digest, 5/s only", attack.wrong_digest, 5))
    for name, make, per_s in ways:
        for _ in range(settings.runs(3, 1)):
            for metric, value in _once(kind, make, settings.pick(10, 4), per_s).items():
                results.setdefault(f"{name}: {metric}", []).append(value)
    return results
