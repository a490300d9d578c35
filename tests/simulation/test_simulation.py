"""The simulator itself: it is the same everywhere, and it sees what is broken."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

from build import ROOT, build, build_objects, build_with

HERE = pathlib.Path(__file__).parent
CARPSIM = os.environ.get('CARPSIM', 'carpsim')
BROKEN = sorted((HERE / 'broken').glob('*.patch'))
SCENARIOS = sorted((HERE / 'scenarios').glob('*.scenario'))


def run(program, *arguments):
    return subprocess.run([str(program), *arguments], capture_output=True, text=True, timeout=300)


def test_same_seed_same_trace():
    first = run(CARPSIM, 'trace', '--seed', '7')
    assert first.stdout == run(CARPSIM, 'trace', '--seed', '7').stdout
    assert first.stdout != run(CARPSIM, 'trace', '--seed', '8').stdout


def test_same_trace_with_every_compiler(tmp_path):
    compilers = [name for name in ('gcc', 'clang') if shutil.which(name)]
    if len(compilers) < 2:
        pytest.skip('needs gcc and clang')
    said = {run(build(tmp_path, compiler), 'check', '--hours', '300').stdout for compiler in compilers}
    assert len(said) == 1


def test_a_seed_written_down_goes_the_same_way(tmp_path):
    script = tmp_path / 'seed.scenario'
    script.write_text(run(CARPSIM, 'script', '--seed', '11').stdout)
    assert run(CARPSIM, 'run', '--seed', '11').stdout == run(CARPSIM, 'run', '--scenario', script).stdout


@pytest.mark.parametrize('scenario', SCENARIOS, ids=lambda path: path.stem)
def test_kept_scenario(scenario):
    result = run(CARPSIM, 'run', '--scenario', scenario)
    assert result.returncode == 0, result.stdout + result.stderr


# What two hosts are told within the time in which a successor waits for its addresses.
TOGETHER = [('hand-over 0', 'hand-over 1'), ('hand-over 0', 'stop 1'), ('stop 0', 'hand-over 1'),
            ('hand-over 1', 'hand-over 0'), ('demote 0 100', 'hand-over 1'), ('hand-over 0', 'demote 1 100'),
            ('maintain 0', 'maintain 1'), ('demote 0 100', 'demote 1 150')]  # fmt: skip


@pytest.mark.parametrize('routing', ['40ms', '80ms'])
@pytest.mark.parametrize('told', TOGETHER, ids=' and '.join)
def test_two_hosts_told_at_once(told, routing, tmp_path):
    script = tmp_path / 'told.scenario'
    for offset_ms in range(61):
        third = 'host carpd advskew 200\n' if offset_ms % 3 == 2 else ''
        script.write_text(
            f'seed {offset_ms}\nhost carpd advskew 0\nhost carpd advskew 100\n{third}'
            f'families both\npreempt {offset_ms % 2}\nrouting {routing}\n'
            f'at 30s {told[0]}\nat {30000 + offset_ms}ms {told[1]}\nduration 60s\n'
        )
        result = run(CARPSIM, 'run', '--scenario', script)
        assert result.returncode == 0, script.read_text() + result.stdout


@pytest.fixture(scope='module')
def objects(tmp_path_factory):
    return build_objects(tmp_path_factory.mktemp('objects'), 'cc')


@pytest.mark.parametrize('patch', BROKEN, ids=lambda path: path.stem)
def test_broken_engine_is_caught(patch, objects, tmp_path):
    expected = re.search(r'^Caught by: (\w+)', patch.read_text(), re.M).group(1)
    names = re.findall(r'^\+\+\+ b/(core/\w+\.c)$', patch.read_text(), re.M)
    (tmp_path / 'core').mkdir()
    for name in names:
        shutil.copy(ROOT / name, tmp_path / name)
    subprocess.run(['patch', '-p1', '-s', '-F3', '-i', str(patch)], cwd=tmp_path, check=True)
    result = run(build_with(tmp_path, 'cc', [tmp_path / name for name in names], objects), 'check', '--hours', '2000')
    assert result.returncode == 1, result.stdout
    assert f': {expected}: ' in result.stdout


def test_wrong_scenario_is_told_by_line(tmp_path):
    script = tmp_path / 'wrong.scenario'
    script.write_text('host carpd\nhost carpd\nat 1s pause 7 1s\n')
    result = run(CARPSIM, 'run', '--scenario', script)
    assert result.returncode == 2
    assert f'{script}:3:' in result.stderr


def numbers(text):
    return {name: float(value) for name, value in re.findall(r'^ +(\w+) +([\d.]+) ms$', text, re.M)}


def test_plan_without_loss():
    text = run(CARPSIM, 'plan', '--advbase', '1', '--advskew', '0,100', '--hosts', '2', '--crashes', '200',
               '--hours', '10').stdout
    outage = numbers(text)
    # The backup counts from the last advert, and the crash comes within an interval of it, at most 1391 ms.
    assert 1600 < outage['min'] <= outage['median'] <= outage['p99'] <= outage['max'] < 3000 + 1000 * 100 / 256 + 10
    assert re.search(r'false takeovers +0\.000 an hour', text)
    assert re.search(r'two hosts answer +0\.000 ms an hour', text)


def test_plan_draws(tmp_path):
    picture = tmp_path / 'plan.svg'
    result = run(CARPSIM, 'plan', '--advskew', '0,100', '--loss', '20', '--hosts', '3', '--crashes', '50', '--hours',
                 '10', '--svg', picture)
    assert result.returncode == 0
    assert picture.read_text().startswith('<svg') and picture.read_text().endswith('</svg>\n')
    assert float(re.search(r'false takeovers +([\d.]+)', result.stdout).group(1)) > 0


def test_scale_keeps_one_master_each():
    result = run(CARPSIM, 'scale', '--hosts', '20', '--groups', '200', '--seconds', '5')
    assert result.returncode == 0
    assert 'masters    200' in result.stdout
