"""
Debian's ucarp, unmodified, and somebody who has recorded what it said.

    fw1 (ucarp, advskew 0) -----+
    fw2 (carpd, advskew 100) ---+- switch - outsider
"""

import struct

import pytest
from lab import Carpd, Flood, Sniffer, Ucarp, let_pass, wait_for
from words import ADDRESS, detail, transitions

_IP, _CARP = 14, 34


def _sum16(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _rewritten(frame, destination=None, source=None, address=None, advskew=None):
    frame = bytearray(frame)
    if destination:
        frame[0:6] = bytes.fromhex(destination.replace(":", ""))
    if source:
        frame[6:12] = bytes.fromhex(source.replace(":", ""))
    if address:
        frame[26:30] = bytes(int(part) for part in address.split("."))
        frame[24:26] = bytes(2)
        frame[24:26] = struct.pack(">H", _sum16(bytes(frame[_IP:_CARP])))
    if advskew is not None:
        frame[_CARP + 2] = advskew
        frame[_CARP + 6 : _CARP + 8] = bytes(2)
        frame[_CARP + 6 : _CARP + 8] = struct.pack(">H", _sum16(bytes(frame[_CARP : _CARP + 36])))
    return bytes(frame)


@pytest.fixture(name="scene")
def _scene(lab):
    """ucarp is master and carpd its backup; with frames of four of its adverts, the first of them unheard by carpd."""
    fw1, fw2, outsider = lab.hosts("fw1", "fw2", "outsider")
    theirs = Ucarp(fw1)
    theirs.start()
    lab.wait_for_owner(ADDRESS, fw1)
    sniffer = Sniffer(lab)
    wait_for(lambda: sniffer.adverts(fw1), 10, "an advert that nobody else hears")
    ours = Carpd(fw2, advskew=100).start()
    wait_for(lambda: detail(ours)["counters"]["adverts_received"] >= 5, 15, "carpd knows its master")
    frames = [one.frame for one in sniffer.adverts(fw1)]
    sniffer.stop()
    return theirs, ours, outsider, frames


def test_set_back(lab, scene):
    """
    Its own advert is played to it alone, more often than it speaks: what it then says has been said before. From
    another source, as its capture leaves out its own, and with terms that it need not yield to.
    """
    _, ours, outsider, frames = scene
    fw1 = lab.all_hosts[0]
    before = transitions(ours)
    frame = _rewritten(frames[-3], fw1.mac(), outsider.mac(), "10.0.0.77", advskew=254)
    flood = Flood(outsider, [frame], seconds=10, per_s=2)
    wait_for(lambda: detail(ours)["counters"]["dropped"]["replay"] >= 3, 10, "it is set back")
    assert ours.status()["notes"], "it is noted"
    let_pass(6, while_true=lambda: ours.status()["state"] == "backup" and lab.owners(ADDRESS) == [fw1])
    assert "DOUBTFUL" in ours.carpctl("status").stdout and ours.carpctl("status").returncode == 1
    flood.wait()
    # It counts on, and comes to where it was.
    wait_for(lambda: ours.carpctl("status").returncode == 0, 30, "all is well")
    assert transitions(ours) == before and ours.log().count("DOUBTFUL") == 1


@pytest.mark.parametrize("stranger", [False, True])
def test_replays_do_not_make_a_master_leave(lab, scene, stranger):
    """Nor after a stranger has played one advert twice, which says nothing of anybody else's."""
    theirs, ours, outsider, frames = scene
    fw1, fw2 = lab.all_hosts[:2]
    theirs.crash()
    fw1.run("ip", "addr", "del", f"{ADDRESS}/32", "dev", "eth0")
    lab.wait_for_owner(ADDRESS, fw2, 10)
    if stranger:
        frame = _rewritten(frames[0], source=outsider.mac(), address="10.0.0.77", advskew=254)
        Flood(outsider, [frame], seconds=2, per_s=1).wait()
    before = transitions(ours)
    dropped = detail(ours)["counters"]["dropped"]["replay"]
    replays = [_rewritten(frame, source=outsider.mac()) for frame in frames[-2:]]
    Flood(outsider, replays, seconds=8, per_s=1).wait()
    wait_for(lambda: detail(ours)["counters"]["dropped"]["replay"] >= dropped + 8, 5, "all are suspected")
    assert transitions(ours) == before and lab.owners(ADDRESS) == [fw2]
    assert ours.carpctl("status").returncode == 0 and "recorded" in ours.carpctl("status").stdout
