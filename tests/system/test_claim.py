"""
One carpd serves a network namespace, and nobody without its rights can take its place.

    fw1 -- switch -- fw2
"""

import subprocess
import sys

import pytest
from lab import Carpd, wait_for
from test_unit_file import UnitCarpd

# What a process without rights can take of a namespace: names, addresses, ports, and locks on what it can open.
STRANGER = """
import fcntl, os, socket, sys
taken = []
for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM, socket.SOCK_SEQPACKET):
    taken.append(socket.socket(socket.AF_UNIX, kind))
    try:
        taken[-1].bind("\\0carpd")
    except OSError:
        pass
taken.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
taken[-1].bind(("239.255.0.112", 112 + 1024))
taken.append(open("/proc/self/ns/net"))
fcntl.flock(taken[-1], fcntl.LOCK_EX)
try:
    socket.socket(socket.AF_INET, socket.SOCK_RAW, 112)
    print("may do anything", flush=True)
except PermissionError:
    print("ready", flush=True)
sys.stdin.read()
"""


def _clean(host, binary):
    return host.run(binary, "--clean", check=False)


def test_stranger_keeps_nobody_from_starting(lab):
    fw1 = lab.host("fw1")
    carpd = Carpd(fw1)
    command = ["ip", "netns", "exec", fw1.netns, "setpriv", "--reuid=1", "--regid=1", "--clear-groups"]
    with subprocess.Popen(
        [*command, sys.executable, "-c", STRANGER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as stranger:
        assert stranger.stdout.readline() == "ready\n"
        carpd.start()
        carpd.wait_state("master")
        carpd.kill()
        assert fw1.has("10.0.0.100")
        done = _clean(fw1, carpd.binary)
        assert done.returncode == 0, done.stderr
        assert not fw1.has("10.0.0.100")
        stranger.stdin.close()


@pytest.mark.parametrize("kind", [Carpd, UnitCarpd])
def test_second_one_is_refused(lab, kind):
    """Whoever the first one runs as, and though the second one has other files."""
    fw1, fw2 = lab.hosts("fw1", "fw2")
    UnitCarpd.capabilities = ["CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_BPF", "CAP_PERFMON"]
    first = kind(fw1).start()
    first.wait_state("master")
    for second in (Carpd(fw1), UnitCarpd(fw1)):
        with pytest.raises(RuntimeError, match="running in this network namespace already"):
            second.start()
    done = _clean(fw1, first.binary)
    assert done.returncode == 1 and "running in this network namespace already" in done.stderr
    assert fw1.has("10.0.0.100")
    # Another namespace with the same files is another host.
    elsewhere = Carpd(fw2, advskew=100).start()
    assert _clean(fw1, first.binary).returncode == 1
    assert elsewhere.stop() == [0] and _clean(fw2, first.binary).returncode == 0
    assert first.stop() == [0] and _clean(fw1, first.binary).returncode == 0


def test_of_two_at_once_one_serves(lab):
    fw1 = lab.host("fw1")
    pair = [Carpd(fw1), Carpd(fw1)]
    for one in pair:
        one.start(wait=False)
    wait_for(lambda: sum(one.running() for one in pair) == 1, 10, "one of them is left")
    (left,) = [one for one in pair if one.running()]
    left.wait_state("master")
