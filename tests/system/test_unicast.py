"""
Peers by address: on one LAN, and in different routed subnets, where the shared address is routed to the master
(FreeBSD's unicast tests).

    fw1 (LAN 0) --- router --- fw2 (LAN 1)
"""

import pytest
from lab import Carpd, Group, boottime_ns, wait_for
from words import ADDRESS, ADDRESS6, detail, live_through, ping, start_pair, transitions, wait_settled


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


def _drop_adverts(host):
    host.run("nft", "-f", "-", text="table inet f { chain o { type filter hook output priority 0; ip protocol 112 drop; }; }\n")


def _peers_of_each_other(lab, **options):
    hosts = lab.hosts("fw1", "fw2")
    return [Carpd(host, [Group(options={"peers": [peer.ipv4], **options})], advskew=skew, preempt=True)
            for host, peer, skew in zip(hosts, reversed(hosts), (0, 100))]  # fmt: skip


def _blocked(daemon):
    return [text for text in daemon.status()["problems"] if "cannot be sent" in text]


def test_firewall_of_the_master(lab):
    """One hand-over, no coming back before adverts leave again; peer, reason and cure are told."""
    first, second = [one.start() for one in _peers_of_each_other(lab)]
    wait_settled(first, second)
    _drop_adverts(first.host)
    second.wait_state("master")
    first.wait_state("backup")
    (problem,) = _blocked(first)
    assert second.host.ipv4 in problem and "Operation not permitted" in problem and "firewall" in problem
    assert first.carpctl("status").returncode == 1 and problem in first.log()
    before = transitions(first)
    begin_ns = boottime_ns()
    wait_for(lambda: boottime_ns() > begin_ns + 6_000_000_000, 15, "six seconds")
    assert transitions(first) == before and second.status()["state"] == "master"
    first.host.run("nft", "delete", "table", "inet", "f")
    wait_settled(first, second)
    wait_for(lambda: first.carpctl("status").returncode == 0, 5, "all is well")
    assert first.log().count("can be sent again") == first.log().count("cannot be sent") == 1


def test_firewall_of_a_backup(lab):
    """Known at its start, not when its master has gone."""
    first, second = _peers_of_each_other(lab)
    _drop_adverts(second.host)
    for one in (first, second):
        one.start()
    wait_settled(first, second)
    (problem,) = wait_for(lambda: _blocked(second), 5, "it is told")
    assert first.host.ipv4 in problem and second.carpctl("status").returncode == 1
    assert first.carpctl("status").returncode == 0


def test_no_route_to_one_of_two_peers(lab):
    """Whoever reaches both is the better master; the other says which one it does not reach."""
    fw1, fw2, fw3 = lab.hosts("fw1", "fw2", "fw3")
    daemons = [Carpd(host, [Group(options={"peers": [peer.ipv4 for peer in (fw1, fw2, fw3) if peer is not host]})],
                     advskew=skew, preempt=True).start() for host, skew in ((fw1, 0), (fw2, 100), (fw3, 200))]  # fmt: skip
    daemons[0].wait_state("master")
    fw1.run("ip", "route", "add", "prohibit", f"{fw3.ipv4}/32")
    daemons[1].wait_state("master", 15)
    daemons[0].wait_state("backup")
    (problem,) = _blocked(daemons[0])
    assert fw3.ipv4 in problem


def test_filter_that_stops_adverts_only(lab):
    """Multicast too: what is sent to see whether sending works again goes the same way."""
    fw1, _ = lab.hosts("fw1", "fw2")
    first, second = start_pair(lab, preempt=True)
    rule = "table netdev f { chain e { type filter hook egress device eth0 priority 0; ip protocol 112 drop; }; }\n"
    if fw1.run("nft", "-f", "-", text=rule, check=False).returncode != 0:
        pytest.skip("this kernel has no egress hook")
    second.wait_state("master")
    first.wait_state("backup")
    before = transitions(first)
    begin_ns = boottime_ns()
    wait_for(lambda: boottime_ns() > begin_ns + 6_000_000_000, 15, "six seconds")
    assert transitions(first) == before and "224.0.0.18" in _blocked(first)[0]
    fw1.run("nft", "delete", "table", "netdev", "f")
    wait_settled(first, second)


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
