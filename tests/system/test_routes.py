"""
Routes through a network in which the hosts have no address of their own but the shared one.

    fw1 (advskew 0) ---+
    fw2 (advskew 100) -+- switch - gateway
"""

import json
import os
import signal

import pytest
from lab import Carpd, Group, wait_for
from words import ping, pid_of, start_pair, wait_settled

WAN, GATEWAY = "203.0.113.1", "203.0.113.6"
WAN6, GATEWAY6 = "2001:db8:9::1", "2001:db8:9::6"
ROUTES = (f"default via {GATEWAY}", f"198.51.100.0/24 via {GATEWAY} metric 7", f"default via {GATEWAY6}")


@pytest.fixture(name="hosts")
def _hosts(lab):
    fw1, fw2 = lab.host("fw1", numbered=False), lab.host("fw2", numbered=False)
    gateway = lab.host("gateway", numbered=False)
    gateway.run("sh", "-ec", f"""ip addr add {GATEWAY}/29 dev eth0; ip addr add {GATEWAY6}/64 dev eth0 nodad
        ip addr add 192.0.2.1/32 dev lo""")
    return fw1, fw2, gateway


def _routes(host, family="-4", protocol="112"):
    words = ["ip", family, "-j", "route", "show", "proto", protocol]
    found = json.loads(host.run(*words).stdout or "[]")
    return sorted((one["dst"], one["gateway"]) for one in found if "gateway" in one)


ALL = [("198.51.100.0/24", GATEWAY), ("default", GATEWAY)]


def _group(*routes, addresses=(f"{WAN}/29", f"{WAN6}/64"), **options):
    return Group(addresses=addresses, options={"routes": routes, **options} if routes else options)


@pytest.mark.parametrize("mac", ["virtual", "interface"])
def test_routes_go_with_the_addresses(hosts, mac):
    fw1, fw2, _ = hosts
    first, second = start_pair(fw1.lab, [_group(*ROUTES, mac=mac)], preempt=True)

    def master_has_them(master, other):
        return (_routes(master) == ALL and _routes(master, "-6") == [("default", GATEWAY6)]
                and not _routes(other) and not _routes(other, "-6"))  # fmt: skip

    assert master_has_them(fw1, fw2) and ping(fw1, "192.0.2.1")
    first.stop()
    second.wait_state("master")
    wait_for(lambda: master_has_them(fw2, fw1), 5, "the routes of the new master")
    first.start()
    wait_settled(first, second)
    wait_for(lambda: master_has_them(fw1, fw2), 5, "and back")
    assert ping(fw1, "192.0.2.1") and first.status()["problems"] == []


def test_removed_and_refused(hosts):
    """One that somebody removes is put back; one that is there already is left, and told of until it is gone."""
    fw1 = hosts[0]
    fw1.run("sh", "-ec", "ip link add up0 type veth peer name up1; ip link set up0 up; ip link set up1 up")
    fw1.run("sh", "-ec", "ip addr add 10.9.0.1/24 dev up0; ip route add default via 10.9.0.9")
    daemon = Carpd(fw1, [_group(*ROUTES[:2])]).start()
    daemon.wait_state("master")
    wait_for(lambda: daemon.status()["problems"], 5, "it is told")
    (problem,) = daemon.status()["problems"]
    assert f"the route default via {GATEWAY} is not in place: there is another" in problem
    assert daemon.log().count(problem) == 1
    fw1.run("ip", "route", "del", "default", "via", "10.9.0.9")
    fw1.run("ip", "route", "del", "198.51.100.0/24", "metric", "7")
    wait_for(lambda: _routes(fw1) == ALL, 10, "both are in place")
    wait_for(lambda: not daemon.status()["problems"], 5, "no problem")
    assert "somebody had removed it" in daemon.log() and "is in place now" in daemon.log()


def test_reload_and_kill(hosts):
    fw1 = hosts[0]
    daemon = Carpd(fw1, [_group(*ROUTES)]).start()
    daemon.wait_state("master")
    daemon.write_config([_group(ROUTES[0])])
    daemon.reload()
    assert _routes(fw1) == [("default", GATEWAY)] and not _routes(fw1, "-6")
    os.kill(pid_of(daemon, engine=True), signal.SIGKILL)
    wait_for(lambda: "killed by signal 9" in daemon.log(), 5, "it is seen")
    daemon.wait_state("master", 15)
    wait_for(lambda: _routes(fw1) == [("default", GATEWAY)], 5, "back")
    daemon.kill()
    assert _routes(fw1)
    fw1.run(daemon.binary, "--clean")
    assert not _routes(fw1)


def test_reload_that_replaces_the_address(hosts):
    """The new one is taken first: an interface that loses its last IPv4 address loses all routes."""
    fw1 = hosts[0]
    daemon = Carpd(fw1, [_group()]).start()
    daemon.wait_state("master")
    fw1.run("ip", "route", "add", "default", "via", GATEWAY)
    daemon.write_config([_group(addresses=("203.0.113.2/29",))])
    daemon.reload()
    assert fw1.has("203.0.113.2") and not fw1.has(WAN)
    assert _routes(fw1, protocol="boot") == [("default", GATEWAY)] and daemon.status()["problems"] == []


def test_address_moves_to_another_group(hosts):
    fw1, _, gateway = hosts
    groups = [Group(1, (f"{WAN}/29", "203.0.113.2/29")), Group(2, ("203.0.113.3/29",))]
    daemon = Carpd(fw1, groups).start()
    for group in groups:
        daemon.wait_state("master", group=group.name)
    daemon.write_config([Group(1, (f"{WAN}/29",)), Group(2, ("203.0.113.2/29", "203.0.113.3/29"))])
    daemon.reload()
    assert ping(gateway, "203.0.113.2") and ping(gateway, WAN)


def test_lost_routes_are_named(hosts):
    """By hand on the master, they are gone with the address: said with what would keep them, until they are kept."""
    fw1, _, _ = hosts
    first, second = start_pair(fw1.lab, [_group()], preempt=True)
    fw1.run("ip", "route", "add", "default", "via", GATEWAY)
    first.carpctl("maintenance", "on")
    second.wait_state("master")
    said = f"the kernel removed the route default via {GATEWAY} with the last IPv4 address of eth0"
    wait_for(lambda: any(said in text for text in first.status()["problems"]), 5, "it is said")
    assert first.log().count(said) == 1 and f'routes = {{ "default via {GATEWAY}" }}' in first.log()
    first.write_config([_group(ROUTES[0])])
    first.reload()
    first.carpctl("maintenance", "off")
    wait_settled(first, second)
    assert _routes(fw1) == [("default", GATEWAY)] and first.status()["problems"] == []
