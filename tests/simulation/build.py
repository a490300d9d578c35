"""Builds a carpsim of its own, from a changed core or with another compiler."""

import pathlib
import shlex
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def nettle():
    found = subprocess.run(['pkg-config', '--cflags', '--libs', 'nettle'], capture_output=True, text=True, check=True)
    return shlex.split(found.stdout)


def compile_sources(directory, compiler, files):
    """One object each, in directory."""
    subprocess.run([compiler, '-std=gnu17', '-O2', '-w', '-D_GNU_SOURCE', '-DCARPD_VERSION="test"', f'-I{ROOT}',
                    '-iquote', ROOT / 'core', '-c', *files], cwd=directory, check=True)


def link(directory, compiler, objects):
    program = directory / f'carpsim-{compiler}'
    subprocess.run([compiler, *objects, '-o', program, *nettle()], check=True)
    return program


def build_objects(directory, compiler):
    compile_sources(directory, compiler, [*(ROOT / 'carpsim').glob('*.c'), *(ROOT / 'core').glob('*.c')])
    return sorted(directory.glob('*.o'))


def build(directory, compiler):
    return link(directory, compiler, build_objects(directory, compiler))


def build_with(directory, compiler, changed, objects):
    """With the changed sources of the core in the place of those of their names."""
    compile_sources(directory, compiler, changed)
    names = {source.stem for source in changed}
    others = [unchanged for unchanged in objects if unchanged.stem not in names]
    return link(directory, compiler, [*(directory / f'{name}.o' for name in names), *others])
