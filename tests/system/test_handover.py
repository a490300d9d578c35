"""
A master that leaves on purpose loses no probe of a client that sends a thousand a second.

    fw1 ---+
    fw2 ---+- switch - client (1000 probes/s, IPv4 and IPv6)
"""

import pytest
from lab import ArpObserver, Carpd, Group, Prober, boottime_ns, let_pass
from words import ADDRESS, ADDRESS6, start_pair, transitions, wait_settled

# A frame that the load of other tests holds up on its way to the old master is a lost probe.
pytestmark = pytest.mark.alone

GROUPS = [Group(addresses=(ADDRESS, ADDRESS6))]
MACS = ["virtual", "interface"]


@pytest.fixture(name="pair", params=MACS)
def _pair(lab, request):
    lab.hosts("fw1", "fw2", "client")
    return start_pair(lab, GROUPS, mac=request.param)


@pytest.fixture(name="prober")
def _prober(lab, pair):
    prober = Prober(lab.all_hosts[2], [ADDRESS, ADDRESS6])
    prober.wait_answered()
    return prober


def _nothing_lost(prober):
    """Also none of the next half second, and the outages themselves as the message."""
    let_pass(0.5)
    prober.wait_answered()
    prober.stop()
    assert [prober.outages(target=target) for target in (0, 1)] == [[], []]


def test_stop(lab, pair, prober):
    fw1, fw2 = lab.all_hosts[:2]
    assert pair[0].stop() == [0]
    lab.wait_for_owner(ADDRESS, fw2)
    assert not fw1.has(ADDRESS6) and fw2.has(ADDRESS6)
    _nothing_lost(prober)


def test_handover_and_it_does_not_come_back(lab, pair, prober):
    answer = pair[0].ctl("handover")
    assert answer["handed_over"] == ["group1"] and not answer["kept"]
    wait_settled(pair[1], pair[0])
    after = transitions(pair[0])
    # A whole window.
    let_pass(4, while_true=lambda: transitions(pair[0]) == after and lab.owners(ADDRESS) == [lab.all_hosts[1]])
    _nothing_lost(prober)


def test_handover_without_anybody_to_take_over(lab):
    fw1, client = lab.hosts("fw1", "client")
    first = Carpd(fw1, GROUPS).start()
    first.wait_state("master")
    prober = Prober(client, [ADDRESS, ADDRESS6])
    prober.wait_answered()
    answer = first.ctl("handover")
    assert not answer["handed_over"] and answer["kept"][0]["group"] == "group1"
    assert first.status()["state"] == "master"
    _nothing_lost(prober)


def test_maintenance(lab, pair, prober):
    """It moves the service, stays over a restart, and when it ends nothing moves by itself: preempt is off."""
    first, second = pair
    first.ctl("maintenance", "on")
    wait_settled(second, first)
    assert first.stop() == [0]
    first.start()
    first.wait_state("backup")
    assert [one["name"] for one in first.ctl("status")["demotions"]] == ["maintenance"]
    assert second.status()["state"] == "master"
    first.ctl("maintenance", "off")
    assert first.ctl("status")["demotion"] == 0
    _nothing_lost(prober)


@pytest.mark.parametrize("mac", MACS)
def test_preempting_host_returns(lab, mac):
    fw1, fw2, client, observer = lab.hosts("fw1", "fw2", "client", "observer")
    first, second = start_pair(lab, GROUPS, preempt=True, mac=mac)
    prober = Prober(client, [ADDRESS, ADDRESS6])
    prober.wait_answered()
    arp = ArpObserver(observer, ADDRESS)
    first.stop()
    lab.wait_for_owner(ADDRESS, fw2)
    first.start()
    lab.wait_for_owner(ADDRESS, fw1)
    wait_settled(first, second)
    _nothing_lost(prober)
    # Without a gate the addresses answer from the moment they are taken, and the
    # advert waits until the kernel routes the IPv6 one (50 ms at most).
    assert arp.stop().two_owners_ms() <= (5 if mac == "virtual" else 55)


def test_preempt_after_maintenance(lab):
    lab.hosts("fw1", "fw2", "client")
    first, second = start_pair(lab, GROUPS, preempt=True)
    prober = Prober(lab.all_hosts[2], [ADDRESS, ADDRESS6])
    prober.wait_answered()
    first.ctl("maintenance", "on")
    wait_settled(second, first)
    first.ctl("maintenance", "off")
    wait_settled(first, second)
    _nothing_lost(prober)


def test_preempt_delay(lab):
    """The better host waits after its start, and takes over when the delay is over."""
    fw1, fw2 = lab.hosts("fw1", "fw2")
    second = Carpd(fw2, advskew=100).start()
    second.wait_state("master")
    begin_ns = boottime_ns()
    first = Carpd(fw1, preempt=True, preempt_delay=5).start()
    lab.wait_for_owner(ADDRESS, fw1)
    assert boottime_ns() - begin_ns > 4_900_000_000
    wait_settled(first, second)
