"""
The parent belongs to a VRF: a routing table of its own, which the rest of the host does not see.

    fw1 eth0 in red ---+
    fw2 eth0 in red ---+- switch - client
"""

from lab import Group
from life import live
from words import ADDRESS, ADDRESS6, start_pair


def test_pair(lab):
    fw1, fw2, client = lab.hosts("fw1", "fw2", "client")
    for host in (fw1, fw2):
        host.run("sh", "-ec", f"""
            ip link add red type vrf table 10; ip link set red up; ip link set eth0 master red
            ip addr replace {host.ipv6}/64 dev eth0 nodad""")
    live(*start_pair(lab, [Group(1, (ADDRESS, ADDRESS6))]), client, (ADDRESS, ADDRESS6))
