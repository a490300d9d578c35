"""
What a reload disturbs: nothing that did not change.

    fw1 (advskew 0) ---+
    fw2 (advskew 100) -+- switch - client (1000 probes/s)
"""

import os
import signal

import pytest
from lab import Carpd, Group, Prober, boottime_ns, let_pass, wait_for
from words import ADDRESS, ADDRESS6, detail, ping, start_pair, transitions, wait_settled


@pytest.fixture(name="pair")
def _pair(lab):
    lab.hosts("fw1", "fw2", "client")
    return start_pair(lab)


@pytest.fixture(name="prober")
def _prober(lab, pair):
    prober = Prober(lab.all_hosts[2], ADDRESS)
    prober.wait_answered()
    return prober


def _wait_adverts(daemon, count):
    """Until so many more were sent: whoever disagrees has said so by then."""
    sent = detail(daemon)["counters"]["adverts_sent"]
    wait_for(lambda: detail(daemon)["counters"]["adverts_sent"] >= sent + count, 10, f"{count} adverts")


def _undisturbed(pair, before, prober):
    prober.wait_answered()
    assert prober.stop().outages() == []
    assert [transitions(one) for one in pair] == before


def test_nothing_changed(pair, prober):
    before = [transitions(one) for one in pair]
    for one in pair:
        assert one.reload()["ok"]
    _wait_adverts(pair[0], 4)
    _undisturbed(pair, before, prober)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["master-first", "backup-first"])
def test_address_added_and_removed(lab, pair, prober, order):
    """On one host after the other: neither takes the other for a stranger meanwhile."""
    fw1, fw2, client = lab.all_hosts
    before = [transitions(one) for one in pair]
    for addresses in ((ADDRESS, "10.0.0.101", ADDRESS6), (ADDRESS,)):
        for index in order:
            pair[index].write_config([Group(addresses=addresses)])
            pair[index].reload()
            _wait_adverts(pair[0], 2)
        assert all(not one.status()["problems"] for one in pair), [one.status()["problems"] for one in pair]
        assert fw1.has("10.0.0.101") == ("10.0.0.101" in addresses) == ping(client, "10.0.0.101")
        assert fw1.has(ADDRESS6) == (ADDRESS6 in addresses)
        assert not fw2.has("10.0.0.101")
    _undisturbed(pair, before, prober)


def _on_two_lans(first, *, joined=False):
    """Groups on eth0 and eth1 in this order, each in a demotion group of its own unless they are joined."""
    groups = [Group(1, ("10.0.0.100",), "wan", "eth0", options={"demotion-group": "a"}),
              Group(2, ("10.1.0.100",), "lan", "eth1", options={"demotion-group": "a" if joined else "b"})]  # fmt: skip
    return groups if first == "eth0" else groups[::-1]


def test_demotion_follows_what_it_is_for(lab):
    """Groups and interfaces have other numbers after a reload; the one whose link is down is demoted, and no other."""
    fw1 = lab.hosts("fw1", lans=2)[0]
    carpd = Carpd(fw1, _on_two_lans("eth0")).start()
    carpd.wait_state("master", group="wan")
    carpd.wait_state("master", group="lan")
    lab.unplug(fw1, lan=1)
    carpd.wait_state("init", group="lan")

    def demotions():
        return [(one["name"], one["group"]) for one in carpd.ctl("status")["demotions"]]

    def said():
        return [entry["text"] for entry in carpd.ctl("log")["entries"]]

    for groups, scopes in ((_on_two_lans("eth1"), ["b"]), (_on_two_lans("eth0"), ["b"]),
                           (_on_two_lans("eth0", joined=True), ["a"]), (_on_two_lans("eth1")[:1], ["b"])):  # fmt: skip
        carpd.write_config(groups)
        assert carpd.reload()["ok"]
        assert demotions() == [("link eth1", scope) for scope in scopes]
    assert "no longer demoted: link eth1" not in said()
    carpd.write_config(_on_two_lans("eth0")[:1])
    assert carpd.reload()["ok"]
    assert demotions() == [] and said().count("no longer demoted: link eth1") == 1


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["master-first", "backup-first"])
def test_seal_rolled_out(lab, order):
    """off -> offer -> require, on one host after the other."""
    lab.hosts("fw1", "fw2", "client")
    pair = start_pair(lab, seal="off")
    prober = Prober(lab.all_hosts[2], ADDRESS)
    prober.wait_answered()
    before = [transitions(one) for one in pair]
    for seal in ("offer", "require"):
        for index in order:
            pair[index].write_config(seal=seal)
            pair[index].reload()
            _wait_adverts(pair[0], 2)
    assert detail(pair[1])["master_advert"]["sealed"]
    _undisturbed(pair, before, prober)


def test_group_added_and_removed(lab, pair, prober):
    fw1, fw2, client = lab.all_hosts
    before = transitions(pair[0])
    for one in pair:
        one.write_config([Group(), Group(2, ("10.0.0.102",))])
        one.reload()
    pair[0].wait_state("master", group="group2")
    pair[1].wait_state("backup", group="group2")
    second = Prober(client, "10.0.0.102")
    second.wait_answered()
    # The one that goes is handed over, also by a reload.
    pair[0].write_config([Group()])
    pair[0].reload()
    pair[1].wait_state("master", group="group2")
    second.wait_answered()
    assert second.stop().outages() == []
    assert not fw1.has("10.0.0.102") and fw2.has("10.0.0.102")
    assert [one for one in transitions(pair[0]) if one[0] == "group1"] == before
    prober.wait_answered()
    assert prober.stop().outages() == []


def test_bad_file(pair, prober):
    before = [transitions(one) for one in pair]
    with open(pair[0].config_path, "a", encoding="utf-8") as file:
        file.write("advskw = 1\nunheard-of = 2\n")
    done = pair[0].carpctl("reload")
    assert done.returncode != 0 and 'did you mean "advskew"' in done.stderr and "unheard-of" in done.stderr
    assert done.stderr.count("\n") == 1 and "\\x0a" not in done.stderr
    assert "advskw" in pair[0].log()
    _wait_adverts(pair[0], 2)
    _undisturbed(pair, before, prober)
    pair[0].write_config()
    assert pair[0].reload()["ok"]


def test_advskew_changed(lab, pair, prober):
    """The master becomes the worse one; with preempt the other takes over, and no probe is lost."""
    for one, skew in zip(pair, (200, 100)):
        one.write_config(advskew=skew, preempt=True)
        one.reload()
    wait_settled(pair[1], pair[0])
    let_pass(0.5)
    prober.wait_answered()
    assert prober.stop().outages() == []


@pytest.mark.parametrize("others", [(), (Group(2, ("10.0.0.102",)),)], ids=["alone", "beside-another"])
def test_mac_changed(lab, others):
    """Neighbours follow an announcement, and do not wait for what they remember to grow old; no gate stays behind."""
    _, _, client = lab.hosts("fw1", "fw2", "client")
    pair = start_pair(lab, [Group(), *others])
    prober = Prober(client, ADDRESS)
    for mac in ("interface", "virtual"):
        prober.wait_answered()
        begin_ns = boottime_ns()
        pair[0].write_config([Group(options={"mac": mac}), *others])
        pair[0].reload()
        assert pair[0].status()["mac"] == mac
        # Longer than a lease: what nobody extends any more has run out.
        let_pass(4, begin_ns)
        prober.wait_answered()
        assert prober.worst_outage_ms(begin_ns) < 250, mac
    prober.stop()
    assert [one for one in transitions(pair[1]) if one[0] == "group1"] == [("group1", "init", "backup")]


def test_file_changed_during_a_reload(lab):
    """A reload waits for a group that hands over; who asks again meanwhile gets what the file says then."""
    fw1 = lab.host("fw1")
    leaving = Group(2, ("10.0.0.102",))
    one = Carpd(fw1, [Group(), leaving], handover_wait=2000).start()
    for group in ("group1", "group2"):
        one.wait_state("master", group=group)
    one.write_config([Group()])
    one.signal(signal.SIGHUP)
    wait_for(lambda: one.status("group2")["handing_over"], 2, "group2 leaves")
    one.write_config([Group(), Group(3, ("10.0.0.103",))])
    one.signal(signal.SIGHUP)
    wait_for(lambda: {group["name"] for group in one.ctl("status")["groups"]} == {"group1", "group3"}, 8,
             "the last file is in force")  # fmt: skip


def test_stop_during_a_reload(lab):
    """What has stopped already does not rise again in the new configuration."""
    fw1, fw2 = lab.hosts("fw1", "fw2")
    leaving, staying = Group(), Group(2, ("10.0.0.102",))
    Carpd(fw2, [staying]).start().wait_state("master", group="group2")
    one = Carpd(fw1, [leaving, staying], advskew=100).start()
    one.wait_state("master", group="group1")
    one.write_config([staying])
    one.signal(signal.SIGHUP)
    one.signal(signal.SIGTERM)
    assert one.stop() == [0]


def test_what_changes_with_a_restart_only(lab):
    """The socket stays where it is, and at the end it is that one which goes: nothing at the new place is ours."""
    fw1 = lab.host("fw1")
    one = Carpd(fw1).start()
    stranger = lab.new_path("stranger")
    with open(stranger, "w", encoding="ascii") as file:
        file.write("precious")
    with open(one.config_path, encoding="utf-8") as file:
        text = file.read()
    with open(one.config_path, "w", encoding="utf-8") as file:
        file.write(text.replace(f'"{one.socket}"', f'"{stranger}"'))
    assert one.reload()["ok"] and "restart" in one.log()
    assert one.stop() == [0]
    assert os.path.exists(stranger) and not os.path.exists(one.socket)
    # Nor does a start take anything but a socket for its own leftover.
    with pytest.raises(RuntimeError):
        one.start()
    with open(stranger, encoding="ascii") as file:
        assert file.read() == "precious"


def test_address_moves_to_another_group(lab):
    """From group to group on one interface, and the groups' ids swapped: the address is never away."""
    _, _, client = lab.hosts("fw1", "fw2", "client")
    moving = "10.0.0.101"

    def groups(ids, first, second):
        return [Group(ids[0], first, name="wan"), Group(ids[1], second, name="lan")]

    start = groups((1, 2), (ADDRESS, moving), ("10.0.0.102",))
    both = start_pair(lab, start)
    prober = Prober(client, [ADDRESS, moving, "10.0.0.102"])
    prober.wait_answered()
    for change in (
        groups((1, 2), (ADDRESS,), ("10.0.0.102", moving)),
        groups((2, 1), (ADDRESS,), ("10.0.0.102", moving)),
    ):
        for one in both:
            one.write_config(change)
            one.reload()
        wait_settled(*both)
        prober.wait_answered()
    prober.stop()
    assert [prober.outages(target=target) for target in range(3)] == [[], [], []]
    assert "somebody removed" not in both[0].log()
    _wait_adverts(both[0], 2)
    both[0].stop()
    assert not any(both[0].host.has(one) for one in (ADDRESS, moving, "10.0.0.102"))
