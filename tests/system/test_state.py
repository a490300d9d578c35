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
from words import detail, transitions, wait_settled


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


@pytest.mark.parametrize("name", ["seals", "seals.new", "maintenance"])
def test_pipe_in_the_place_of_a_file(daemon, name):
    """Nobody waits for somebody to write into it, or to read from it."""
    path = os.path.join(os.path.dirname(_seals(daemon)), name)
    os.mkfifo(path)
    daemon.start()
    wait_for(lambda: os.path.isfile(_seals(daemon)), 10, "seals is a file")
    for word in ("off", "on", "off"):
        daemon.ctl("maintenance", word)
    assert not os.path.exists(os.path.join(os.path.dirname(path), "maintenance"))
    assert ("it is not a regular file" in daemon.log()) == (name == "seals")
    assert daemon.stop() == [0]


def test_link_in_the_place_of_a_file(daemon):
    """It is replaced: what it leads to is not carpd's to write."""
    precious = os.path.join(daemon.directory, "precious")
    with open(precious, "w", encoding="ascii") as file:
        file.write("untouched")
    os.chmod(precious, 0o666)
    os.symlink(precious, _seals(daemon))
    os.symlink(precious, _seals(daemon) + ".new")
    daemon.start()
    wait_for(lambda: not os.path.islink(_seals(daemon)), 10, "seals is a file")
    with open(precious, encoding="ascii") as file:
        assert file.read() == "untouched"


def test_directory_cannot_be_written(daemon):
    """Status and log say so, maintenance is refused, and all is well when it can."""
    directory = os.path.dirname(_seals(daemon))
    os.chmod(directory, 0o555)
    daemon.start()
    daemon.wait_state("master")
    status = daemon.ctl("status")
    (problem,) = status["problems"]
    assert f"{directory}/seals cannot be written: Permission denied" in problem and not status["healthy"]
    done = daemon.carpctl("maintenance", "on")
    assert done.returncode == 1 and "would not survive a restart: Permission denied" in done.stderr
    assert daemon.ctl("status")["demotion"] == 0
    os.chmod(directory, 0o755)
    wait_for(lambda: daemon.ctl("status")["healthy"], 10, "the problem is gone")
    daemon.ctl("maintenance", "on")
    assert daemon.ctl("status")["demotion"] == 254


@pytest.fixture(name="disk")
def _disk(daemon, tmp_path):
    """A file system of its own under the state directory, which can be frozen."""
    directory, image = os.path.dirname(_seals(daemon)), str(tmp_path / "image")
    with open(image, "wb") as file:
        file.truncate(8 << 20)
    run("mkfs.ext4", "-q", image)
    if run("mount", "-o", "loop", image, directory, check=False).returncode != 0:
        pytest.skip("needs a loop device")
    run("chown", "nobody", directory)
    yield directory
    run("fsfreeze", "-u", directory, check=False)
    daemon.stop()
    run("umount", directory)


def test_disk_that_stands_still(daemon, disk):
    """A master stays one without a gap, acts and reloads, says what is wrong, and ends; then all is kept."""
    daemon.write_config(advbase=0, advskew=50)
    daemon.start()
    daemon.wait_state("master")
    before = transitions(daemon)
    run("fsfreeze", "-f", disk)
    wait_for(lambda: daemon.ctl("status")["problems"], 60, "the problem is told")
    assert "the disk does not answer" in daemon.ctl("status")["problems"][0]
    done = daemon.carpctl("maintenance", "on")
    assert done.returncode == 1 and "comes into force when it does" in done.stderr
    daemon.reload()
    assert daemon.status()["state"] == "master" and transitions(daemon) == before
    run("fsfreeze", "-u", disk)
    wait_for(lambda: daemon.ctl("status")["demotion"] == 254, 10, "maintenance is in force")
    wait_for(lambda: not daemon.ctl("status")["problems"], 40, "the problem is gone")
    assert os.path.exists(os.path.join(disk, "maintenance"))
    run("fsfreeze", "-f", disk)
    # With the disk frozen again, the last write is not waited for without end.
    assert daemon.stop(30) == [0]


def test_last_sequence_is_kept(daemon):
    """What is said at the end is written before the end."""
    daemon.start()
    daemon.wait_state("master")
    with open(_seals(daemon), encoding="ascii") as file:
        reserved = int(file.readline().split()[1])
    assert daemon.stop() == [0]
    with open(_seals(daemon), encoding="ascii") as file:
        assert int(file.readline().split()[1]) < reserved
