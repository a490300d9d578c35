"""A daemon that is not there, or is not itself: one clear sentence and exit code 3."""

import os
import socket
import time

import pytest


def told(result):
    assert (result.stdout, result.returncode) == ("", 3)
    assert result.stderr.count("\n") == 1
    return result.stderr.strip()


def test_no_socket(carpctl, tmp_path):
    assert told(carpctl()) == f"carpd is not running: nobody listens on {tmp_path}/control"
    assert told(carpctl("--json")) == f"carpd is not running: nobody listens on {tmp_path}/control"


def test_socket_left_behind(carpctl, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as left:
        left.bind(str(tmp_path / "control"))
    assert told(carpctl()) == f"carpd is not running: nobody listens on {tmp_path}/control"


def test_plain_file(carpctl, tmp_path):
    (tmp_path / "control").touch()
    assert told(carpctl()) == f"carpd cannot be asked: {tmp_path}/control is not its control socket"


def test_socket_of_another_kind(carpctl, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.bind(str(tmp_path / "control"))
        assert told(carpctl()) == f"carpd cannot be asked: {tmp_path}/control is not its control socket"


def test_path_too_long(carpctl):
    assert told(carpctl("-s", "/" + "x" * 107)) == (
        "carpd cannot be asked: the path of a socket has at most 107 bytes")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to be somebody else")
def test_no_permission(daemon, carpctl, tmp_path):
    os.chmod(daemon.path, 0o600)
    for folder in [tmp_path, *tmp_path.parents]:
        if folder.stat().st_uid == os.geteuid() and str(folder).count("/") > 1:
            os.chmod(folder, 0o755)
    assert told(carpctl(user=65534)) == (
        f"carpd cannot be asked: you have no permission to use {tmp_path}/control")


@pytest.mark.parametrize("garbage", [
    b"\n", b"hello\n", b"[]\n", b"null\n", b"{}\n", b'{"ok":1}\n', b'{"ok":true} {}\n', b'{"ok":true,"a":"\xff"}\n',
    b'{"ok":true}\0\n', b"[" * 100000 + b"\n"])
def test_garbage(daemon, carpctl, garbage):
    daemon.answer = garbage
    for word in "status", "reload":
        assert told(carpctl(word)) == "carpd's answer makes no sense: it is not as in carpctl(8)"


@pytest.mark.parametrize("words, member", [(["status"], "groups"), (["show", "x"], "group"), (["log"], "entries")])
@pytest.mark.parametrize("value", [None, 7, "x", [7], []])
def test_incomplete(daemon, carpctl, words, member, value):
    if value == [] and words[0] != "show":
        return
    daemon.say({"ok": True, "groups": value, "entries": value})
    assert told(carpctl(*words)) == f"carpd's answer makes no sense: it has no {member}"


def test_half_an_answer(daemon, carpctl, tmp_path):
    daemon.answer = b'{"ok":true'
    assert told(carpctl()) == f"carpd hung up in the middle of its answer on {tmp_path}/control"
    daemon.answer = b""
    assert told(carpctl()) == f"carpd hung up without an answer on {tmp_path}/control"


@pytest.mark.parametrize("start", [b"", b'{"ok":true'])
def test_stalled(daemon, carpctl, tmp_path, start):
    daemon.answer = start
    daemon.hang_up = False
    before = time.monotonic()
    assert told(carpctl("-t", "1")) == f"carpd does not answer: waited 1 s on {tmp_path}/control"
    assert 1 <= time.monotonic() - before < 4


def test_an_answer_that_drips_does_not_extend_the_limit(daemon, carpctl, tmp_path):
    daemon.answer = b" " * 100
    daemon.pause_s = 0.1
    assert told(carpctl("-t", "1")) == f"carpd does not answer: waited 1 s on {tmp_path}/control"


def test_stalled_before_accept(carpctl, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(tmp_path / "control"))
        listener.listen(0)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as first:
            first.connect(str(tmp_path / "control"))
            told(carpctl("-t", "1"))


def test_answers_up_to_the_limit(daemon, carpctl):
    limit = 16 << 20
    for length, code in (limit, 0), (limit + 1, 3):
        frame = '{"ok":true,"healthy":true,"groups":[],"x":""}'
        daemon.answer = frame.replace('""', '"' + "x" * (length - len(frame)) + '"').encode() + b"\n"
        result = carpctl()
        assert result.returncode == code
    assert told(result) == "carpd's answer makes no sense: longer than 16 MiB"


def test_endless_answer(daemon, carpctl):
    daemon.answer = b"x" * (40 << 20)
    assert told(carpctl()) == "carpd's answer makes no sense: longer than 16 MiB"


def test_the_line_ends_the_answer(daemon, answer, carpctl):
    daemon.say(answer("healthy"))
    daemon.answer += b"what comes behind is not ours\n"
    daemon.hang_up = False
    assert carpctl().returncode == 0
