"""
What is wrong is told once, in a sentence that says what to do.

    fw1 ---+
    fw2 ---+- switch - other hosts
"""

import os
import re

import pytest
from lab import Carpd, Group, Keepalived, let_pass, wait_for
from lab.net import run
from words import ADDRESS, ADDRESS6, detail, start_pair


def _conflict(daemon):
    return wait_for(lambda: detail(daemon)["conflict"], 10, lambda: f"a conflict is seen\n{daemon.log()}")


def test_other_passphrase(lab):
    fw1, fw2 = lab.hosts("fw1", "fw2")
    first = Carpd(fw1, [Group(passphrase="correct horse")]).start()
    second = Carpd(fw2, [Group(passphrase="wrong horse")], advskew=100).start()
    for one in (first, second):
        one.wait_state("master")
    conflict = _conflict(first)
    assert conflict["source"] == fw2.ipv4 and "passphrase" in conflict["diagnosis"]
    wait_for(lambda: detail(first)["conflict"]["count"] >= 3, 10, "it goes on")
    done = first.carpctl("status")
    assert done.returncode == 1 and fw2.ipv4 in done.stdout and "passphrase" in done.stdout
    assert len([line for line in first.log().splitlines() if fw2.ipv4 in line and "vhid" in line]) == 1
    # It ends when the other one is put right.
    second.write_config([Group(passphrase="correct horse")])
    second.stop()
    second.start()
    second.wait_state("backup")
    wait_for(lambda: not detail(first)["conflict"], 45, "the conflict is over")
    wait_for(lambda: first.carpctl("status").returncode == 0, 5, "all is well")


SEALS = {
    "other-key": ("seal", {"keys": ("1:{0}",)}, {"keys": ("1:{1}",)}, "key"),
    "unknown-key": ("key", {"keys": ("1:{0}",), "seal": "require"}, {"keys": ("2:{0}",), "seal": "require"}, "key"),
    "unsealed": ("unsealed", {"seal": "require"}, {"seal": "off"}, "seal = offer"),
}


@pytest.mark.parametrize("case", SEALS)
def test_seals_that_do_not_fit(lab, case):
    """Two hosts that are deaf to each other are both masters, and say why."""
    reason, ours, theirs, advice = SEALS[case]
    files = [lab.new_path(f"{name}.key") for name in ("one", "other")]
    for path in files:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
            file.write(os.urandom(32).hex() + "\n")
    fw1, fw2 = lab.hosts("fw1", "fw2")
    both = []
    # The other one first: if it is not deaf itself, it would stay backup beside a master.
    for host, options, advskew in ((fw2, theirs, 0), (fw1, ours, 100)):
        keys = [key.format(*files) for key in options.get("keys", ())]
        daemon = Carpd(host, [Group(options={**options, **({"keys": keys} if keys else {})})], advskew=advskew).start()
        daemon.wait_state("master")
        both.insert(0, daemon)
    conflict = _conflict(both[0])
    assert conflict["source"] == fw2.ipv4 and conflict["reason"] == reason and advice in conflict["diagnosis"]
    done = both[0].carpctl("status")
    assert done.returncode == 1 and re.search(rf"CONFLICT +{fw2.ipv4} ", done.stdout)
    assert both[0].log().count("CONFLICT") == 1


@pytest.mark.parametrize("lacking", ["ours", "theirs"])
def test_missing_address(lab, lacking):
    fw1, fw2 = lab.hosts("fw1", "fw2")
    whole, part = (ADDRESS, "10.0.0.109", ADDRESS6), (ADDRESS, ADDRESS6)
    ours, theirs = (part, whole) if lacking == "ours" else (whole, part)
    first = Carpd(fw1, [Group(addresses=ours)]).start()
    Carpd(fw2, [Group(addresses=theirs)], advskew=100).start()
    diagnosis = _conflict(first)["diagnosis"]
    if lacking == "theirs":
        assert "10.0.0.109" in diagnosis
    else:
        assert "address" in diagnosis


@pytest.mark.parametrize("mac", ["virtual", "interface"])
def test_vrrp_router_with_our_id(lab, mac):
    """The two protocols do not hear each other, but share the virtual MAC. When it is gone, the problem is."""
    fw1, fw2 = lab.hosts("fw1", "fw2")
    first = Carpd(fw1, mac=mac).start()
    router = Keepalived(fw2, [Group(1, ("10.0.0.77",))]).start()

    def problem():
        # keepalived falls silent while it hears CARP, so this may be no more than a note.
        status = first.status()
        return next((text for text in status["problems"] + status["notes"] if "VRRP" in text), None)

    assert "id 1 too" in wait_for(problem, 15, "VRRP is reported")
    assert first.status()["state"] == "master"
    if mac == "interface":
        return
    router.crash()
    wait_for(lambda: not problem(), 90, "it is gone")
    assert first.log().count("a VRRP router on eth0 uses id 1") == first.log().count("no VRRP router") == 1


def test_vrrp_router_with_another_id(lab):
    fw1, fw2 = lab.hosts("fw1", "fw2")
    first = Carpd(fw1).start()
    Keepalived(fw2, [Group(9, ("10.0.0.77",))]).start()
    lab.wait_for_owner("10.0.0.77", fw2)
    first.wait_state("master")
    assert not first.status()["problems"]


def test_one_family_falls_silent(lab):
    """IPv6 adverts are lost: reported as degraded, nobody takes over."""
    fw1, fw2 = lab.hosts("fw1", "fw2")
    first, second = start_pair(lab, [Group(addresses=(ADDRESS, ADDRESS6))])


    rule = f'add rule bridge lab forward oifname "{lab.port(fw2)}" ip6 nexthdr 112 drop\n'
    run("ip", "netns", "exec", lab.switch, "nft", "-f", "-", text=rule)
    wait_for(lambda: any("IPv" in text for text in second.status()["problems"]), 10, "it is reported")
    assert second.status()["state"] == "backup" and first.status()["state"] == "master"
    assert lab.owners(ADDRESS) == [fw1]
    lab.heal()
    wait_for(lambda: not second.status()["problems"], 10, "it is over")


def test_more_addresses_than_the_gate_holds(lab):
    """What could not be fenced is named; it has the interface's MAC, or is kept out of service if it must not."""
    fw1 = lab.host("fw1")
    lab.unplug(fw1)
    many = [Group(vhid, tuple(f"10.{vhid}.{n // 250}.{n % 250 + 1}" for n in range(4100))) for vhid in range(1, 5)]
    first = Carpd(fw1, many).start()
    wait_for(lambda: "group4: the gate has no room" in first.log(), 10, "it is said")
    assert "group3: the gate has no room" not in first.log()
    assert [first.status(group.name)["mac"] for group in many] == ["virtual"] * 3 + ["interface"]


def test_somebody_removes_an_address_in_a_loop(lab):
    """Answered at once, then ever more slowly: the log and the other program stay readable, the status says so."""
    fw1 = lab.host("fw1")
    first = Carpd(fw1).start()
    first.wait_state("master")
    loop = fw1.start("sh", "-c", f"while :; do ip addr del {ADDRESS}/32 dev eth0 2>/dev/null; done")
    problem = wait_for(lambda: first.status()["problems"], 10, "the fight is a problem")[0]
    assert ADDRESS in problem and first.carpctl("status").returncode == 1
    loop.kill()
    wait_for(lambda: not first.status()["problems"], 20, "the fight is over")
    assert fw1.has(ADDRESS) and first.carpctl("status").returncode == 0
    lines = [line for line in first.log().splitlines() if "remove" in line]
    assert len([line for line in lines if "again and again" in line]) == 1
    assert len([line for line in lines if "any more" in line]) == 1
    assert len(lines) == 4, "two removals that may have been slips, the fight, and its end"


def test_interface_too_narrow_for_adverts(lab):
    """In trouble for as long as it lasts: what is sent to see whether sending works again must not fit either."""
    fw1 = lab.host("fw1")
    first = Carpd(fw1).start()
    first.wait_state("master")
    fw1.run("ip", "link", "set", "eth0", "mtu", "68")
    wait_for(lambda: "demoted by 100: sending eth0" in first.log(), 10, "nothing can be sent")
    # It is tried three times.
    let_pass(3.5, while_true=lambda: "no longer demoted" not in first.log())
    assert first.carpctl("status").returncode == 1
    fw1.run("ip", "link", "set", "eth0", "mtu", "1500")
    wait_for(lambda: first.carpctl("status").returncode == 0, 10, "all is well")
    first.wait_state("master")


def test_hash_link_local_differs(lab):
    """A carpd hears both forms, and names the option that a peer of another make would need."""
    fw1, fw2 = lab.hosts("fw1", "fw2")
    groups = [Group(1, ("10.0.0.100", "fe80::100"))]
    first, second = start_pair(lab, groups)
    assert not second.status()["problems"]
    first.write_config(hash_link_local=True)
    assert first.reload()["ok"]
    wait_for(lambda: second.status()["problems"], 10, "the other form is heard")
    (problem,) = second.status()["problems"]
    assert "covers link-local addresses" in problem and "hash-link-local = true here" in problem
    second.write_config(hash_link_local=True)
    assert second.reload()["ok"]
    sent = detail(second)["counters"]["adverts_received"]
    wait_for(lambda: detail(second)["counters"]["adverts_received"] >= sent + 2, 10, "two adverts")
    assert not second.status()["problems"]
