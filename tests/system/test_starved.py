"""
An engine that gets no processor, on a host whose kernel goes on: the gate falls silent by itself.

    fw1 (advskew 0), its engine on a processor that a real-time loop takes away ---+
    fw2 (advskew 100) -------------------------------------------------------------+- switch
    stuck, which goes on asking fw1 whatever it is told; observer -----------------+
"""

import os

import pytest
from lab import ArpObserver, Group, Hog, Prober, Sniffer, TcpEcho, TcpHold, boottime_ns, wait_for
from words import ADDRESS, ADDRESS6, detail, pid_of, start_pair, transitions, wait_settled

pytestmark = pytest.mark.alone

FROM_SHARED = f"inbound and (src host {ADDRESS} or src host {ADDRESS6})"


@pytest.fixture(name="processors")
def _processors():
    """Everything of the story is on the second of two, the switch and the kernels' part of the hosts included."""
    before = sorted(os.sched_getaffinity(0))
    if len(before) < 2:
        pytest.skip("needs two processors")
    os.sched_setaffinity(0, before[1:])
    yield before[:2]
    os.sched_setaffinity(0, before)


def _ask_for_ever(host, whom):
    """Echoes and connections, of both families, that go to this one host's own MAC."""
    for address in (ADDRESS, ADDRESS6):
        host.run("ip", "neigh", "replace", address, "lladdr", whom.mac(), "nud", "permanent", "dev", "eth0")
    TcpEcho(whom)
    return [Prober(host, ADDRESS), Prober(host, ADDRESS6), TcpHold(host, ADDRESS), TcpHold(host, ADDRESS6)]


@pytest.mark.parametrize("terms", [(1, (0, 100), 6), (0, (50, 100), 3)], ids=["advbase-1", "advbase-0"])
def test_silent_before_the_other_speaks(lab, processors, terms):
    advbase, skews, hog_s = terms
    fw1, _, stuck, observer = lab.hosts("fw1", "fw2", "stuck", "observer")
    first, second = start_pair(lab, [Group(addresses=(ADDRESS, ADDRESS6))], skews, advbase=advbase)
    engine = pid_of(first, engine=True)
    assert os.sched_getscheduler(engine) & ~os.SCHED_RESET_ON_FORK == os.SCHED_FIFO
    os.sched_setaffinity(engine, {processors[0]})
    arp = ArpObserver(observer, ADDRESS)
    sniffer = Sniffer(lab, fw1, expression=FROM_SHARED)
    askers = _ask_for_ever(stuck, fw1)
    wait_for(lambda: all(one.last_answer_ns for one in askers) and arp.owners() == {"fw1"}, 5, "fw1 answers all")

    hog = Hog(fw1, processors[0], hog_s)
    starved_ns = boottime_ns()
    second.wait_state("master", hog_s)
    wait_for(lambda: "fw2" in arp.owners(starved_ns), 3, "fw2 answers")
    assert hog.running()
    risen = transitions(second)
    hog.wait()

    wait_settled(second, first)
    after = detail(second)["counters"]["adverts_sent"]
    wait_for(lambda: detail(second)["counters"]["adverts_sent"] >= after + 4, 10, "longer than a window")
    risen_ns = min(time_ns for time_ns, _, port, _ in arp.stop().answers(starved_ns) if port == "fw2")
    assert starved_ns < arp.last_answer_of(fw1) < risen_ns
    for one in askers:
        assert starved_ns < one.stop().last_answer_ns < risen_ns
    # Nothing else either, such as a neighbour advertisement or an announcement.
    assert max(time_ns for time_ns, _ in sniffer.stop().frames()) < risen_ns
    assert transitions(second) == risen and pid_of(first, engine=True) == engine
    assert transitions(first)[-1] == ("group1", "master", "backup")
    assert lab.owners(ADDRESS) == lab.owners(ADDRESS6) == [second.host]
