"""
255 groups on one interface: each has one master, and all move at once.

    fw1 (advskew 0) ---+
    fw2 (advskew 100) -+- switch - client
"""

import pytest
from lab import Carpd, Group, Prober, boottime_ns, sanitized, wait_for

pytestmark = pytest.mark.alone

COUNT = 255


def _serving(daemon):
    return (daemon.ctl("status", check=False) or {"serving": -1})["serving"]


def test_start_and_takeover(lab):
    fw1, fw2, client = lab.hosts("fw1", "fw2", "client")
    groups = Group.many(COUNT)
    first, second = Carpd(fw1, groups), Carpd(fw2, groups, advskew=100)
    begin_ns = boottime_ns()
    for one in (first, second):
        one.start(wait=False)
    wait_for(lambda: (_serving(first), _serving(second)) == (COUNT, 0), 10, "fw1 serves all")
    assert sanitized() or boottime_ns() - begin_ns < 4_500_000_000
    addresses = [group.addresses[0] for group in groups]
    prober = Prober(client, addresses, interval_us=50000)
    prober.wait_answered()
    crash_ns = first.crash()
    wait_for(lambda: _serving(second) == COUNT, 10, "fw2 serves all")
    assert sanitized() or boottime_ns() - crash_ns < 4_000_000_000
    prober.wait_answered()
    assert set(addresses) <= fw2.addresses()
    assert second.stop() == [0]
    assert not set(addresses) & fw2.addresses()
