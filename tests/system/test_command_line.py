"""What is wrong with a command line is said in a line that names what would be right; nothing is started."""

import os
import subprocess

import pytest
from lab.daemons import BUILD

CARPD = os.path.join(BUILD, "carpd", "carpd")
RUN = ("run", "-i", "lo", "-V", "1")


def complaint(*words, status=2):
    environment = {**os.environ, "CARPD_PASSPHRASE": "correct horse"}
    done = subprocess.run([CARPD, *words], capture_output=True, text=True, check=False, timeout=10, env=environment)
    assert (done.stdout, done.returncode) == ("", status)
    return done.stderr.rstrip("\n")


@pytest.mark.parametrize("words, said", [
    (("--chek",), 'carpd: there is no "--chek"; did you mean "--check"?'),
    (("-x",), 'carpd: there is no "-x"; "carpd --help" lists what there is'),
    (("--verbose", "-xn"), 'carpd: there is no "-x"; "carpd --help" lists what there is'),
    (("-f",), 'carpd: "-f" needs a value'),
    (("--clean=1",), 'carpd: "--clean=1" takes no value'),
    (("--clean", "extra"), 'carpd: unexpected "extra"; "carpd --help" lists what there is'),
    (("-v",), "carpd: -v goes with -n; without it carpd would begin to serve"),
    (("-v", "--clean"), "carpd: -v goes with -n; without it carpd would begin to serve"),
    ((*RUN, "--preemptt", "10.0.0.1"), 'carpd run: there is no "--preemptt"; did you mean "--preempt"?'),
    ((*RUN, "--advskew"), 'carpd run: "--advskew" needs a value'),
])  # fmt: skip
def test_option(words, said):
    assert complaint(*words) == said


@pytest.mark.parametrize("words, said", [
    (("-b", "-1", "10.0.0.1"), 'advbase is "-1"; write a whole number from 0 to 254 (seconds; 255 says goodbye)'),
    (("-k", "x", "10.0.0.1"), 'advskew is "x"; write a whole number from 0 to 254 (255 says goodbye)'),
    (("-m", "virtul", "10.0.0.1"), 'mac cannot be "virtul"; did you mean "virtual"?'),
    (("10.0.0.300",), '"10.0.0.300" is no IP address; write one such as 10.0.0.1/24 or 2001:db8::1/64'),
])  # fmt: skip
def test_value_of_carpd_run(words, said):
    """The sentences of the configuration, without lines of a file that nobody has written."""
    assert complaint(*RUN, *words, status=1) == f"carpd run: {said}"


def test_no_configuration():
    if os.path.exists("/etc/carpd/carpd.conf"):
        pytest.skip("this machine has one")
    for words, status in ((), os.EX_CONFIG), (("-n",), 1):
        said = complaint(*words, status=status)
        assert "/etc/carpd/carpd.conf: cannot be opened" in said
        assert "carpd.conf.example" in said and "carpd run --help" in said
    assert "example" not in complaint("-f", "/nonexistent", status=os.EX_CONFIG)
