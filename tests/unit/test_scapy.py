"""The frames as scapy and tshark understand them: two readers we did not write.

scapy's own build_hmac_sha1 is no oracle: it packs version and type into one byte
and leaves out the counter and IPv6, which no host does.  Python's hmac is used.
"""

import hashlib
import hmac
import os
import shutil
import socket
import subprocess

import pytest

scapy = pytest.importorskip("scapy.all")
carp = pytest.importorskip("scapy.contrib.carp")

VIRTUAL_MAC = "00:00:5e:00:01:07"
FIELDS = {"vhid": 7, "advskew": 100, "authlen": 7, "demotion": 3, "advbase": 1}


@pytest.fixture(scope="module")
def frames():
    program = os.environ.get("PRINT_FRAMES")
    if not program:
        pytest.skip("PRINT_FRAMES is not set: run by meson test")
    lines = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    return {name: bytes.fromhex(frame) for name, frame in (line.split() for line in lines.splitlines())}


def assert_checksums_right(frame):
    """Lets scapy compute all checksums and lengths anew and compares the bytes."""
    again = scapy.Ether(frame)
    for layer, name in ((scapy.IP, "chksum"), (scapy.IP, "len"), (scapy.IPv6, "plen"),
                        (scapy.ICMPv6ND_NA, "cksum")):
        if layer in again:
            again[layer].delfieldval(name)
    assert bytes(again) == frame


@pytest.mark.parametrize("sealed", (False, True))
@pytest.mark.parametrize("family", (4, 6))
def test_advert(frames, family, sealed):
    frame = frames[f"{'sealed' if sealed else 'advert'}-ipv{family}"]
    assert_checksums_right(frame)
    packet = scapy.Ether(frame)
    assert packet.src == VIRTUAL_MAC
    if family == 4:
        ip = packet[scapy.IP]
        assert (ip.dst, ip.proto, ip.ttl, ip.tos, ip.flags, ip.id) == ("224.0.0.18", 112, 255, 0x10, "DF", 0)
    else:
        ip = packet[scapy.IPv6]
        assert (ip.dst, ip.nh, ip.hlim, ip.tc, ip.fl) == ("ff02::12", 112, 255, 0, 0)
    payload = bytes(ip.payload)
    assert len(payload) == (72 if sealed else 36)
    header = carp.CARP(payload[:36])
    assert {name: header.getfieldval(name) for name in FIELDS} == FIELDS
    assert (header.version, header.type) == (2, 1)
    assert scapy.checksum(payload[:36]) == 0
    assert scapy.checksum(payload) == 0

    message = (bytes((2, 1, 7)) + socket.inet_aton("192.0.2.1") + socket.inet_pton(socket.AF_INET6, "2001:db8::1")
               + payload[8:16])
    assert payload[16:36] == hmac.digest(b"secret", message, hashlib.sha1)


@pytest.mark.parametrize("form, op, target", (("request", 1, "00:00:00:00:00:00"), ("reply", 2, VIRTUAL_MAC)))
def test_arp(frames, form, op, target):
    packet = scapy.Ether(frames[f"arp-{form}"])
    arp = packet[scapy.ARP]
    assert (packet.dst, packet.src) == ("ff:ff:ff:ff:ff:ff", VIRTUAL_MAC)
    assert (arp.op, arp.hwsrc, arp.psrc, arp.hwdst, arp.pdst) == (op, VIRTUAL_MAC, "192.0.2.1", target, "192.0.2.1")


def test_neighbour(frames):
    frame = frames["neighbour"]
    assert_checksums_right(frame)
    packet = scapy.Ether(frame)
    na = packet[scapy.ICMPv6ND_NA]
    assert (packet.dst, packet[scapy.IPv6].src, packet[scapy.IPv6].hlim) == ("33:33:00:00:00:01", "2001:db8::1", 255)
    assert (na.R, na.S, na.O, na.tgt) == (1, 0, 1, "2001:db8::1")
    assert packet[scapy.ICMPv6NDOptDstLLAddr].lladdr == VIRTUAL_MAC


@pytest.mark.skipif(shutil.which("tshark") is None, reason="needs tshark")
def test_tshark_finds_nothing_wrong(frames, tmp_path):
    path = str(tmp_path / "frames.pcap")
    scapy.wrpcap(path, [scapy.Ether(frame) for frame in frames.values()])
    out = subprocess.run(
        ["tshark", "-r", path, "-d", "ip.proto==112,carp", "-o", "ip.check_checksum:TRUE", "-T", "fields", "-e", "frame.protocols",
         "-e", "_ws.expert.message", "-e", "carp.vhid", "-e", "icmpv6.checksum.status"],
        check=True, capture_output=True, text=True).stdout.splitlines()
    for name, line in zip(frames, out, strict=True):
        protocols, problems, vhid, icmp_status = (line + "\t\t\t").split("\t")[:4]
        if name.startswith(("advert", "sealed")):
            assert protocols.endswith(":carp") and vhid == "7", line
        if name == "neighbour":
            assert icmp_status == "1", line
        assert "hecksum" not in problems and "alformed" not in problems, line
