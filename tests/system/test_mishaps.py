"""
One mishap after the other, at moments that nobody chose: never two hosts after the new master's first answer.

    fw1 ---+
    fw2 ---+- switch - observer, which asks a thousand times a second and tells the hosts apart

SEED=n repeats what happens and after how long; the moments themselves are the machine's.
"""

import os
import random
import signal

import pytest
from lab import ArpObserver, Carpd, Group, boottime_ns, let_pass, wait_for
from words import ADDRESS, ADDRESS6, leftovers, pid_of

pytestmark = pytest.mark.alone

# While a predecessor serves on it can be heard beside its successor for as long as an advert takes to reach it
# (doc/invariants.md, "rivals"), on a machine that may be busy.
ONE_WAY_NS = 20_000_000


def _signal_one(daemon, engine, number):
    os.kill(pid_of(daemon, engine), number)


def _start_again(daemon):
    wait_for(lambda: not daemon.pids(), 10, "the last run has ended")
    daemon.start()


def _nothing(_):
    pass


# What happens, what mends it, and whether the victim goes on serving until its successor is heard.
MISHAPS = {
    "engine killed": (lambda one: _signal_one(one, True, signal.SIGKILL), _nothing, False),
    "keeper killed": (lambda one: _signal_one(one, False, signal.SIGKILL), _start_again, True),
    "both killed": (Carpd.kill, _start_again, False),
    "both stopped": (Carpd.pause, Carpd.resume, False),
    "engine stopped": (lambda one: _signal_one(one, True, signal.SIGSTOP), Carpd.resume, False),
    "clean stop": (Carpd.stop, _start_again, True),
    "restart": (lambda one: (one.stop(), one.start()), _nothing, True),
    "cable out": (lambda one: one.host.lab.unplug(one.host), lambda one: one.host.lab.plug(one.host), False),
    "handover": (lambda one: one.ctl("handover"), _nothing, True),
    "demoted": (lambda one: one.ctl("demote", "mishap", "50"), lambda one: one.ctl("undemote", "mishap"), True),
}


def _master_and_backup(pair):
    """Both if the pair is healthy, else None."""
    groups = {}
    for one in pair:
        answer = one.ctl("status", check=False)
        if not answer or answer["demotion"] or answer["groups"][0]["problems"]:
            return None
        groups[answer["groups"][0]["state"]] = answer["groups"][0], one
    if set(groups) != {"master", "backup"} or not groups["backup"][0]["master"]:
        return None
    return groups["master"][1], groups["backup"][1]


def _wait_healthy(pair, arp):
    master, backup = wait_for(lambda: _master_and_backup(pair), 30, "one master, and a backup that knows it")
    begin_ns = boottime_ns()
    wait_for(lambda: arp.owners(begin_ns), 5, "somebody answers")
    assert arp.owners(begin_ns) == {master.host.name}
    return master, backup


def _overlap_ns(answers, before, after):
    """From the successor's first answer to its predecessor's last one; negative is a gap, None no succession."""
    of_both = {one: [time_ns for time_ns, _, port, _ in answers if port == one.host.name] for one in (before, after)}
    return max(of_both[before]) - min(of_both[after]) if of_both[before] and of_both[after] else None


def _round(chance, pair, arp, mishap):
    happen, mend, serves_on = MISHAPS[mishap]
    master, backup = _wait_healthy(pair, arp)
    victim = chance.choice((master, master, master, backup))
    begin_ns = boottime_ns()
    happens_s = chance.random()
    lasts_s = chance.random() * 1.5 * max(one.window_s for one in pair)
    let_pass(happens_s, begin_ns)
    happen(victim)
    let_pass(lasts_s)
    mend(victim)
    _wait_healthy(pair, arp)
    overlap_ns = _overlap_ns(arp.answers(begin_ns), master, backup)
    what = f"{mishap} at {victim.host.name}, {master.host.name} being master, for {lasts_s:.3f} s"
    print(what, "" if overlap_ns is None else f"overlap {overlap_ns / 1e6:.3f} ms")
    assert overlap_ns is None or overlap_ns < (ONE_WAY_NS if serves_on and victim is master else 0), what


@pytest.mark.parametrize("terms", [(1, (0, 100), 6), (0, (50, 100), 10)], ids=["advbase-1", "advbase-0"])
def test_never_two(lab, terms):
    advbase, skews, rounds = terms
    seed = int(os.environ.get("SEED", random.randrange(1 << 32)))
    print("SEED", seed)
    chance = random.Random(seed)
    hosts = lab.hosts("fw1", "fw2", "observer")[:2]
    before = [leftovers(host) for host in hosts]
    groups = [Group(addresses=(ADDRESS, ADDRESS6))]
    pair = [Carpd(host, groups, advbase=advbase, advskew=skew).start() for host, skew in zip(hosts, skews)]
    arp = ArpObserver(lab.all_hosts[2], ADDRESS)
    for mishap in chance.sample(list(MISHAPS), rounds):
        _round(chance, pair, arp, mishap)
    for one in pair:
        assert one.stop() == [0]
    assert [leftovers(host) for host in hosts] == before
