"""
Debian's ucarp, unmodified, in one group with carpd, which seals its adverts all the while.

    fw1 ---+
    fw2 ---+- switch
"""

import pytest
from lab import Carpd, Group, Ucarp, wait_for
from words import ADDRESS, detail, transitions


@pytest.fixture(name="hosts")
def _hosts(lab):
    return lab.hosts("fw1", "fw2")


def heard(daemon, count=2):
    """Until carpd has heard so many more adverts of its peer."""
    start = detail(daemon)["counters"]["adverts_received"]
    wait_for(lambda: detail(daemon)["counters"]["adverts_received"] >= start + count, 10, "adverts of ucarp")


def sent(daemon, count=4):
    start = detail(daemon)["counters"]["adverts_sent"]
    wait_for(lambda: detail(daemon)["counters"]["adverts_sent"] >= start + count, 15, "adverts of carpd")


@pytest.mark.parametrize("how", ["stop", "crash"])
def test_ucarp_takes_over_and_carpd_comes_back(lab, hosts, how):
    fw1, fw2 = hosts
    ours = Carpd(fw1, preempt=True).start()
    lab.wait_for_owner(ADDRESS, fw1)
    theirs = Ucarp(fw2, advskew=100)
    theirs.start()
    sent(ours)
    assert lab.owners(ADDRESS) == [fw1], "ucarp hears our sealed adverts"
    if how == "stop":
        ours.stop()
        lab.wait_for_owner(ADDRESS, fw2, 12)
        ours.start()
        lab.wait_for_owner(ADDRESS, fw1, 15)
    else:
        ours.crash()
        wait_for(lambda: fw2.has(ADDRESS), 12, "ucarp has the address")


@pytest.mark.parametrize("how", ["stop", "crash"])
def test_carpd_takes_over_from_ucarp(lab, hosts, how):
    fw1, fw2 = hosts
    theirs = Ucarp(fw1, advskew=0)
    theirs.start()
    lab.wait_for_owner(ADDRESS, fw1)
    ours = Carpd(fw2, advskew=100, preempt=True).start()
    heard(ours)
    assert ours.status()["master"] == fw1.ipv4 and lab.owners(ADDRESS) == [fw1]
    if how == "stop":
        theirs.stop()
        lab.wait_for_owner(ADDRESS, fw2)
        theirs.start()
        lab.wait_for_owner(ADDRESS, fw1, 15)
        ours.wait_state("backup")
    else:
        theirs.crash()
        ours.wait_state("master")


def test_fast_mode_listens_first(lab, hosts):
    """carpd with the shortest interval starts beside a ucarp that advertises once a second; preempt is off."""
    fw1, fw2 = hosts
    Ucarp(fw1, advskew=0).start()
    lab.wait_for_owner(ADDRESS, fw1)
    ours = Carpd(fw2, advbase=0, advskew=1).start()
    heard(ours, 3)
    assert [to for _, _, to in transitions(ours)] == ["backup"]
    assert ours.status()["master"] == fw1.ipv4 and lab.owners(ADDRESS) == [fw1]


@pytest.mark.parametrize("ours_first", [True, False])
def test_equal_skews_have_one_owner(lab, hosts, ours_first):
    ours, theirs = Carpd(hosts[0]), Ucarp(hosts[1], advskew=0)
    for daemon in (ours, theirs) if ours_first else (theirs, ours):
        daemon.start()
    wait_for(lambda: len(lab.owners(ADDRESS)) == 1, 15, "one owner")

    def adverts():
        counters = detail(ours)["counters"]
        return counters["adverts_sent"] + counters["adverts_received"]

    start = adverts()
    wait_for(lambda: adverts() >= start + 5, 20, "five more adverts, whoever sends them")
    assert len(lab.owners(ADDRESS)) == 1


def test_wrong_passphrase_is_a_conflict(lab, hosts):
    ours = Carpd(hosts[0]).start()
    ours.wait_state("master")
    Ucarp(hosts[1], [Group(passphrase="another")], advskew=100).start()
    wait_for(lambda: ours.status()["problems"], 15, "the conflict is seen")
    problem = ours.status()["problems"][0]
    assert hosts[1].ipv4 in problem and "passphrase" in problem
    sent(ours)
    assert ours.log().count("CONFLICT") == 1, "told once"
    assert ours.carpctl("status").returncode == 1


def test_tcpdump_reads_our_adverts(lab, hosts):
    """tcpdump -T carp as a second witness of the wire."""
    ours = Carpd(hosts[0], [Group(7, (ADDRESS,))], advskew=33).start()
    ours.wait_state("master")
    seen = hosts[1].run("timeout", "8", "tcpdump", "-lnn", "-i", "eth0", "-T", "carp", "-c", "1", "proto", "112",
                        check=False).stdout
    assert "CARPv2-advertise" in seen and "vhid=7" in seen and "advskew=33" in seen and "advbase=1" in seen


def test_maintenance_beside_a_ucarp_that_does_not_preempt(lab, hosts):
    """A demotion moves nothing to it, which is said; maintenance does, and so does a hand-over."""
    fw1, fw2 = hosts
    # ucarp hears adverts up to a second late, and the goodbye is one.
    ours = Carpd(fw1, preempt=True, handover_wait=20000).start()
    lab.wait_for_owner(ADDRESS, fw1)
    Ucarp(fw2, advskew=100, preempt=False).start()
    sent(ours)

    ours.ctl("demote", "trial", "100")
    wait_for(lambda: ours.status()["problems"], 15, "the demotion that moves nothing is told")
    (problem,) = ours.status()["problems"]
    assert "nobody takes over" in problem and "--preempt" in problem
    assert ours.log().count("nobody takes over") == 1 and lab.owners(ADDRESS) == [fw1]
    ours.ctl("undemote", "trial")
    assert not ours.status()["problems"]

    done = ours.carpctl("maintenance", "on")
    assert done.returncode == 0 and "group1 handed over" in done.stdout, done.stdout
    lab.wait_for_owner(ADDRESS, fw2)
    ours.ctl("maintenance", "off")
    lab.wait_for_owner(ADDRESS, fw1, 15)


def test_maintenance_without_a_peer(hosts):
    ours = Carpd(hosts[0]).start()
    ours.wait_state("master")
    done = ours.carpctl("maintenance", "on")
    assert done.returncode == 1 and "group1 kept: nobody took over" in done.stdout, done.stdout
    assert ours.status()["state"] == "master"
    assert [one["name"] for one in ours.ctl("status")["demotions"]] == ["maintenance"]
