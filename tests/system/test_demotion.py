"""
Demotion: the roles swap at once, also without preempt (OpenBSD's carp_1), and a host that loses one LAN leaves both.

    fw1 =+= switch LAN 0
    fw2 =+= switch LAN 1
"""

import pytest
from lab import Group, boottime_ns, sanitized, wait_for
from words import detail, start_pair, transitions, wait_settled

BOTH_LANS = [Group(1, ("10.0.0.100",)), Group(2, ("10.1.0.100", "fd00:1::100"), interface="eth1")]


@pytest.mark.alone
def test_roles_swap_within_a_tenth_of_a_second(lab):
    lab.hosts("fw1", "fw2")
    first, second = start_pair(lab)
    for loser, winner in ((first, second), (second, first)):
        first.carpctl("undemote", "trial")
        before = len(transitions(winner))
        begin_ns = boottime_ns()
        loser.ctl("demote", "trial", "50")
        wait_for(lambda: len(transitions(winner)) > before, 1, "the other host rises", every_s=0.001)
        # The commands themselves take a few milliseconds each; with sanitizers, longer than all that.
        assert sanitized() or boottime_ns() - begin_ns < 100_000_000
        wait_settled(winner, loser)
    assert {one["name"]: one["value"] for one in second.ctl("status")["demotions"]} == {"trial": 50}


def test_undemote_returns_with_preempt(lab):
    lab.hosts("fw1", "fw2")
    first, second = start_pair(lab, preempt=True)
    first.ctl("demote", "trial", "1")
    wait_settled(second, first)
    first.ctl("undemote", "trial")
    wait_settled(first, second)


def test_value_out_of_range(lab):
    """Negative and overflowing values (FreeBSD's negative_demotion): refused, and never two masters."""
    lab.hosts("fw1", "fw2")
    first, second = start_pair(lab, preempt=True)
    for value in ("-1", "0", "256", "4294967295", "99999999999999999999", "x"):
        done = first.carpctl("demote", "trial", value)
        assert done.returncode != 0, value
        assert 1 <= done.stderr.count("\n") <= 2, done.stderr
    assert first.ctl("status")["demotion"] == 0
    first.ctl("demote", "a", "255")
    first.ctl("demote", "b", "255")
    assert first.ctl("status")["demotion"] == 255
    wait_settled(second, first)
    done = first.carpctl("undemote", "unknown")
    assert done.returncode != 0 and "unknown" in done.stderr


def test_one_of_two_lans_fails(lab):
    lab.hosts("fw1", "fw2", lans=2)
    first, second = start_pair(lab, BOTH_LANS, preempt=True)
    lab.unplug(lab.all_hosts[0], lan=1)
    # This one is told, the one on the dead LAN is found silent.
    second.wait_state("master", 1, "group1")
    second.wait_state("master", 5, "group2")
    status = first.ctl("status")
    assert [group["state"] for group in status["groups"]] == ["backup", "init"]
    assert status["demotion"] > 0 and not status["healthy"]
    done = first.carpctl("status")
    assert done.returncode == 1 and "eth1" in done.stdout
    assert lab.owners("10.0.0.100") == [lab.all_hosts[1]]
    lab.plug(lab.all_hosts[0], lan=1)
    wait_settled(first, second)
    assert first.ctl("status")["demotion"] == 0


def test_demotion_group_splits(lab):
    lab.hosts("fw1", "fw2", lans=2)
    groups = [Group(one.vhid, one.addresses, interface=one.interface, options={"demotion-group": one.interface})
              for one in BOTH_LANS]  # fmt: skip
    first, second = start_pair(lab, groups)
    lab.unplug(lab.all_hosts[0], lan=1)
    second.wait_state("master", group="group2")
    assert first.status("group1")["state"] == "master" and second.status("group1")["state"] == "backup"
    # Told once, and by the name of the group that it concerns; the host as a whole is not demoted.
    status = first.ctl("status")
    assert status["demotion"] == 0 and not status["healthy"]
    assert [(one["name"], one["group"], one["value"]) for one in status["demotions"]] == [("link eth1", "eth1", 100)]
    headline = " ".join(first.carpctl("status").stdout.split("\n\n")[0].split())
    assert headline.count("demoted by") == 1 and "eth1 demoted by 100 (link eth1:" in headline, headline


@pytest.mark.parametrize("preempt", [False, True])
def test_backup_is_demoted_and_nothing_moves(lab, preempt):
    lab.hosts("fw1", "fw2")
    first, second = start_pair(lab, preempt=preempt)
    count = len(transitions(first)), len(transitions(second))
    second.ctl("demote", "trial", "100")
    sent = detail(first)["counters"]["adverts_sent"]
    wait_for(lambda: detail(first)["counters"]["adverts_sent"] >= sent + 2, 5, "two adverts")
    assert (len(transitions(first)), len(transitions(second))) == count
