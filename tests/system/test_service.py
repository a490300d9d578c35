"""
carpd as a service: the manager's notifications, and who may ask what.

    fw1 - switch
"""

import os
import re
import signal
import socket
import struct
import subprocess

from lab import Carpd, let_pass, wait_for
from words import ADDRESS, neighbour, ping, wait_settled

# Neither root nor the user the engine runs as.
STRANGER = ("setpriv", "--reuid=1", "--regid=1", "--clear-groups")


class Manager:
    """A service manager's notification socket."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.socket.bind(path)
        self.heard = []

    def lines(self):
        while True:
            try:
                self.heard += self.socket.recv(4096).decode().splitlines()
            except BlockingIOError:
                return self.heard


def test_notifies_its_manager(lab):
    fw1 = lab.host("fw1")
    path = lab.new_path("notify")
    manager = Manager(path)
    first = Carpd(fw1)
    # As the manager does: exec keeps the number of the process, so it is told no other's.
    os.environ.update(NOTIFY_SOCKET=path, WATCHDOG_USEC="1000000")
    try:
        first.start()
    finally:
        del os.environ["NOTIFY_SOCKET"], os.environ["WATCHDOG_USEC"]
    wait_for(lambda: "READY=1" in manager.lines(), 5, "it is ready")
    wait_for(lambda: manager.lines().count("WATCHDOG=1") >= 2, 5, "it lives")
    assert "STOPPING=1" not in manager.lines()
    # The watchdog is the keeper's: with an engine that hangs, and with none, it is fed, and the keeper gets another.
    engine = next(pid for pid in first.pids() if pid != first.processes[0].pid)
    os.kill(engine, signal.SIGSTOP)
    beats = manager.lines().count("WATCHDOG=1")
    wait_for(lambda: manager.lines().count("WATCHDOG=1") >= beats + 8, 30, "the keeper lives")
    os.kill(engine, signal.SIGKILL)
    beats = manager.lines().count("WATCHDOG=1")
    wait_for(lambda: manager.lines().count("WATCHDOG=1") > beats, 5, "the keeper lives")
    first.wait_state("master")
    # One that hangs starves it.
    first.processes[0].signal(signal.SIGSTOP)
    beats = manager.lines().count("WATCHDOG=1")
    let_pass(2.5, while_true=lambda: manager.lines().count("WATCHDOG=1") <= beats + 1)
    first.processes[0].signal(signal.SIGCONT)
    wait_for(lambda: manager.lines().count("WATCHDOG=1") > beats, 5, "it lives again")
    assert first.stop() == [0]
    assert manager.lines().count("READY=1") == 1 and "STOPPING=1" in manager.lines()


def test_serves_on_without_a_reader_of_its_log(lab):
    """Such as when `carpd 2>&1 | tee log` loses its tee."""
    fw1, client = lab.hosts("fw1", "client")
    first = Carpd(fw1)
    reader, writer = os.pipe()
    command = ["ip", "netns", "exec", fw1.netns, first.binary, "-f", first.config_path]
    with subprocess.Popen(command, stderr=writer, env={**os.environ, **first.environment}) as one:
        try:
            os.close(writer)
            wait_for(lambda: os.path.exists(first.socket) and first.ctl("status", check=False), 5, "it answers")
            os.close(reader)
            first.write_config(advskew="none")
            # The keeper has something to say about each of these.
            for _ in range(3):
                assert first.carpctl("reload").returncode == 1
            wait_for(lambda: ping(client, ADDRESS), 5, "it serves")
            assert one.poll() is None
        finally:
            one.terminate()
        assert one.wait(10) == 0


def test_stranger_may_look_and_not_act(lab):
    fw1 = lab.host("fw1")
    first = Carpd(fw1).start()
    first.wait_state("master")

    def ask(*words):
        return fw1.run(*STRANGER, first.client, "-s", first.socket, *words, check=False)

    for words in (("status",), ("show", "group1"), ("log",), ("--json", "status")):
        done = ask(*words)
        assert done.returncode == 0 and "group1" in done.stdout, (words, done)
    for words in (("demote", "x"), ("undemote", "x"), ("maintenance", "on"), ("handover",), ("reload",)):
        done = ask(*words)
        assert done.returncode != 0 and done.stderr.count("\n") == 1, (words, done)
        assert re.search("root|permi|may", done.stderr), done.stderr
    assert first.ctl("status")["demotion"] == 0 and fw1.has(ADDRESS)


def test_engine_has_few_rights(lab):
    fw1 = lab.host("fw1")
    first = Carpd(fw1).start()
    engine = next(pid for pid in first.pids() if pid != first.processes[0].pid)
    with open(f"/proc/{engine}/status", encoding="ascii") as file:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    net_admin_and_raw = 1 << 12 | 1 << 13
    assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == net_admin_and_raw
    assert int(status["CapBnd"], 16) == 0 and status["NoNewPrivs"] == "1"
    assert "0" not in status["Uid"].split()


def _talk(path, data):
    with socket.socket(socket.AF_UNIX) as one:
        one.settimeout(5)
        one.connect(path)
        try:
            one.sendall(data)
        except BrokenPipeError:
            pass
        answer = b""
        try:
            while b"\n" not in answer and (more := one.recv(65536)):
                answer += more
        except ConnectionResetError:
            pass
        return answer


def test_malformed_requests(lab):
    fw1 = lab.host("fw1")
    first = Carpd(fw1).start()
    first.wait_state("master")
    for data in (b"\n", b"{}\n", b"[]\n", b"x" * 100000, b'{"do":"status"' + b" " * 5000 + b"}\n", b"\xff\xfe\n",
                 b'{"do":7}\n', b'{"do":"show"}\n', b'{"do":"show","group":"' + b"g" * 300 + b'"}\n',
                 b'{"do":"demote","name":"","value":1}\n', b'{"do":"log","count":-1}\n',
                 b'{"do":"demote","name":"n","value":1e99}\n', b"[" * 4000 + b"\n"):  # fmt: skip
        answer = _talk(first.socket, data)
        assert b'"ok": true' not in answer.replace(b'":', b'": ') or b"log" in data, (data[:60], answer[:200])
    # Many who connect and say nothing do not keep others away for long.
    silent = [socket.socket(socket.AF_UNIX) for _ in range(100)]
    for one in silent:
        one.setblocking(False)
        try:
            one.connect(first.socket)
        except OSError:
            pass
    for one in silent:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        one.close()
    assert first.status()["state"] == "master"


def test_without_the_rights_for_a_gate(lab):
    """`auto` falls back to the interface's MAC and says why; the pair works as before."""
    fw1, fw2, client = lab.hosts("fw1", "fw2", "client")
    daemons = [Carpd(host, advskew=skew, preempt=True) for host, skew in ((fw1, 0), (fw2, 100))]
    for one in daemons:
        wrapper = lab.new_path("carpd-without-bpf")
        with open(wrapper, "w", encoding="ascii") as file:
            file.write(f'#!/bin/sh\nexec setpriv --bounding-set=-bpf,-sys_admin,-perfmon {one.binary} "$@"\n')
        os.chmod(wrapper, 0o755)
        one.binary = wrapper
        one.start()
    wait_settled(*daemons)
    assert daemons[0].status()["mac"] == "interface"
    assert ping(client, ADDRESS) and neighbour(client, ADDRESS) == fw1.mac()
    daemons[0].crash()
    daemons[1].wait_state("master", 6)
    wait_for(lambda: ping(client, ADDRESS) and neighbour(client, ADDRESS) == fw2.mac(), 3, "the client follows")
    assert "gate" in daemons[1].log()
