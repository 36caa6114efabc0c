"""An array of workers, in a Slurm that three short scripts play: no Slurm is at hand."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from bakeoff.cli.main import run
from bakeoff.commands.run import run_study
from bakeoff.errors import BakeoffError
from bakeoff.runners import on_slurm
from bakeoff.runners.on_slurm import script_for, workers_for

from ..factories import entrant, study
from .heard import Heard

pytest.importorskip("submitit")

ASKED = study(entrant("a", epochs=1), entrant("b", epochs=1), seeds=1)

SBATCH = """#!/bin/bash
export SLURM_ARRAY_JOB_ID=7 SLURM_ARRAY_TASK_ID=0
touch "{there}/queued"  # Before the task begins, which may be over at once.
(bash "$1"; echo $? > "{there}/ended"; rm -f "{there}/queued") > "{there}/log" 2>&1 &
echo "Submitted batch job 7"
"""
SQUEUE = '#!/bin/bash\nif [ -e "{there}/queued" ]; then echo "7_0 running"; fi\n'
SRUN = """#!/bin/bash
while [[ "$1" == --* ]]; do
  case "$1" in --unbuffered) shift ;; *) shift 2 ;; esac
done
{instead}exec "$@"
"""
SCONTROL = '#!/bin/bash\necho "$@" > "{there}/asked"\n'


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a Slurm that runs the first task of an array at once."""
    there = tmp_path / "slurm"
    there.mkdir()
    for name, text in {
        "sbatch": SBATCH, "squeue": SQUEUE, "srun": SRUN, "scontrol": SCONTROL,
    }.items():  # fmt: skip
        (there / name).write_text(text.replace("{there}", str(there)).replace("{instead}", ""))
        (there / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{there}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(on_slurm, "_POLL", 0.1)
    return there


def instead(slurm: Path, command: str) -> None:
    """Let `srun` do something else than it is asked for."""
    (slurm / "srun").write_text(SRUN.replace("{instead}", f"{command}\n"))


def test_what_is_submitted_is_an_array_of_workers_that_is_queued_anew(tmp_path: Path) -> None:
    text = script_for(tmp_path / "run", 3, 2, "cuda")
    said = tmp_path / "run" / "slurm"
    assert text.splitlines() == [
        "#!/bin/bash",
        "",
        "# Parameters",
        "#SBATCH --array=0-2%3",
        "#SBATCH --cpus-per-task=2",
        f"#SBATCH --error={said}/%A_%a_0_log.err",
        "#SBATCH --gpus-per-node=1",
        "#SBATCH --job-name=bakeoff",
        "#SBATCH --nodes=1",
        "#SBATCH --open-mode=append",
        f"#SBATCH --output={said}/%A_%a_0_log.out",
        "#SBATCH --requeue",
        "#SBATCH --signal=USR2@90",
        "",
        "# command",
        "export SUBMITIT_EXECUTOR=slurm",
        f"srun --unbuffered --output {said}/%A_%a_%t_log.out --error {said}/%A_%a_%t_log.err "
        f"{sys.executable} -m bakeoff worker {tmp_path}/run --device cuda --jobs 1 --threads 2 "
        "--trust-code",
        "",
        "",
        "# teardown",
        "ended=$?",
        "test $ended -ne 140 || scontrol requeue ${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}",
        "exit $ended",
    ]


@pytest.mark.parametrize(
    ("trials", "jobs", "workers"), [(30, None, 30), (30, 4, 4), (2, 4, 2), (9000, None, 1000)]
)
def test_workers_are_as_many_as_trials_or_as_are_asked_for(
    trials: int, jobs: int | None, workers: int
) -> None:
    assert workers_for(trials, jobs) == workers


def test_a_dry_run_prints_what_would_be_submitted_and_makes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert (
        run(["run", "quick", "--on", "slurm", "--dry-run", "--jobs", "2", "--device", "cpu"]) == 0
    )
    printed = capsys.readouterr().out.splitlines()
    assert "#SBATCH --array=0-1%2" in printed
    assert any(line.startswith("srun ") for line in printed)
    assert list(tmp_path.iterdir()) == []
    assert run(["run", "quick", "--dry-run"]) == 2
    assert capsys.readouterr().err == (
        "bakeoff: --dry-run: says what --on slurm would submit; give that, too\n"
    )


def test_workers_train_and_the_command_waits_and_compares(slurm: Path, tmp_path: Path) -> None:
    heard = Heard()
    far = run_study(ASKED, tmp_path / "run", on="slurm", jobs=1, listener=heard)
    assert "a 0 elsewhere" in heard.lines
    assert (
        "Slurm job 7: workers: 1; they go on where this command is stopped, and the same command "
        "ends the run"
    ) in heard.lines
    alone = run_study(ASKED, tmp_path / "alone")
    for key in alone.folder.finished():
        assert far.folder.read_weights(*key) == alone.folder.read_weights(*key)
    assert (tmp_path / "run" / "report.html").exists()


def test_a_worker_whose_time_is_up_is_queued_anew_and_one_that_fails_is_not(
    slurm: Path, tmp_path: Path
) -> None:
    for code, again in ((140, "requeue 7_0\n"), (1, None)):
        instead(slurm, f"exit {code}")
        with pytest.raises(BakeoffError) as caught:
            run_study(ASKED, tmp_path / f"run-{code}", on="slurm")
        assert str(caught.value) == (
            "Slurm job 7 is over, trials not finished: 2; what its workers said is in "
            f"{tmp_path}/run-{code}/slurm"
        )
        assert (slurm / "ended").read_text() == f"{code}\n"
        found = (slurm / "asked").read_text() if (slurm / "asked").exists() else None
        assert found == again
        (slurm / "asked").unlink(missing_ok=True)


def test_where_there_is_no_slurm_one_line_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BakeoffError, match=r"^Slurm took no job: .*sbatch") as caught:
        run_study(ASKED, tmp_path / "run", on="slurm")
    assert "\n" not in str(caught.value)


def test_a_folder_whose_locks_are_one_machines_is_refused(
    slurm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_slurm, "why_locks_are_alone", lambda _: "no locks here")
    with pytest.raises(BakeoffError) as caught:
        run_study(ASKED, tmp_path / "run", on="slurm")
    assert str(caught.value) == (
        f"{tmp_path}/run: no locks here; give an --out on another file system"
    )
