"""
Somebody else on the network has a shared address.

    fw1 (advskew 0) ---+
    fw2 (advskew 100) -+- switch - client, other
"""

import socket

import pytest
from lab import Carpd, Group, boottime_ns, wait_for
from lab.net import socket_in
from words import ADDRESS, ADDRESS6, start_pair, wait_settled

ETH_P_ARP = 0x0806


def _problems(daemon, address):
    return [text for text in daemon.status()["problems"] if address in text]


def _arp(host, mac, address, operation=1):
    """One gratuitous ARP from that host."""
    raw = bytes.fromhex(mac.replace(":", ""))
    ip = socket.inet_aton(address)
    frame = b"\xff" * 6 + raw + b"\x08\x06" + b"\x00\x01\x08\x00\x06\x04" + operation.to_bytes(2, "big")
    frame += raw + ip + b"\0" * 6 + ip
    with socket_in(host.netns, socket.AF_PACKET, socket.SOCK_RAW, 0) as sender:
        sender.bind(("eth0", ETH_P_ARP))
        sender.send(frame)


@pytest.mark.parametrize("address, length", [(ADDRESS, 16), (ADDRESS6, 64)])
@pytest.mark.parametrize("mac", ["virtual", "interface"])
def test_another_host_has_the_address(lab, address, length, mac):
    """Found though it says nothing by itself; over when the address is off it."""
    _, _, other = lab.hosts("fw1", "fw2", "other")
    first, second = start_pair(lab, [Group(addresses=(ADDRESS, ADDRESS6), options={"mac": mac})])
    other.run("ip", "addr", "add", f"{address}/{length}", "dev", "eth0", *(["nodad"] if ":" in address else []))
    wait_for(lambda: _problems(first, address), 40, "it is found")
    (problem,) = _problems(first, address)
    assert other.mac() in problem and "take the address off it" in problem
    assert first.log().count(problem) == 1 and first.carpctl("status").returncode == 1
    assert second.status()["problems"] == [], "who does not serve it cannot say who is wrong"
    other.run("ip", "addr", "del", f"{address}/{length}", "dev", "eth0")
    wait_for(lambda: not first.status()["problems"], 60, "it is over")
    assert f"nobody else claims {address} any more" in first.log()


def test_one_forged_arp_is_nothing(lab):
    _, _, other = lab.hosts("fw1", "fw2", "other")
    first, _ = start_pair(lab)
    begun_ns = first.status()["since_s"]
    wait_for(lambda: first.status()["since_s"] > begun_ns + 6, 20, "the reign is no longer young")
    _arp(other, "02:00:00:00:00:99", ADDRESS)
    end_ns = boottime_ns() + 8_000_000_000
    wait_for(lambda: first.status()["problems"] or boottime_ns() > end_ns, 20, "nothing for a while")
    assert first.status()["problems"] == []

    def said_again():
        for operation in (1, 2):
            _arp(other, "02:00:00:00:00:99", ADDRESS, operation)
        return _problems(first, "02:00:00:00:00:99")

    wait_for(said_again, 20, "again and again is something")
    wait_for(lambda: not first.status()["problems"], 60, "quiet again")


@pytest.mark.parametrize("mac", ["virtual", "interface"])
def test_masters_that_change_are_no_squatters(lab, mac):
    lab.hosts("fw1", "fw2")
    first, second = start_pair(lab, [Group(addresses=(ADDRESS, ADDRESS6), options={"mac": mac})], preempt=True)
    for _ in range(2):
        first.stop()
        second.wait_state("master")
        begin = second.status()["since_s"]
        wait_for(lambda begin=begin: second.status()["since_s"] > begin + 11, 30, "asked at least once")
        first.start()
        wait_settled(first, second)
    for one in (first, second):
        assert one.status()["problems"] == [] and "conflict" not in [e["event"] for e in one.ctl("log")["entries"]]


def test_own_second_interface(lab):
    """The one that answers is this host: the sysctl, not the MAC, is what helps."""
    fw1 = lab.host("fw1", lans=2)
    fw1.run("ip", "-n", lab.switch, "link", "set", lab.port(fw1, 1), "master", "br0")
    fw1.run("ip", "addr", "flush", "dev", "eth1")
    daemon = Carpd(fw1).start()
    wait_for(lambda: _problems(daemon, ADDRESS), 40, "it is found")
    (problem,) = _problems(daemon, ADDRESS)
    assert f"this host's own eth1 ({fw1.mac('eth1')}) answers for {ADDRESS} too" in problem
    fw1.run(*problem[problem.index("sysctl"):].split())
    wait_for(lambda: not daemon.status()["problems"], 60, "the cure")
