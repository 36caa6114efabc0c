"""Workers on two mounts of one folder; one is stopped as Slurm does, and begun anew."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bakeoff.commands.run import run_study
from bakeoff.records.folder import RunFolder

from ..factories import entrant, study
from .test_work import Away

# Long enough for a checkpoint, also where an epoch takes two milliseconds.
ASKED = study(entrant("a", epochs=600), entrant("b", epochs=4), seeds=1)


def can_mount() -> bool:
    if shutil.which("unshare") is None:
        return False
    tried = ["unshare", "--mount", "mount", "--bind", "/tmp", "/tmp"]  # noqa: S108
    return subprocess.run(tried, capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not can_mount(), reason="only root of its own mounts can bind a folder")
def test_workers_on_two_mounts_share_the_trials(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_study(ASKED, tmp_path / "run", listener=Away())
    folder, other = RunFolder.open(tmp_path / "run"), tmp_path / "other"
    other.mkdir()

    def begun_elsewhere() -> subprocess.Popen[bytes]:
        command = 'mount --bind "$0" "$1" && exec "$2" -m bakeoff worker "$1" --jobs 1'
        places = [str(folder.path), str(other), sys.executable]
        return subprocess.Popen(["unshare", "--mount", "sh", "-c", command, *places])

    far = begun_elsewhere()
    while not list((folder.path / "unfinished").rglob("epoch-*")):
        assert far.poll() is None
        time.sleep(0.05)
    far.send_signal(signal.SIGUSR2)
    assert far.wait() == 140
    again = begun_elsewhere()
    near = [sys.executable, "-m", "bakeoff", "worker", str(folder.path), "--jobs", "1"]
    subprocess.run(near, check=True, capture_output=True)
    assert again.wait() == 0
    assert list(other.iterdir()) == []  # Nobody but the far one saw the folder there.
    alone = run_study(ASKED, tmp_path / "alone").folder
    for key in alone.finished():
        assert folder.read_weights(*key) == alone.read_weights(*key)
    assert not (folder.path / "set-aside").exists()
