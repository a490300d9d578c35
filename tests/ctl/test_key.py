"""carpctl key: for its owner only, and never over anything."""

import os
import re
import stat


def test_key(carpctl, tmp_path):
    for name in "one", "two":
        result = carpctl("key", name)
        assert (result.stdout, result.stderr, result.returncode) == ("", "", 0)
    one, two = ((tmp_path / name).read_text() for name in ("one", "two"))
    assert re.fullmatch("[0-9a-f]{64}\n", one)
    assert one != two
    assert stat.S_IMODE((tmp_path / "one").stat().st_mode) == 0o600


def test_mode_under_any_umask(carpctl, tmp_path):
    assert carpctl("key", "k", preexec_fn=lambda: os.umask(0)).returncode == 0
    assert stat.S_IMODE((tmp_path / "k").stat().st_mode) == 0o600


def test_never_overwrites(carpctl, tmp_path):
    (tmp_path / "k").write_text("precious")
    os.symlink("nowhere", tmp_path / "link")
    for name in "k", "link":
        result = carpctl("key", name)
        assert result.returncode == 1
        assert result.stderr == f"carpctl: {name} exists already, and a key is never overwritten\n"
    assert (tmp_path / "k").read_text() == "precious"
    assert not (tmp_path / "nowhere").exists()


def test_no_such_folder(carpctl):
    result = carpctl("key", "a/b", "-j")
    assert (result.stdout, result.returncode) == ('{"ok":false}\n', 1)
    assert result.stderr == "carpctl: cannot make a/b: No such file or directory\n"


def test_nothing_is_left_of_a_key_that_could_not_be_written(carpctl, tmp_path):
    import resource
    result = carpctl("key", "k", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (8, 8)))
    assert result.returncode != 0
    assert not (tmp_path / "k").exists()
