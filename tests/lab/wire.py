"""Adverts and announcements out of Ethernet frames, and a reader for tcpdump's files."""

import ipaddress
import struct
from typing import NamedTuple

_PCAP_NANOSECONDS = 0xA1B23C4D
_ETHERNET_BYTES = 14
_CARP = 112


class Advert(NamedTuple):
    """A CARP or VRRP advertisement."""

    time_ns: int
    protocol: str  # "carp" or "vrrp"
    source: str
    mac: str  # of the Ethernet header
    id: int  # vhid or virtual router id
    interval_s: float  # as advertised; CARP: advbase + advskew/256
    advbase: int  # VRRP: None
    advskew: int  # VRRP: None
    demote: int  # VRRP: None
    priority: int  # CARP: None
    payload: bytes
    frame: bytes

    @property
    def gone(self):
        """A good-bye: CARP's slowest interval, VRRP's priority 0."""
        return self.priority == 0 if self.protocol == "vrrp" else self.advbase == 255 and self.advskew == 255


class Announcement(NamedTuple):
    """A gratuitous ARP ("garp") or an unsolicited neighbour advertisement ("na")."""

    time_ns: int
    kind: str
    address: str
    mac: str
    source_mac: str  # of the Ethernet header


def _advert(time_ns, source, frame, payload):
    if len(payload) < 8:
        return None
    first, number = payload[0], payload[1]
    common = (str(ipaddress.ip_address(source)), frame[6:12].hex(":"), number)
    # VRRP version 2 starts like CARP; CARP's fourth byte is its fixed digest length of seven words.
    if first == 0x21 and len(payload) >= 36 and payload[3] == 7:
        skew, demote, base = payload[2], payload[4], payload[5]
        return Advert(time_ns, "carp", *common, base + skew / 256, base, skew, demote, None, payload, frame)
    if first == 0x31:
        interval_s = (struct.unpack_from(">H", payload, 4)[0] & 0xFFF) / 100
        return Advert(time_ns, "vrrp", *common, interval_s, None, None, None, payload[2], payload, frame)
    return None


def _arp(time_ns, frame):
    if len(frame) < _ETHERNET_BYTES + 28:
        return None
    mac, sender, target = frame[22:28], frame[28:32], frame[38:42]
    if sender != target:
        return None
    return Announcement(time_ns, "garp", str(ipaddress.ip_address(sender)), mac.hex(":"), frame[6:12].hex(":"))


def _ipv4(time_ns, frame):
    packet = frame[_ETHERNET_BYTES:]
    if len(packet) < 20 or packet[9] != _CARP:
        return None
    length = struct.unpack_from(">H", packet, 2)[0]
    return _advert(time_ns, packet[12:16], frame, packet[(packet[0] & 15) * 4 : length])


def _ipv6(time_ns, frame):
    packet = frame[_ETHERNET_BYTES:]
    if len(packet) < 40:
        return None
    payload = packet[40 : 40 + struct.unpack_from(">H", packet, 4)[0]]
    if packet[6] == _CARP:
        return _advert(time_ns, packet[8:24], frame, payload)
    # 136: neighbour advertisement; the solicited flag is 0x40 of the fifth byte.
    if packet[6] == 58 and len(payload) >= 24 and payload[0] == 136 and not payload[4] & 0x40:
        option = payload[26:32] if payload[24:26] == b"\x02\x01" else b""
        address = str(ipaddress.ip_address(payload[8:24]))
        return Announcement(time_ns, "na", address, option.hex(":"), frame[6:12].hex(":"))
    return None


_PARSERS = {0x0800: _ipv4, 0x0806: _arp, 0x86DD: _ipv6}


def parse(time_ns, frame):
    """An Advert, an Announcement or None."""
    if len(frame) < _ETHERNET_BYTES:
        return None
    parser = _PARSERS.get(struct.unpack_from(">H", frame, 12)[0])
    return parser(time_ns, frame) if parser else None


def read_pcap(path):
    """[(wall clock ns, frame)] of a file with nanoseconds; a record that is still being written is left out."""
    with open(path, "rb") as file:
        data = file.read()
    frames, offset = [], 24
    if len(data) >= 4 and struct.unpack_from("=I", data)[0] != _PCAP_NANOSECONDS:
        raise ValueError(f"{path} is not a capture with nanoseconds of this machine's byte order")
    while offset + 16 <= len(data):
        seconds, nanoseconds, length, _ = struct.unpack_from("=IIII", data, offset)
        if offset + 16 + length > len(data):
            break
        frames.append((seconds * 1_000_000_000 + nanoseconds, data[offset + 16 : offset + 16 + length]))
        offset += 16 + length
    return frames
