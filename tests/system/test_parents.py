"""
What a group can stand on: families, numbered and unnumbered parents, bridges, macvlans, unicast, the interface's own MAC.

    fw1 ---+
    fw2 ---+- switch - client
"""

import pytest
from lab import Carpd, Group, Prober, boottime_ns, wait_for
from words import ADDRESS, ADDRESS6, detail, ping, start_pair, virtual_mac, wait_settled

MS = 1_000_000


def runs_through_its_life(lab, pair, client, addresses):
    """Stop, return and crash: nothing lost where nothing may be, and one owner at the end."""
    first, second = pair
    prober = Prober(client, list(addresses))
    prober.wait_answered()
    begin_ns = boottime_ns()
    first.stop()
    second.wait_state("master")
    first.start()
    wait_settled(first, second)
    prober.wait_answered()
    assert prober.lost(begin_ns, boottime_ns() - 50 * MS) == 0
    crashed_ns = first.crash()
    second.wait_state("master")
    wait_for(lambda: prober.last_answer_ns > crashed_ns + 500 * MS, 10, "answers after the crash")
    prober.wait_answered()
    prober.stop()
    for target in range(len(addresses)):
        assert prober.worst_outage_ms(crashed_ns - 100 * MS, target=target) < second.window_s * 1000 + 200


@pytest.mark.parametrize("addresses", [(ADDRESS,), (ADDRESS6,), (ADDRESS, ADDRESS6)], ids=["ipv4", "ipv6", "both"])
@pytest.mark.parametrize("mac", ["virtual", "interface"])
def test_families(lab, addresses, mac):
    client = lab.hosts("fw1", "fw2", "client")[2]
    pair = start_pair(lab, [Group(1, addresses)], preempt=True, mac=mac)
    assert pair[0].status()["mac"] == mac
    runs_through_its_life(lab, pair, client, addresses)


def test_link_local_address(lab):
    client = lab.hosts("fw1", "fw2", "client")[2]
    pair = start_pair(lab, [Group(1, ("fe80::100", ADDRESS6))], preempt=True)
    assert ping(client, "fe80::100%eth0")
    client.run("ip", "-6", "route", "add", "default", "via", "fe80::100", "dev", "eth0")
    runs_through_its_life(lab, pair, client, (ADDRESS6,))


def test_unnumbered(lab):
    """Without an address of its own the parent speaks from the shared one, and gets its subnet's route."""
    fw1 = lab.host("fw1", numbered=False)
    lab.host("fw2", numbered=False)
    client = lab.host("client")
    pair = start_pair(lab, [Group(1, (f"{ADDRESS}/16", f"{ADDRESS6}/64"))], preempt=True)
    assert "10.0.0.0/16" in fw1.run("ip", "route").stdout
    runs_through_its_life(lab, pair, client, (ADDRESS, ADDRESS6))


def test_unicast_ipv4(lab):
    fw1, fw2, client = lab.hosts("fw1", "fw2", "client")
    pair = [Carpd(host, [Group(1, (ADDRESS,), options={"peers": [peer.ipv4]})], advskew=skew, preempt=True).start()
            for host, peer, skew in ((fw1, fw2, 0), (fw2, fw1, 100))]
    wait_settled(*pair)
    runs_through_its_life(lab, pair, client, (ADDRESS,))


def test_unicast_ipv6(lab):
    fw1, fw2, client = lab.hosts("fw1", "fw2", "client")
    pair = [Carpd(host, [Group(1, (ADDRESS6,), options={"peers": [peer.ipv6]})], advskew=skew, preempt=True).start()
            for host, peer, skew in ((fw1, fw2, 0), (fw2, fw1, 100))]
    wait_settled(*pair)
    runs_through_its_life(lab, pair, client, (ADDRESS6,))


def test_stranger_is_dropped(lab):
    """A unicast group listens to its peers only."""
    fw1, fw2, stranger = lab.hosts("fw1", "fw2", "stranger")
    listed = Carpd(fw1, [Group(1, (ADDRESS,), options={"peers": [fw2.ipv4]})], advskew=50).start()
    listed.wait_state("master")
    Carpd(stranger, [Group(1, (ADDRESS,), options={"peers": [fw1.ipv4]})]).start().wait_state("master")
    wait_for(lambda: detail(listed)["counters"]["dropped"]["stranger"] > 1, 10, "its adverts are counted")
    assert listed.status()["state"] == "master"


def test_bridge_with_a_guest(lab):
    """The guest behind each host reaches the address wherever its master is (no promiscuity, no stale entry)."""
    fw1, fw2, client = lab.hosts("fw1", "fw2", "client")
    for host in (fw1, fw2):
        host.run("sh", "-ec", f"""
            ip link add bridge0 type bridge forward_delay 0; ip link set bridge0 up
            ip addr flush dev eth0; ip link set eth0 master bridge0
            ip addr add {host.ipv4}/16 dev bridge0; ip addr add {host.ipv6}/64 dev bridge0 nodad""")
    pair = start_pair(lab, [Group(1, (ADDRESS, ADDRESS6), interface="bridge0")], preempt=True)
    assert pair[0].status()["mac"] == "virtual"
    entry = f"{virtual_mac()} dev bridge0"
    wait_for(lambda: virtual_mac() in fw1.run("bridge", "fdb", "show").stdout, 5, "the master's entry")
    assert entry not in fw2.run("bridge", "fdb", "show", "br", "bridge0").stdout
    assert fw1.run("cat", "/sys/class/net/bridge0/flags").stdout.strip() == fw2.run(
        "cat", "/sys/class/net/bridge0/flags").stdout.strip(), "the bridge is not promiscuous"
    runs_through_its_life(lab, pair, client, (ADDRESS, ADDRESS6))


def test_macvlan_keeps_its_own_mac(lab):
    """A macvlan cannot carry a second MAC: `auto` says so and uses the first."""
    fw1, fw2, client = lab.hosts("fw1", "fw2", "client")
    for host in (fw1, fw2):
        host.run("sh", "-ec", f"""
            ip link add mv0 link eth0 type macvlan mode bridge; ip addr flush dev eth0; ip link set mv0 up
            ip addr add {host.ipv4}/16 dev mv0; ip addr add {host.ipv6}/64 dev mv0 nodad""")
    pair = start_pair(lab, [Group(1, (ADDRESS, ADDRESS6), interface="mv0")], preempt=True)
    assert pair[0].status()["mac"] == "interface"
    assert "macvlan" in pair[0].log()
    runs_through_its_life(lab, pair, client, (ADDRESS, ADDRESS6))


def test_virtual_mac_that_cannot_be_is_a_problem(lab):
    fw1 = lab.host("fw1")
    fw1.run("sh", "-ec", "ip link add mv0 link eth0 type macvlan mode bridge; ip link set mv0 up")
    daemon = Carpd(fw1, [Group(1, (ADDRESS,), interface="mv0", options={"mac": "virtual"})]).start()
    assert daemon.status()["state"] == "init"
    assert "mac = virtual is not possible" in daemon.status()["problems"][0]
    assert daemon.carpctl("status").returncode == 1
