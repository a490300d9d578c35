"""A fake carpd: answers each request by what the test wants, over a real socket."""

import json
import os
import pathlib
import socket
import subprocess
import threading
import time

import pytest

HERE = pathlib.Path(__file__).parent
CARPCTL = os.environ.get("CARPCTL", "carpctl")
UNWANTED = ("COLUMNS", "NO_COLOR", "LC_ALL", "LANG")


class Daemon:
    """Answers with bytes as they are, or with an object; keeps what it was asked."""

    def __init__(self, path):
        self.path = str(path)
        self.requests = []
        self.answer = b""
        self.hang_up = True
        self.pause_s = None  # between single bytes of the answer
        self.kept = []
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(self.path)
        self.listener.listen()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            line = connection.makefile("rb").readline()
            if line:
                self.requests.append(json.loads(line))
            try:
                self.send(connection)
            except OSError:
                pass
            if self.hang_up:
                connection.close()
            else:
                self.kept.append(connection)

    def send(self, connection):
        if self.pause_s is None:
            connection.sendall(self.answer)
            return
        for byte in self.answer:
            connection.sendall(bytes([byte]))
            time.sleep(self.pause_s)

    def say(self, answer):
        self.answer = json.dumps(answer).encode() + b"\n"

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.listener.close()
        for connection in self.kept:
            connection.close()


@pytest.fixture
def daemon(tmp_path):
    daemon = Daemon(tmp_path / "control")
    yield daemon
    daemon.close()


@pytest.fixture
def answer():
    """The object of answers/NAME.json."""
    return lambda name: json.loads((HERE / "answers" / f"{name}.json").read_text())


@pytest.fixture
def carpctl(tmp_path):
    """Runs carpctl on the test's own socket; the result has stdout, stderr, returncode."""

    def run(*arguments, columns=None, timezone="UTC", **kwargs):
        environment = {k: v for k, v in os.environ.items() if k not in UNWANTED}
        environment["TZ"] = timezone
        if columns:
            environment["COLUMNS"] = str(columns)
        kwargs.setdefault("stdout", subprocess.PIPE)
        return subprocess.run(
            [CARPCTL, "--socket", str(tmp_path / "control"), *arguments],
            env=environment, stderr=subprocess.PIPE, text=True, timeout=60, cwd=tmp_path, **kwargs)

    return run


@pytest.fixture
def golden():
    """Compares a whole output with golden/NAME.txt; CARPCTL_GOLDEN=write makes the file anew."""

    def compare(name, text):
        path = HERE / "golden" / f"{name}.txt"
        if os.environ.get("CARPCTL_GOLDEN") == "write":
            path.write_text(text)
        assert text == path.read_text()

    return compare
