"""
A second interface of the same host in the network of a shared address: Linux answers ARP for it there, too.

    fw1 -eth0-+- switch - client
        -eth1-+
"""

import pytest
from lab import Carpd, Group, wait_for
from words import ADDRESS

SECOND = {
    "numbered": "ip addr add 10.0.0.50/16 dev eth1",
    "macvlan": "ip link add eth9 link eth0 type macvlan mode bridge; ip link set eth9 up",
}



@pytest.mark.parametrize("how", SECOND)
@pytest.mark.parametrize("mac", ["virtual", "interface"])
def test_second_interface(lab, how, mac):
    fw1 = lab.host("fw1", lans=2)
    fw1.run("ip", "-n", lab.switch, "link", "set", lab.port(fw1, 1), "master", "br0")
    fw1.run("sh", "-ec", "ip addr flush dev eth1; " + SECOND[how])
    name = "eth1" if how == "numbered" else "eth9"
    daemon = Carpd(fw1, [Group(options={"mac": mac})])
    problem = f"{name} is in the network of {ADDRESS} too, and Linux answers ARP for that address there"
    assert problem in fw1.run(daemon.binary, "-n", "-f", daemon.config_path).stderr
    daemon.start()
    daemon.wait_state("master")
    (text,) = daemon.status()["problems"]
    assert text.startswith(problem) and daemon.carpctl("status").returncode == 1
    wait_for(lambda: daemon.log().count(problem) == 1, 8, "the log says so, once")
    fw1.run(*text[text.index("sysctl"):].split())
    assert daemon.status()["problems"] == [], "the cure that was told"
    wait_for(lambda: "no longer so: " + problem in daemon.log(), 8, "the log says so")


@pytest.mark.parametrize("setting", ["all.arp_ignore=2", "eth1.arp_filter=1"])
def test_other_cures(lab, setting):
    fw1 = lab.host("fw1", lans=2)
    fw1.run("sh", "-ec", "ip addr add 10.0.0.50/16 dev eth1; sysctl -qw net.ipv4.conf." + setting)
    daemon = Carpd(fw1).start()
    daemon.wait_state("master")
    assert daemon.status()["problems"] == []


def test_interface_in_another_network(lab):
    fw1 = lab.host("fw1", lans=2)
    daemon = Carpd(fw1, [Group(), Group(2, ("10.1.0.100/16",), interface="eth1")]).start()
    for number in (1, 2):
        daemon.wait_state("master", group=f"group{number}")
        assert daemon.status(f"group{number}")["problems"] == []
