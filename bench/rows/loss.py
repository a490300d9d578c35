"""One advert in five is lost; the hosts and every other packet are well."""

import time

from lab import Group, boottime_ns
from pair import Pair, takeovers

TITLE = "20 % of adverts lost"


def measure(kind, settings):
    count, seconds = settings.pick(20, 10), settings.pick(150, 30)
    with Pair(kind, Group.many(count)) as pair:
        pair.start()
        sniffer, prober = pair.sniff(), pair.probe(interval_us=5000)
        for host in (pair.fw1, pair.fw2):
            pair.lab.lose(host, 20)
        begin_ns = boottime_ns()
        time.sleep(seconds)
        pair.lab.heal()
        prober.stop()
        records = prober.records(begin_ns)
        adverts = sniffer.stop().adverts(since_ns=begin_ns)
        worst = max(prober.worst_outage_ms(begin_ns, target=target) for target in range(count))
        return {
            f"false takeovers in {count * seconds} group-seconds": [takeovers(adverts, pair.fw2)],
            "worst client outage, ms": [worst],
            "probes lost, %": [100 * sum(1 for one in records if not one.answered_ns) / len(records)],
        }
