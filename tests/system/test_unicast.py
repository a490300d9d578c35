"""
Peers by address: on one LAN, and in different routed subnets, where the shared address is routed to the master
(FreeBSD's unicast tests).

    fw1 (LAN 0) --- router --- fw2 (LAN 1)
"""

import pytest
from lab import Carpd, Group, wait_for
from words import ADDRESS, ADDRESS6, detail, live_through, ping, wait_settled


@pytest.mark.parametrize("family", [4, 6])
def test_one_lan(lab, family):
    fw1, fw2, client = lab.hosts("fw1", "fw2", "client")
    address = {4: ADDRESS, 6: ADDRESS6}[family]
    pair = [Carpd(host, [Group(1, (address,), options={"peers": [peer.address(family)]})], advskew=skew, preempt=True)
            .start() for host, peer, skew in ((fw1, fw2, 0), (fw2, fw1, 100))]  # fmt: skip
    wait_settled(*pair)
    live_through(*pair, client, [address])


def test_stranger_is_dropped(lab):
    """A unicast group listens to its peers only."""
    fw1, fw2, stranger = lab.hosts("fw1", "fw2", "stranger")
    listed = Carpd(fw1, [Group(1, (ADDRESS,), options={"peers": [fw2.ipv4]})], advskew=50).start()
    listed.wait_state("master")
    Carpd(stranger, [Group(1, (ADDRESS,), options={"peers": [fw1.ipv4]})]).start().wait_state("master")
    wait_for(lambda: detail(listed)["counters"]["dropped"]["stranger"] > 1, 10, "its adverts are counted")
    assert listed.status()["state"] == "master"


@pytest.mark.parametrize("family", [4, 6])
def test_routed(lab, family):
    fw1, router, fw2 = lab.host("fw1"), lab.host("router", lans=2), lab.host("fw2", lans=2)
    fw2.run("ip", "link", "set", "eth0", "down")
    router.run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
    here, there = fw1.address(family), fw2.address(family, lan=1)
    fw1.run("ip", f"-{family}", "route", "add", "default", "via", router.address(family))
    fw2.run("ip", f"-{family}", "route", "add", "default", "via", router.address(family, lan=1), "dev", "eth1")
    address = {4: "192.0.2.1", 6: "2001:db8::1"}[family]

    def group(interface, peer):
        return [Group(addresses=(address,), interface=interface,
                      options={"peers": [peer], "ttl-check": False, "mac": "interface"})]  # fmt: skip

    first = Carpd(fw1, group("eth0", there)).start()
    second = Carpd(fw2, group("eth1", here), advskew=100).start()
    wait_settled(first, second)
    length = {4: 32, 6: 128}[family]
    router.run("ip", f"-{family}", "route", "add", f"{address}/{length}", "via", here)
    assert fw1.has(address) and ping(router, address)
    first.stop()
    second.wait_state("master")
    router.run("ip", f"-{family}", "route", "replace", f"{address}/{length}", "via", there)
    wait_for(lambda: ping(router, address), 3, "the new master answers")
    first.start()
    wait_settled(second, first)


def test_link_local_peer(lab):
    """FreeBSD's unicast_ll_v6."""
    hosts = lab.hosts("fw1", "fw2")
    local = [host.run("ip", "-6", "-o", "addr", "show", "dev", "eth0", "scope", "link").stdout.split()[3].split("/")[0]
             for host in hosts]  # fmt: skip
    daemons = [
        Carpd(host, [Group(addresses=("fd00::100",), options={"peers": [peer]})], advskew=skew).start()
        for host, peer, skew in zip(hosts, reversed(local), (0, 100))
    ]
    wait_settled(*daemons)
    daemons[0].crash()
    daemons[1].wait_state("master", 6)
