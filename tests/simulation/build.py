"""Builds a carpsim of its own, from a changed core or with another compiler."""

import pathlib
import shlex
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def sources(core):
    return sorted((ROOT / 'carpsim').glob('*.c')) + sorted((core / 'core').glob('*.c'))


def nettle():
    found = subprocess.run(['pkg-config', '--cflags', '--libs', 'nettle'], capture_output=True, text=True, check=True)
    return shlex.split(found.stdout)


def build(directory, compiler, core=ROOT):
    """core is the directory that has core/ in it."""
    program = directory / f'carpsim-{compiler}'
    subprocess.run([compiler, '-std=gnu17', '-O2', '-w', '-D_GNU_SOURCE', '-DCARPD_VERSION="test"', f'-I{core}',
                    *map(str, sources(core)), '-o', str(program), *nettle()], check=True)
    return program
