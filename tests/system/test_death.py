"""
Processes that die, hang, or stop: whoever answers, it is one host, and nothing stays behind.

    fw1 (advskew 0) ---+
    fw2 (advskew 100) -+- switch - client, observer
"""

import os
import signal

import pytest
from lab import ArpObserver, Carpd, Group, Prober, boottime_ns, let_pass, wait_for
from words import ADDRESS, ADDRESS6, detail, leftovers, pid_of, ping, start_pair, transitions, wait_settled

GROUPS = [Group(addresses=(ADDRESS, ADDRESS6))]


@pytest.fixture(name="hosts")
def _hosts(lab):
    return lab.hosts("fw1", "fw2", "client", "observer")


def test_engine_killed(lab, hosts):
    fw1, fw2, client, observer = hosts
    first, second = start_pair(lab, GROUPS)
    arp = ArpObserver(observer, ADDRESS)
    wait_for(lambda: arp.owners() == {"fw1"}, 3, "fw1 answers")
    engine = pid_of(first, engine=True)
    os.kill(engine, signal.SIGKILL)
    killed_ns = boottime_ns()
    wait_for(lambda: not fw1.has(ADDRESS) and not fw1.has(ADDRESS6), 1, "the keeper drops them", every_s=0.001)
    last_ns = arp.last_answer_of(fw1)
    assert last_ns - killed_ns < 50_000_000
    second.wait_state("master", 8)
    wait_for(lambda: first.ctl("status", check=False), 5, "the engine is there again")
    assert pid_of(first, engine=True) != engine
    wait_settled(second, first)
    assert arp.stop().two_owners_ms() == 0
    assert ping(client, ADDRESS) and ping(client, ADDRESS6)
    assert "killed by signal 9" in first.log()


def test_keeper_killed(lab, hosts):
    """The engine notices, hands over and leaves nothing but the gate, which is shut."""
    fw1, fw2, client, _ = hosts
    first, second = start_pair(lab, GROUPS)
    prober = Prober(client, ADDRESS)
    prober.wait_answered()
    os.kill(pid_of(first, engine=False), signal.SIGKILL)
    lab.wait_for_owner(ADDRESS, fw2)
    wait_for(lambda: not first.pids(), 5, "the engine ends")
    assert not fw1.has(ADDRESS6)
    prober.wait_answered()
    assert prober.stop().outages() == []
    first.start()
    wait_settled(second, first)


def test_both_killed_then_cleaned(lab, hosts):
    """The gate falls shut before the other host rises; `carpd --clean` removes what is left."""
    fw1, fw2, client, observer = hosts
    first, second = start_pair(lab, GROUPS)
    arp = ArpObserver(observer, ADDRESS)
    wait_for(lambda: arp.owners() == {"fw1"}, 3, "fw1 answers")
    first.kill()
    second.wait_state("master", 8)
    wait_for(lambda: ping(client, ADDRESS) and ping(client, ADDRESS6), 3, "the client is answered")
    risen_ns = min(time_ns for time_ns, _, port, _ in arp.stop().answers() if port == "fw2")
    assert arp.last_answer_of(fw1) < risen_ns and arp.two_owners_ms() == 0
    assert fw1.has(ADDRESS)
    assert fw1.run(first.binary, "--clean", check=False).returncode == 0
    assert leftovers(fw1) == []


def test_both_killed_then_started(lab, hosts):
    fw1, _, client, _ = hosts
    first, second = start_pair(lab, GROUPS)
    first.kill()
    first.start()
    assert "earlier run" in first.log()
    assert first.status()["state"] == "backup" and not fw1.has(ADDRESS)
    wait_for(lambda: sorted(one.status()["state"] for one in (first, second)) == ["backup", "master"], 10, "one master")
    wait_for(lambda: ping(client, ADDRESS), 3, "the client is answered")


@pytest.mark.parametrize("terms", [(1, 0, 100), (0, 50, 100)], ids=["advbase-1", "advbase-0"])
def test_both_stopped_and_continued(lab, hosts, terms):
    """SIGSTOP is a host that hangs: silent before the other one speaks, and no second owner when it goes on."""
    fw1, fw2, client, observer = hosts
    advbase, *skews = terms
    first, second = start_pair(lab, GROUPS, skews, advbase=advbase)
    arp = ArpObserver(observer, ADDRESS)
    prober = Prober(client, [ADDRESS, ADDRESS6])
    prober.wait_answered()
    first.pause()
    paused_ns = boottime_ns()
    second.wait_state("master", 8)
    prober.wait_answered()
    risen_ns = min(time_ns for time_ns, _, port, _ in arp.answers(paused_ns) if port == "fw2")
    assert arp.last_answer_of(fw1) < risen_ns
    # By its own MAC neither: the shut gate does not depend on how the frame is addressed.
    client.run("ip", "neigh", "replace", ADDRESS, "lladdr", fw1.mac(), "dev", "eth0")
    assert not ping(client, ADDRESS)
    client.run("ip", "neigh", "replace", ADDRESS6, "lladdr", fw1.mac(), "dev", "eth0")
    assert not ping(client, ADDRESS6)
    client.run("ip", "neigh", "flush", "dev", "eth0")
    continued_ns = boottime_ns()
    first.resume()
    wait_settled(second, first)
    assert lab.owners(ADDRESS) == [fw2]
    let_pass(1, continued_ns)
    assert arp.stop().owners(continued_ns) == {"fw2"} and arp.two_owners_ms() == 0


def test_killed_then_a_run_that_said_nothing(lab, hosts):
    """A run after a kill begins its sequence ahead of the clock, and so must those after it, whatever they said."""
    first, second = start_pair(lab, GROUPS)
    first.kill()
    second.wait_state("master")
    first.start()
    wait_settled(second, first)
    assert second.ctl("handover")["handed_over"] == ["group1"]
    wait_settled(first, second)
    for _ in range(2):
        first.stop()
        first.start()
        wait_settled(second, first)
    assert second.ctl("handover")["handed_over"] == ["group1"]
    wait_settled(first, second)
    assert detail(second)["counters"]["dropped"]["replay"] == 0
    assert second.ctl("status")["healthy"] and hosts[0].has(ADDRESS)


def test_second_carpd_refuses(lab, hosts):
    fw1 = hosts[0]
    first = Carpd(fw1).start()
    second = Carpd(fw1, [Group(2, ("10.0.0.102",))])
    second.start(wait=False)
    assert second.processes[0].wait(5) != 0
    assert "running in this network namespace already" in second.log()
    first.wait_state("master")
    done = fw1.run(first.binary, "--clean", check=False)
    assert done.returncode != 0 and fw1.has(ADDRESS)


@pytest.mark.parametrize("mac", ["virtual", "interface"])
def test_stop_leaves_nothing(lab, mac):
    fw1 = lab.host("fw1", numbered=False)
    before = leftovers(fw1)
    first = Carpd(fw1, [Group(addresses=(f"{ADDRESS}/16", f"{ADDRESS6}/64"))], mac=mac).start()
    first.wait_state("master")
    assert fw1.has(ADDRESS) and leftovers(fw1) != before
    assert first.stop() == [0]
    assert leftovers(fw1) == before
    assert not os.path.exists(first.socket)


def test_stop_twice_is_now(lab, hosts):
    """A second SIGTERM does not wait for a successor."""
    fw1 = hosts[0]
    first = Carpd(fw1, GROUPS, handover_wait=60000).start()
    first.wait_state("master")
    process = first.processes[0]
    process.signal(signal.SIGTERM)
    wait_for(lambda: first.ctl("status", check=False) is None or first.status()["handing_over"], 5, "it hands over")
    assert process.running()
    process.signal(signal.SIGTERM)
    assert process.wait(5) == 0
    assert not fw1.has(ADDRESS)
    assert "a second time" in process.log() and "killed" not in process.log()


def test_transitions_survive_nothing_but_maintenance_does(lab, hosts):
    """A killed master under maintenance is demoted from its first moment on."""
    first, second = start_pair(lab, GROUPS)
    second.ctl("maintenance", "on")
    second.kill()
    second.start()
    assert second.ctl("status")["demotion"] == 254
    assert len(transitions(second)) == 1
    wait_settled(first, second)


def test_who_cannot_advertise_does_not_answer(lab):
    """A reign begins with an advert that left: until then the gate is ajar only while one is being sent."""
    fw1, client = lab.hosts("fw1", "client")
    rules = "chain e {\ntype filter hook egress device eth0 priority 0\nip protocol 112 drop\n}"
    fw1.run("nft", "-f", "-", text=f"table netdev t {{\n{rules}\n}}\n")
    first = Carpd(fw1).start()
    arp = ArpObserver(client, ADDRESS)
    first.wait_state("master")
    counters = wait_for(lambda: (now := detail(first)["counters"])["send_errors"] >= 5 and now, 10, "it tries")
    assert counters["adverts_sent"] == 0
    assert len(arp.stop().answers()) < counters["send_errors"]
