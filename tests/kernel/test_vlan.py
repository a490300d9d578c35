"""
A pair on VLANs, over a switch that passes tagged frames.

    fw1 eth0, eth0.7 ---+
    fw2 eth0, eth0.7 ---+- switch - client eth0, eth0.7
"""

import pytest
from lab import Carpd, Group, wait_for
from life import live
from words import ADDRESS, ADDRESS6, ping, start_pair, virtual_mac

# What each host makes above eth0, the last one being the parent.
KINDS = {
    "vlan": "ip link add link eth0 name v7 type vlan id 7",
    "qinq": """ip link add link eth0 name outer type vlan id 100 protocol 802.1ad; ip link set outer up
               ip link add link outer name v7 type vlan id 7""",
    "without-offload": """ethtool -K eth0 txvlan off rxvlan off >/dev/null
                          ip link add link eth0 name v7 type vlan id 7""",
}


def make_hosts(lab, kind):
    hosts = lab.hosts("fw1", "fw2", "client")
    for host in hosts:
        host.run("sh", "-ec", f"""
            {KINDS[kind]}; ip link set v7 up
            ip addr add 10.7.0.{host.number}/24 dev v7; ip addr add fd07::{host.number}/64 dev v7 nodad""")
    return hosts


@pytest.mark.parametrize("kind", KINDS)
def test_pair(lab, kind):
    client = make_hosts(lab, kind)[2]
    live(*start_pair(lab, [Group(1, ("10.7.0.100", "fd07::100"), interface="v7")]), client, ["10.7.0.100", "fd07::100"], "v7")


def all_answer(client, *groups):
    addresses = [address for group in groups for address in group.addresses]
    wait_for(lambda: all(ping(client, address) for address in addresses), 10, f"{addresses} answer")


def test_same_vhid_with_and_without_tag(lab):
    """Each is a network of its own: its adverts, its virtual MAC, its master."""
    fw1, fw2, client = make_hosts(lab, "vlan")
    plain, tagged = Group(1, (ADDRESS, ADDRESS6), "plain"), Group(1, ("10.7.0.100", "fd07::100"), "tagged", "v7")
    first = Carpd(fw1, [plain]).start()
    second = Carpd(fw2, [tagged], advskew=100).start()
    first.wait_state("master")
    second.wait_state("master")
    all_answer(client, plain, tagged)
    first.write_config([plain, tagged])
    first.reload()
    first.wait_state("backup", group="tagged")
    second.kill()
    first.wait_state("master", group="tagged")
    all_answer(client, plain, tagged)
    for interface in ("eth0", "v7"):
        assert virtual_mac() in client.run("ip", "neigh", "show", "dev", interface).stdout
