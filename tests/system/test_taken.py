"""
A parent whose frames another interface takes: a port of a bridge, the link below a passthru macvlan.

    fw1 (advskew 0) ---+
    fw2 (advskew 100) -+- switch - client
"""

import pytest
from lab import Carpd, Group, wait_for
from words import ADDRESS, ADDRESS6, ping, start_pair, wait_settled

TAKE = {
    "bridge": ("ip link add br9 type bridge forward_delay 0; ip link set br9 up; ip link set eth0 master br9",
               "ip link set eth0 nomaster", "bridge br9"),
    "macvlan": ("ip link add br9 link eth0 type macvlan mode passthru; ip link set br9 up",
                "ip link del br9", "passthru macvlan br9"),
}  # fmt: skip


@pytest.mark.parametrize("how", TAKE)
@pytest.mark.parametrize("mac", ["virtual", "interface"])
def test_parent_is_taken_and_released(lab, how, mac):
    """The other host serves meanwhile; status and log say whose it is, and what to do; released, all is as before."""
    fw1, _, client = lab.hosts("fw1", "fw2", "client")
    take, release, owner = TAKE[how]
    first, second = start_pair(lab, [Group(1, (ADDRESS, ADDRESS6), options={"mac": mac})], preempt=True)
    fw1.run("sh", "-ec", take)
    first.wait_state("init", 2)
    assert not fw1.has(ADDRESS) and not fw1.has(ADDRESS6)
    problem = f"interface eth0 belongs to the {owner}, which takes its frames; say interface = br9, or release it: "
    assert any(text.startswith(problem) for text in first.status()["problems"])
    assert first.carpctl("status").returncode == 1
    wait_for(lambda: first.log().count(problem) == 1, 5, "the log says so, once")
    second.wait_state("master")
    assert ping(client, ADDRESS) and ping(client, ADDRESS6)
    fw1.run("sh", "-ec", release)
    wait_settled(first, second)
    assert first.status()["problems"] == [] and ping(client, ADDRESS) and ping(client, ADDRESS6)
    assert lab.owners(ADDRESS) == [fw1]
    wait_for(lambda: first.log().count("no longer so: " + problem) == 1, 5, "the log says so")


@pytest.mark.parametrize("how", TAKE)
def test_parent_is_taken_from_the_start(lab, how):
    """Before the start `carpd -n` warns; the group goes to whoever took the parent with a reload."""
    fw1, fw2, client = lab.hosts("fw1", "fw2", "client")
    take, _, owner = TAKE[how]
    fw1.run("sh", "-ec", take + f"; ip addr add {fw1.ipv4}/16 dev br9; ip addr flush dev eth0")
    second = Carpd(fw2, advskew=100, preempt=True).start()
    first = Carpd(fw1, preempt=True)
    said = fw1.run(first.binary, "-n", "-f", first.config_path)
    assert f"warning: group group1: interface eth0 belongs to the {owner}" in said.stderr
    first.start()
    second.wait_state("master")
    assert first.status()["state"] == "init" and owner in first.status()["problems"][0]
    fw1.run("sysctl", "-qw", "net.ipv4.conf.eth0.arp_ignore=1")
    first.write_config([Group(1, interface="br9")])
    first.reload()
    wait_settled(first, second)
    assert first.status()["problems"] == [] and ping(client, ADDRESS) and not fw2.has(ADDRESS)
