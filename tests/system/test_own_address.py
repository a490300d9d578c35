"""
The host's own addresses, on which the route to a shared subnet and the scope of a shared address depend.

    fw1 (advskew 0) ---+
    fw2 (advskew 100) -+- switch - client
"""

import json

import pytest
from lab import Carpd, Group, Prober, boottime_ns, wait_for
from words import ADDRESS, ADDRESS6, ping, start_pair

SUBNETS = {"-4": "10.0.0.0/16", "-6": "fd00::/64"}


@pytest.fixture(name="hosts")
def _hosts(lab):
    return lab.hosts("fw1", "fw2", "client")


def _route(host, family, protocol):
    text = host.run("ip", family, "-j", "route", "show", SUBNETS[family], "proto", protocol).stdout
    return json.loads(text or "[]")


def _scope(host, address=ADDRESS):
    (link,) = json.loads(host.run("ip", "-j", "-4", "addr", "show", "dev", "eth0").stdout)
    return [one["scope"] for one in link["addr_info"] if one["local"] == address]


def test_own_addresses_go_and_return(hosts):
    """The kernel takes the route of the subnet along; carpd puts in its own, and takes it out again."""
    fw1, _, client = hosts
    first, _ = start_pair(hosts[0].lab, [Group(1, (f"{ADDRESS}/16", f"{ADDRESS6}/64"))])
    assert _scope(fw1) == ["host"]
    prober = Prober(client, [ADDRESS, ADDRESS6])
    prober.wait_answered()
    begin_ns = boottime_ns()
    fw1.run("ip", "addr", "del", f"{fw1.ipv4}/16", "dev", "eth0")
    fw1.run("ip", "addr", "del", f"{fw1.ipv6}/64", "dev", "eth0")
    for family in SUBNETS:
        wait_for(lambda family=family: _route(fw1, family, "112"), 5, f"a route of carpd's own, {family}")
    wait_for(lambda: _scope(fw1) == ["global"], 5, "a source for what the host begins")
    prober.wait_answered()
    assert prober.worst_outage_ms(begin_ns, target=0) < 500 and prober.worst_outage_ms(begin_ns, target=1) < 500
    assert ping(fw1, client.ipv4) and first.status()["state"] == "master"

    begin_ns = boottime_ns()
    fw1.run("ip", "addr", "add", f"{fw1.ipv4}/16", "dev", "eth0")
    fw1.run("ip", "addr", "add", f"{fw1.ipv6}/64", "dev", "eth0", "nodad")
    for family in SUBNETS:
        wait_for(lambda family=family: not _route(fw1, family, "112"), 5, f"no route of carpd's own, {family}")
        assert _route(fw1, family, "kernel")
    wait_for(lambda: _scope(fw1) == ["host"], 5, "the host's own address as the source")
    prober.wait_answered()
    prober.stop()
    assert prober.lost(begin_ns, boottime_ns() - 50_000_000) == 0


def test_the_first_of_two_own_addresses_takes_the_other_along(hosts):
    fw1, _, client = hosts
    fw1.run("ip", "addr", "add", "10.0.0.50/16", "dev", "eth0")
    start_pair(hosts[0].lab, [Group(1, (f"{ADDRESS}/16",))])
    fw1.run("ip", "addr", "del", f"{fw1.ipv4}/16", "dev", "eth0")
    wait_for(lambda: ping(client, ADDRESS), 5, "the route is back")
    fw1.run("ip", "addr", "add", "10.0.0.50/16", "dev", "eth0")
    wait_for(lambda: not _route(fw1, "-4", "112"), 5, "one route, the kernel's")


def test_static_routes_stay(hosts):
    """The scope changes without a moment in which the interface has no address, when the kernel would flush it."""
    fw1 = hosts[0]
    start_pair(hosts[0].lab, [Group(1, (f"{ADDRESS}/16",))])
    fw1.run("ip", "route", "add", "192.0.2.0/24", "via", "10.0.0.3")
    fw1.run("ip", "addr", "del", f"{fw1.ipv4}/16", "dev", "eth0")
    wait_for(lambda: _scope(fw1) == ["global"], 5, "the scope follows")
    assert "via 10.0.0.3" in fw1.run("ip", "route", "show", "192.0.2.0/24").stdout


def test_two_groups_in_one_subnet(lab):
    """Without an address of its own, the route stays as long as one of them serves."""
    fw1 = lab.host("fw1", numbered=False)
    groups = [Group(1, (f"{ADDRESS}/16",)), Group(2, ("10.0.0.101/16",))]
    first = Carpd(fw1, groups).start()
    for group in groups:
        first.wait_state("master", group=group.name)
    first.write_config(groups[:1])
    first.reload()
    wait_for(lambda: not fw1.has("10.0.0.101"), 5, "the second group is gone")
    assert _route(fw1, "-4", "112")
    first.stop()
    assert not _route(fw1, "-4", "112")


@pytest.mark.parametrize("mac", ["virtual", "interface"])
@pytest.mark.parametrize("length", [16, 32])
def test_shared_address_that_is_an_own_one_too(lab, mac, length):
    """Said at the start and in the status, by backup and master, until it is gone; and never removed by carpd."""
    fw1, fw2 = lab.hosts("fw1", "fw2")
    for host in (fw1, fw2):
        host.run("ip", "addr", "add", f"{ADDRESS}/{length}", "dev", "eth0")
    pair = start_pair(lab, [Group(options={"mac": mac})])
    command = f"ip addr del {ADDRESS}/{length} dev eth0"
    for one in pair:
        (problem,) = one.status()["problems"]
        assert command in problem and one.carpctl("status").returncode == 1
        assert one.log().count(command) == 1
    pair[0].stop()
    assert fw1.has(ADDRESS), "it was there before carpd"
    pair[1].wait_state("master")
    assert pair[1].log().count(command) == 1
    fw2.run(*command.split())
    wait_for(lambda: not pair[1].status()["problems"], 5, "it is gone")
    wait_for(lambda: fw2.has(ADDRESS), 5, "carpd's own is there")
    pair[1].stop()
    assert not fw2.has(ADDRESS)


def test_leftover_with_our_mark(lab):
    """Whoever serves nothing takes away what bears its mark; the master keeps what it serves, and that alone."""
    fw1, fw2 = lab.hosts("fw1", "fw2")
    start_pair(lab)
    for host in (fw1, fw2):
        host.run("ip", "addr", "add", "10.0.0.177/32", "dev", "eth0", "metric", "112", "noprefixroute")
    fw2.run("ip", "addr", "add", f"{ADDRESS}/32", "dev", "eth0", "metric", "112", "noprefixroute")
    wait_for(lambda: not fw1.has("10.0.0.177") and not fw2.has("10.0.0.177"), 5, "what nobody shares goes")
    wait_for(lambda: lab.owners(ADDRESS) == [fw1], 5, "the backup has nothing")


def test_own_address_that_comes_later(lab):
    fw1 = lab.host("fw1")
    first = Carpd(fw1).start()
    first.wait_state("master")
    assert not first.status()["problems"]
    fw1.run("ip", "addr", "add", f"{ADDRESS}/24", "dev", "eth0")
    wait_for(lambda: first.status()["problems"], 5, "it is seen")
    first.stop()
    assert f"{ADDRESS}/24" in fw1.run("ip", "-4", "addr", "show", "dev", "eth0").stdout
