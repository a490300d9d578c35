"""
Bonds and teams: two cables to the switch as one interface.

    fw1 bond0 (eth0, eth1) ===+
    fw2 bond0 (eth0, eth1) ===+- switch - client
"""

import pytest
from lab import Group, wait_for
from life import live, served_by, untroubled
from words import ADDRESS, ADDRESS6, start_pair, transitions

GROUPS = [Group(1, (ADDRESS, ADDRESS6), interface="bond0")]
BOND = "ip link add bond0 type bond {words}; for one in eth0 eth1; do ip link set $one down; ip link set $one master bond0; done"
KINDS = {
    "active-backup": BOND.format(words="mode active-backup miimon 50"),
    "fail-over-mac": BOND.format(words="mode active-backup miimon 50 fail_over_mac active"),
    "802.3ad": BOND.format(words="mode 802.3ad miimon 50 lacp_rate fast"),
    "team": """ip link add bond0 type team; teamnl bond0 setoption mode activebackup
               for one in eth0 eth1; do ip link set $one down; ip link set $one master bond0; done
               teamnl bond0 setoption activeport $(cat /sys/class/net/eth0/ifindex)""",
}


def active(host, kind):
    if kind == "team":
        return host.run("teamnl", "bond0", "getoption", "activeport").stdout.strip()
    return host.run("cat", "/sys/class/net/bond0/bonding/active_slave").stdout.strip()


def make_hosts(lab, kind):
    client = lab.host("client")
    hosts = lab.hosts("fw1", "fw2", lans=2)
    for host in hosts:
        for lan in (0, 1):
            lab.switch_run("ip", "link", "set", lab.port(host, lan), "master", "br0")
        if kind == "802.3ad":
            # The switch has its end of the bundle.
            lab.switch_run("sh", "-ec", f"""
                ip link add {host.name}.lag type bond mode 802.3ad miimon 50 lacp_rate fast
                for one in {lab.port(host, 0)} {lab.port(host, 1)}; do
                    ip link set $one nomaster down; ip link set $one master {host.name}.lag; done
                ip link set {host.name}.lag master br0 up""")
        host.run("sh", "-ec", f"""
            ip addr flush dev eth0; ip addr flush dev eth1
            {KINDS[kind]}
            ip link set eth0 up; ip link set eth1 up; ip link set bond0 up
            ip addr add {host.ipv4}/16 dev bond0; ip addr add {host.ipv6}/64 dev bond0 nodad""")
    return (*hosts, client)


@pytest.mark.parametrize("kind", KINDS)
def test_pair(lab, kind):
    fw1, _, client = make_hosts(lab, kind)
    first, second = start_pair(lab, GROUPS)
    served_by(first, client, (ADDRESS, ADDRESS6))
    before = transitions(first), transitions(second)

    # A cable is pulled, and the other one serves on: nothing moves, and nobody has to know.
    was = None if kind == "802.3ad" else active(fw1, kind)
    lab.unplug(fw1, lan=1 if was == "eth1" else 0)
    if kind == "team":
        fw1.run("sh", "-c", "teamnl bond0 setoption activeport $(cat /sys/class/net/eth1/ifindex)")
    if was:
        wait_for(lambda: active(fw1, kind) not in ("", was), 5, "the other one is active")
    served_by(first, client, (ADDRESS, ADDRESS6))
    assert (transitions(first), transitions(second)) == before
    untroubled(first, second)
    live(first, second, client, (ADDRESS, ADDRESS6))
