"""The bash completion, by asking bash for what it would offer."""

import os
import pathlib
import subprocess

import pytest

from conftest import CARPCTL

COMPLETION = pathlib.Path(__file__).parents[2] / "dist" / "carpctl.bash"


@pytest.mark.parametrize("typed, offered", [
    ([""], "status show log demote undemote maintenance handover reload key version help".split()),
    (["--json", "ha"], ["handover"]),
    (["-t", "3", "mai"], ["maintenance"]),
    (["maintenance", ""], ["on", "off"]),
    (["--js"], ["--json"]),
    (["log", "-n"], ["-n"]),
    (["log", "-n", ""], []),
    (["show", ""], ["wan", "lan", "dmz"]),
    (["handover", "l"], ["lan"]),
    (["undemote", ""], ["disk", "cable"]),
])
def test_bash(daemon, answer, tmp_path, typed, offered):
    status = answer("trouble")
    status["demotions"] = [dict(status["demotions"][0], name=name) for name in ("disk", "cable")]
    daemon.say(status)
    command = tmp_path / "carpctl"
    command.write_text(f'#!/bin/sh\nexec {CARPCTL} -s {daemon.path} "$@"\n')
    command.chmod(0o755)
    script = (f'. {COMPLETION}; COMP_WORDS=(carpctl "$@"); COMP_CWORD=$#; _carpctl; '
              'for reply in "${COMPREPLY[@]}"; do printf "%s\\n" "$reply"; done')
    output = subprocess.run(["bash", "-c", script, "bash", *typed], capture_output=True, text=True, check=True,
                            env=dict(os.environ, PATH=f"{tmp_path}:{os.environ['PATH']}"))
    assert (output.stdout.split(), output.stderr) == (offered, "")
