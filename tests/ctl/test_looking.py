"""status, show and log: whole outputs, at several widths."""

import datetime
import os
import pty
import subprocess

import pytest

from conftest import CARPCTL


@pytest.mark.parametrize("columns", [None, 80, 200])
@pytest.mark.parametrize("name, code", [("healthy", 0), ("trouble", 1), ("maintenance", 1)])
def test_status(daemon, answer, carpctl, golden, name, code, columns):
    daemon.say(answer(name))
    result = carpctl(columns=columns)
    golden(f"status-{name}-{columns or 'pipe'}", result.stdout)
    assert (result.returncode, result.stderr) == (code, "")
    assert daemon.requests == [{"do": "status"}]
    if columns:
        assert max(map(len, result.stdout.splitlines())) <= columns


@pytest.mark.parametrize("columns", [None, 80])
@pytest.mark.parametrize("name, group, code", [("show-backup", "lan", 1), ("show-master", "wan", 0)])
def test_show(daemon, answer, carpctl, golden, name, group, code, columns):
    daemon.say(answer(name))
    result = carpctl("show", group, columns=columns)
    golden(f"{name}-{columns or 'pipe'}", result.stdout)
    assert (result.returncode, result.stderr) == (code, "")
    assert daemon.requests == [{"do": "show", "group": group}]


@pytest.mark.parametrize("columns", [None, 80])
def test_log(daemon, answer, carpctl, golden, columns):
    daemon.say(answer("log"))
    result = carpctl("log", "-n", "4", columns=columns)
    golden(f"log-{columns or 'pipe'}", result.stdout)
    assert (result.returncode, result.stderr) == (0, "")
    assert daemon.requests == [{"do": "log", "count": 4}]


def noon():
    """A time zone in which it is about noon, so that no test runs into midnight."""
    now = datetime.datetime.now(datetime.timezone.utc)
    hours = 12 - now.hour
    zone = datetime.timezone(datetime.timedelta(hours=hours))
    return f"XXX{-hours:+d}", now.astimezone(zone)


def test_log_of_today_has_no_date(daemon, carpctl):
    zone, now = noon()
    daemon.say({"ok": True, "entries": [{"time": now.isoformat(timespec="milliseconds"), "group": "wan",
                                         "event": "took", "text": "took 1 address"}]})
    assert carpctl("log", timezone=zone).stdout == (
        f"{now:%H:%M:%S}.{now.microsecond // 1000:03d}  wan  took 1 address\n")


def test_log_of_two_days_is_aligned(daemon, carpctl):
    zone, now = noon()
    entry = {"group": "wan", "event": "took", "text": "x"}
    days = [now - datetime.timedelta(days=1), now]
    daemon.say({"ok": True, "entries": [dict(entry, time=day.isoformat(timespec="milliseconds")) for day in days]})
    first, second = carpctl("log", timezone=zone).stdout.splitlines()
    assert first.startswith(f"{days[0]:%Y-%m-%d %H:%M:%S}.")
    assert second.startswith(f"           {now:%H:%M:%S}.")
    assert first.index("wan") == second.index("wan")


def test_log_without_count_lets_the_daemon_choose(daemon, carpctl):
    daemon.say({"ok": True, "entries": []})
    assert carpctl("log").stdout == ""
    assert daemon.requests == [{"do": "log"}]


def test_255_groups_stay_a_plain_table(daemon, answer, carpctl):
    status = answer("healthy")
    group = status["groups"][0]
    status["groups"] = [dict(group, name=f"g{i}", vhid=i, addresses=[f"10.0.{i}.1"]) for i in range(1, 256)]
    daemon.say(status)
    lines = carpctl(columns=80).stdout.splitlines()
    assert len(lines) == 3 + 255
    assert lines[2:4] == ["GROUP  INTERFACE  VHID  STATE   SINCE    MASTER     ADDRESSES",
                          "g1     eth0          1  master  3 d 3 h  this host  10.0.1.1"]
    assert lines[-1] == "g255   eth0        255  master  3 d 3 h  this host  10.0.255.1"


def test_many_addresses_are_cut_short_in_status_only(daemon, answer, carpctl):
    status = answer("show-master")
    status["groups"][0]["addresses"] = [f"10.0.0.{i}" for i in range(1, 101)]
    daemon.say(status)
    assert carpctl().stdout.endswith("  10.0.0.8  and 92 more\n")
    assert "  10.0.0.100\n" in carpctl("show", "wan").stdout


@pytest.mark.parametrize("seconds, text", [
    (0, "0 s"), (0.31, "0.31 s"), (9.99, "9.99 s"), (9.999, "9 s"), (12.9, "12 s"), (59.99, "59 s"),
    (86, "1 min 26 s"), (3599, "59 min 59 s"), (7500, "2 h 5 min"), (86399, "23 h 59 min"), (273600, "3 d 4 h"),
    (-5, "0 s"), (1e300, "0 s")])
def test_spans(daemon, answer, carpctl, seconds, text):
    status = answer("healthy")
    status["up_s"] = seconds
    daemon.say(status)
    assert carpctl().stdout.splitlines()[0] == f"fw1  healthy, serving 2 of 2 groups   up {text}"


@pytest.mark.parametrize("change", [
    lambda status: status.update(healthy=False),
    lambda status: status["groups"][0].update(state="init"),
    lambda status: status["groups"][0].update(problems=["the cable is out"]),
])
def test_show_exits_1_when_something_is_wrong(daemon, answer, carpctl, change):
    status = answer("show-master")
    change(status)
    daemon.say(status)
    assert carpctl("show", "wan").returncode == 1


def on_terminal(daemon, **environment):
    controller, terminal = pty.openpty()
    subprocess.run([CARPCTL, "--socket", daemon.path], stdout=terminal, check=True, env=environment)
    os.close(terminal)
    output = b""
    while True:
        try:
            output += os.read(controller, 65536)
        except OSError:
            break
    os.close(controller)
    return output.decode()


def test_color_on_a_terminal_only(daemon, answer, carpctl):
    daemon.say(answer("healthy"))
    assert "  \033[32mmaster\033[0m  " in on_terminal(daemon, TERM="xterm")
    for plain in {"TERM": "dumb"}, {}, {"TERM": "xterm", "NO_COLOR": "1"}:
        assert "\033" not in on_terminal(daemon, **plain)
    assert "\033" in on_terminal(daemon, TERM="xterm", NO_COLOR="")
    assert "\033" not in carpctl().stdout


def test_text_from_the_daemon_cannot_steer_the_terminal(daemon, answer, carpctl):
    status = answer("show-master")
    evil = "a\033[2J\r\n\t\x7f\u009b\u202eb"
    safe = "a\\x1b[2J\\x0d\\x0a\\x09\\x7f\\u009b\\u202eb"
    group = status["groups"][0]
    status["host"] = group["name"] = group["addresses"][0] = group["detail"]["why"] = evil
    group["problems"] = status["problems"] = [evil]
    group["detail"]["counters"]["dropped"] = {evil: 1}
    daemon.say(status)
    for output, count in (carpctl().stdout, 6), (carpctl("show", "x").stdout, 6):
        assert output.count(safe) == count
        assert all(c == "\n" or c.isprintable() for c in output)


def test_unknown_members_and_missing_ones_do_no_harm(daemon, carpctl):
    daemon.say({"ok": True, "healthy": True, "novel": [1], "groups": [{"name": "wan"}, {}]})
    result = carpctl()
    assert result.returncode == 0
    assert "wan    -" in result.stdout
    daemon.say({"ok": True, "healthy": True, "groups": [{"detail": {}}]})
    assert carpctl("show", "wan").returncode == 0


@pytest.mark.parametrize("word", [["status"], ["show", "wan"], ["log"], ["reload"], ["handover"]])
def test_json_is_the_answer_as_it_is(daemon, carpctl, word):
    line = '{"ok":true,  "healthy":true, "é":"\\u001b", "groups":[{}],"entries":[]}'
    daemon.answer = line.encode() + b"\n"
    for arguments in ["--json", *word], [*word, "-j"]:
        result = carpctl(*arguments)
        assert (result.stdout, result.stderr, result.returncode) == (line + "\n", "", 0)
