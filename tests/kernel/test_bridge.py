"""
Bridges: as the parent, with VLANs of its own; and as a switch that knows who listens to which group.

    fw1 ---+
    fw2 ---+- switch - client
"""

from lab import Group, wait_for
from life import live, served_by
from words import ADDRESS, ADDRESS6, start_pair, virtual_mac


def test_parent_that_filters_vlans(lab):
    """The parent is the bridge's VLAN 7; the port carries it with its tag."""
    hosts = lab.hosts("fw1", "fw2", "client")
    for host in hosts[:2]:
        host.run("sh", "-ec", f"""
            ip link add bridge0 type bridge forward_delay 0 vlan_filtering 1 vlan_default_pvid 0; ip link set bridge0 up
            ip addr flush dev eth0; ip link set eth0 master bridge0
            bridge vlan add dev eth0 vid 7; bridge vlan add dev bridge0 vid 7 self
            ip link add link bridge0 name v7 type vlan id 7; ip link set v7 up
            ip addr add 10.7.0.{host.number}/24 dev v7; ip addr add fd07::{host.number}/64 dev v7 nodad""")
    hosts[2].run("sh", "-ec", """
        ip link add link eth0 name v7 type vlan id 7; ip link set v7 up
        ip addr add 10.7.0.3/24 dev v7; ip addr add fd07::3/64 dev v7 nodad""")
    addresses = ("10.7.0.100", "fd07::100")
    live(*start_pair(lab, [Group(1, addresses, interface="v7")]), hosts[2], addresses, "v7")


def test_parent_is_a_bridge_that_filters_vlans(lab):
    """The parent is the bridge itself, in its VLAN 7 without a tag: the entry for the virtual MAC is in that one too."""
    fw1, fw2, client = lab.hosts("fw1", "fw2", "client")
    for host in (fw1, fw2):
        host.run("sh", "-ec", f"""
            ip link add bridge0 type bridge forward_delay 0 vlan_filtering 1 vlan_default_pvid 7; ip link set bridge0 up
            ip addr flush dev eth0; ip link set eth0 master bridge0
            ip addr add {host.ipv4}/16 dev bridge0; ip addr add {host.ipv6}/64 dev bridge0 nodad""")
    first, second = start_pair(lab, [Group(1, (ADDRESS, ADDRESS6), interface="bridge0")])
    served_by(first, client, (ADDRESS, ADDRESS6))
    assert f"{virtual_mac()} dev bridge0 vlan 7" in fw1.run("bridge", "fdb", "show", "br", "bridge0").stdout
    live(first, second, client, (ADDRESS, ADDRESS6))


def test_switch_that_snoops(lab):
    """With a querier, so that it forwards a group to those who said they listen, and to nobody else."""
    lab.switch_run("ip", "link", "set", "br0", "type", "bridge", "mcast_snooping", "1", "mcast_querier", "1",
                   "mcast_startup_query_interval", "100", "mcast_query_interval", "300", "mcast_query_response_interval",
                   "100", "mcast_membership_interval", "600")  # fmt: skip
    fw1, fw2, client = lab.hosts("fw1", "fw2", "client")
    first, second = start_pair(lab, [Group(1, (ADDRESS6,))])
    for host in (fw1, fw2):
        wait_for(lambda one=host: f"port {one.name} grp ff02::12 " in lab.switch_run("bridge", "mdb", "show").stdout, 15,
                 lambda: lab.switch_run("bridge", "-d", "mdb", "show").stdout)  # fmt: skip
    # The link goes and comes back: the host says again that it listens, or it hears no master.
    fw2.run("ip", "link", "set", "eth0", "down")
    second.wait_state("init")
    fw2.run("ip", "link", "set", "eth0", "up")
    fw2.run("ip", "addr", "replace", f"{fw2.ipv6}/64", "dev", "eth0", "nodad")
    second.wait_state("backup")
    wait_for(lambda: second.status()["master"], 10, "it hears its master again")
    live(first, second, client, (ADDRESS6,))
