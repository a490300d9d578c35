"""The words that change something, and how their refusal looks."""

import pytest


@pytest.mark.parametrize("words, request_, text", [
    (["demote", "disk"], {"do": "demote", "name": "disk", "value": 1},
     'this host is demoted until "carpctl undemote disk"\n'),
    (["demote", "disk", "255"], {"do": "demote", "name": "disk", "value": 255},
     'this host is demoted until "carpctl undemote disk"\n'),
    (["undemote", "disk"], {"do": "undemote", "name": "disk"}, "disk demotes this host no longer\n"),
    (["maintenance", "on"], {"do": "maintenance", "on": True},
     'maintenance is on, also after a restart, until "carpctl maintenance off"\n'),
    (["maintenance", "off"], {"do": "maintenance", "on": False}, "maintenance is off\n"),
    (["reload"], {"do": "reload"}, "the new configuration is in force\n"),
])
def test_actions(daemon, carpctl, words, request_, text):
    daemon.say({"ok": True})
    result = carpctl(*words)
    assert (result.stdout, result.stderr, result.returncode) == (text, "", 0)
    assert daemon.requests == [request_]
    assert carpctl("-j", *words).stdout == '{"ok": true}\n'


def test_handover(daemon, answer, carpctl, golden):
    daemon.say(answer("handover"))
    result = carpctl("handover")
    golden("handover", result.stdout)
    assert result.returncode == 1, "a group that was kept"
    daemon.say({"ok": True, "handed_over": ["wan"], "kept": [], "not_master": []})
    result = carpctl("handover", "wan")
    assert (result.stdout, result.returncode) == ("wan handed over\n", 0)
    assert daemon.requests == [{"do": "handover"}, {"do": "handover", "group": "wan"}]


@pytest.mark.parametrize("words", [["status"], ["show", "x"], ["demote", "x"], ["handover"], ["reload"]])
def test_refusals(daemon, carpctl, words):
    daemon.say({"ok": False, "error": "there is no\033 group \"x\"; there are wan and lan"})
    result = carpctl(*words)
    assert (result.stdout, result.returncode) == ("", 1)
    assert result.stderr == "carpctl: there is no\\x1b group \"x\"; there are wan and lan\n"
    result = carpctl("--json", *words)
    assert (result.stdout, result.stderr, result.returncode) == (daemon.answer.decode(), "", 1)


def test_version(daemon, answer, carpctl):
    daemon.say(answer("healthy"))
    own = carpctl("-V").stdout
    assert own.startswith("carpctl ")
    assert carpctl("version").stdout == own + "carpd 0.1.0, up 3 d 4 h\n"


@pytest.mark.parametrize("words", [
    ["stauts"], ["show"], ["show", "a", "b"], ["status", "wan"], ["demote"], ["demote", "x", "0"],
    ["demote", "x", "256"], ["demote", "x", "many"], ["demote", "x", ""], ["undemote"], ["maintenance"],
    ["maintenance", "yes"], ["handover", "a", "b"], ["key"], ["log", "-n", "0"], ["log", "-n", "257"],
    ["log", "-n", "x"], ["status", "-n", "3"], ["-t", "0"], ["--nonsense"], ["--socket"],
    ["show", b"\xff"],
])
def test_usage(carpctl, words):
    result = carpctl(*words)
    assert (result.stdout, result.returncode) == ("", 2)
    assert len(result.stderr.splitlines()) in (1, 2)


@pytest.mark.parametrize("word, meant", [("stauts", "status"), ("maintenence", "maintenance"), ("hand-over", "handover")])
def test_misspelt_word(carpctl, word, meant):
    assert carpctl(word).stderr == f'carpctl: there is no "{word}"; did you mean "{meant}"?\n'
    assert carpctl("teapot").stderr == 'carpctl: there is no "teapot"; "carpctl help" lists what there is\n'


def test_help_fits_one_screen(carpctl, golden):
    for word in "help", "-h", "--help":
        result = carpctl(word)
        golden("help", result.stdout)
        assert result.returncode == 0
    assert len(result.stdout.splitlines()) <= 24
    assert max(map(len, result.stdout.splitlines())) <= 85


def test_a_full_disk_is_told(daemon, answer, carpctl):
    daemon.say(answer("healthy"))
    with open("/dev/full", "w") as full:
        result = carpctl(stdout=full)
    assert result.returncode == 1
    assert result.stderr == "carpctl: cannot write: No space left on device\n"
