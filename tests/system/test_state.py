"""
What outlives the daemon, and a disk that does not do as it should.

    fw1 --- switch
"""

import os
import random
import time

import pytest
from lab import Carpd, wait_for
from lab.net import run
from words import detail, wait_settled


@pytest.fixture(name="daemon")
def _daemon(lab):
    return Carpd(lab.host("fw1"))


def _seals(daemon):
    return os.path.join(daemon.directory, "state", "seals")


def _lines(daemon, words):
    return [line for line in daemon.log().splitlines() if words in line]


@pytest.mark.parametrize("content", ["garbage", "empty", "no number", "beyond all clocks", "cut off"])
def test_damaged_seals(daemon, content):
    """Said once, with what follows from it; and overwritten."""
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    text = {
        "garbage": random.Random(seed).randbytes(5000),
        "empty": b"",
        "no number": b"sequence\n",
        "beyond all clocks": b"sequence 99999999999999999999\n",
        "cut off": b"sequence 1764212",
    }[content]
    with open(_seals(daemon), "wb") as file:
        file.write(text)
    daemon.start()
    daemon.wait_state("master")
    (line,) = _lines(daemon, "seals")
    assert "cannot be read: it is damaged" in line and "replays" in line
    with open(_seals(daemon), encoding="ascii") as file:
        assert file.readline().startswith("sequence 1")


def test_good_seals_and_none_say_nothing(daemon):
    for _ in range(2):
        daemon.start()
        daemon.wait_state("master")
        assert not _lines(daemon, "seals")
        daemon.stop()


def _lead_s(daemon):
    """How far ahead of the clock the sequences of seals are reserved."""
    with open(_seals(daemon), encoding="ascii") as file:
        return int(file.readline().split()[1]) / 1e9 - time.time()


def test_killed_again_and_again(lab):
    """Each run must begin above what the one before may have used; a peer that knows none of them takes its seals."""
    fw1, fw2 = lab.hosts("fw1", "fw2")
    first = Carpd(fw1, seal="require", preempt=True)
    for _ in range(6):
        first.start()
        first.wait_state("master")
        assert _lead_s(first) < 31
        first.kill()
    first.start()
    second = Carpd(fw2, advskew=100, seal="require").start()
    wait_settled(first, second)
    assert detail(second)["master_advert"]["sealed"]
    assert detail(second)["counters"]["dropped"]["stale"] == 0


def test_seals_are_a_directory(daemon):
    os.mkdir(_seals(daemon))
    daemon.start()
    daemon.wait_state("master")
    assert "cannot be read: Is a directory" in _lines(daemon, "seals")[0]
    assert "cannot be written: Is a directory" in _lines(daemon, "seals")[1]
    assert len(_lines(daemon, "seals")) == 2


def test_disk_is_full(daemon):
    directory = os.path.dirname(_seals(daemon))
    owner = os.stat(directory).st_uid
    run("mount", "-t", "tmpfs", "-o", f"size=4k,uid={owner}", "none", directory)
    try:
        ballast = os.path.join(directory, "ballast")
        with open(ballast, "wb") as file:
            file.write(bytes(4096))
        daemon.start()
        daemon.wait_state("master")
        (line,) = _lines(daemon, "seals")
        assert "cannot be written: No space left on device" in line and "replays" in line
        os.unlink(ballast)
        wait_for(lambda: _lines(daemon, "is written again"), 10, "it is saved again")
        assert os.path.exists(_seals(daemon)) and len(_lines(daemon, "seals")) == 2
    finally:
        daemon.stop()
        run("umount", directory)
