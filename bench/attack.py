"""Frames that an attacker on the segment sends: bad ones made from a captured advert."""

import random

_IP = 14  # where the IP header begins
_PAYLOAD = 34  # and the advert, since neither daemon sends IP options


def _checksum(data):
    total = sum(int.from_bytes(data[i : i + 2].ljust(2, b"\0"), "big") for i in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def _pseudo_header(frame, length):
    return frame[_IP + 12 : _IP + 20] + bytes([0, 112]) + length.to_bytes(2, "big")


def _frame(advert, mac, source, payload):
    """An advert's frame with another sender and payload, IP header and its checksum made right."""
    head = bytearray(advert.frame[_IP:_PAYLOAD])
    head[2:4] = (20 + len(payload)).to_bytes(2, "big")
    head[12:16] = bytes(int(part) for part in source.split("."))
    head[10:12] = b"\0\0"
    head[10:12] = _checksum(bytes(head)).to_bytes(2, "big")
    hardware = bytes.fromhex(mac.replace(":", ""))
    return advert.frame[:6] + hardware + b"\x08\x00" + bytes(head) + payload


def garbage(advert, mac, source, count=200):
    """Random payloads of random length."""
    return [_frame(advert, mac, source, random.randbytes(random.randint(1, 120))) for _ in range(count)]


def truncated(advert, mac, source):
    """The advert cut off after each of the bytes that every daemon of its protocol needs."""
    needed = min(len(advert.payload), 36)
    return [_frame(advert, mac, source, advert.payload[:length]) for length in range(needed)]


def seal_cut_off(advert, mac, source):
    """The bare advert without what carpd appends, from a host that never sealed; none if nothing is appended."""
    return [_frame(advert, mac, source, advert.payload[:36])] if len(advert.payload) > 36 else []


def wrong_digest(advert, mac, source, count=200):
    """CARP: another counter under the old digest, and a right checksum. VRRP has no digest: a wrong checksum."""
    frames = []
    for _ in range(count):
        payload = bytearray(advert.payload[:36] if advert.protocol == "carp" else advert.payload)
        if advert.protocol == "carp":
            payload[2] = 0
            payload[8:16] = random.randbytes(8)
            payload[6:8] = b"\0\0"
            payload[6:8] = _checksum(bytes(payload)).to_bytes(2, "big")
        else:
            payload[6] ^= 0x55
        frames.append(_frame(advert, mac, source, bytes(payload)))
    return frames


KINDS = {"garbage": garbage, "wrong digest": wrong_digest, "truncated": truncated, "seal cut off": seal_cut_off}
