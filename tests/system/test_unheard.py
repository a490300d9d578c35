"""
Two masters that do not listen to each other, by their settings: each that can know says why and what to do.

    fw1 (advskew 0) ---+
    fw2 (advskew 100) -+- switch
"""

import ipaddress
import re

import pytest
from lab import Carpd, Group, wait_for
from words import ADDRESS, ADDRESS6, detail


def _conflict(daemon):
    return wait_for(lambda: detail(daemon)["conflict"], 12, lambda: f"a conflict is seen\n{daemon.log()}")


def _assert_told(daemon, source, reason, advice):
    source = str(ipaddress.ip_address(source))
    conflict = _conflict(daemon)
    assert (conflict["source"], conflict["reason"]) == (source, reason) and advice in conflict["diagnosis"]
    done = daemon.carpctl("status")
    assert done.returncode == 1 and re.search(rf"CONFLICT +{source} ", done.stdout)
    assert daemon.log().count("CONFLICT") == 1


def _start(host, advskew, address=ADDRESS, interface="eth0", **options):
    return Carpd(host, [Group(addresses=(address,), interface=interface, options=options)], advskew=advskew).start()


@pytest.mark.parametrize("mac", ["virtual", "interface"])
@pytest.mark.parametrize("family", [4, 6])
def test_one_side_has_peers(lab, family, mac):
    fw1, fw2 = lab.hosts("fw1", "fw2")
    address = {4: ADDRESS, 6: ADDRESS6}[family]
    first = _start(fw1, 0, address, mac=mac, peers=[fw2.address(family)])
    second = _start(fw2, 100, address, mac=mac)
    for one in (first, second):
        one.wait_state("master")
    _assert_told(second, fw1.address(family), "unicast", "peers = {")
    conflict = _conflict(first)
    assert conflict["reason"] == "multicast" and "on no host" in conflict["diagnosis"]
    # What the sentence says to do helps.
    second.write_config([Group(addresses=(address,), options={"mac": mac, "peers": [fw1.address(family)]})])
    second.reload()
    second.wait_state("backup")
    wait_for(lambda: first.carpctl("status").returncode == 0, 45, "all is well")


def test_router_in_between(lab):
    """With ttl-check at its default neither host hears the other."""
    fw1, router, fw2 = lab.host("fw1"), lab.host("router", lans=2), lab.host("fw2", lans=2)
    fw2.run("ip", "link", "set", "eth0", "down")
    router.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
    here, there = fw1.ipv4, fw2.address(4, lan=1)
    fw1.run("ip", "route", "add", "default", "via", router.ipv4)
    fw2.run("ip", "route", "add", "default", "via", router.address(4, lan=1), "dev", "eth1")
    first = _start(fw1, 0, "192.0.2.1", mac="interface", peers=[there])
    second = _start(fw2, 100, "192.0.2.1", "eth1", mac="interface", peers=[here])
    for one in (first, second):
        one.wait_state("master")
    _assert_told(first, there, "routed", "ttl-check = false")
    _assert_told(second, here, "routed", "ttl-check = false")


@pytest.mark.parametrize("peers", [True, False], ids=["peers", "multicast"])
def test_peers_name_another_interface(lab, peers):
    """Where no group is, nobody looks but for this."""
    fw1, fw2 = lab.hosts("fw1", "fw2", lans=2)
    first = _start(fw1, 0, peers=[fw2.address(4, lan=1)])
    second = _start(fw2, 100, **({"peers": [fw1.ipv4]} if peers else {}))
    for one in (first, second):
        one.wait_state("master")
    _assert_told(second, fw1.ipv4, "elsewhere", "interface of the group")
    if peers:
        _assert_told(first, fw2.ipv4, "stranger", f"Add {fw2.ipv4}")


def test_not_among_the_peers(lab):
    fw1, fw2 = lab.hosts("fw1", "fw2")
    first = _start(fw1, 0, peers=["10.0.0.77"])
    second = _start(fw2, 100, peers=[fw1.ipv4])
    for one in (first, second):
        one.wait_state("master")
    _assert_told(first, fw2.ipv4, "stranger", f"Add {fw2.ipv4} to peers")


def test_two_hosts_with_one_address(lab):
    """Each takes the other's adverts for its own."""
    fw1, fw2 = lab.hosts("fw1", "fw2")
    fw2.run("ip", "addr", "flush", "dev", "eth0", "scope", "global")
    fw2.run("ip", "addr", "add", f"{fw1.ipv4}/16", "dev", "eth0")
    first, second = _start(fw1, 0), _start(fw2, 100)
    for one in (first, second):
        one.wait_state("master")
        _assert_told(one, fw1.ipv4, "twin", "Two hosts have one address")


def test_backup_that_hears_its_master_is_well(lab):
    """A third host that speaks by multicast hides nobody from it, and contradicts the master only."""
    fw1, fw2, fw3 = lab.hosts("fw1", "fw2", "fw3")
    first, second = _start(fw1, 0, peers=[fw2.ipv4]), _start(fw2, 100, peers=[fw1.ipv4])
    second.wait_state("backup")
    first.wait_state("master")
    _start(fw3, 200).wait_state("master")
    _assert_told(first, fw3.ipv4, "multicast", "peers")
    assert second.carpctl("status").returncode == 0
    assert detail(second)["counters"]["dropped"]["destination"] > 2
