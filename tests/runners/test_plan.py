"""What is yet to be trained, and how little is made to know it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from bakeoff.commands.run import run_study
from bakeoff.data.dataset import Dataset
from bakeoff.networks.catalogue import ARCHITECTURES
from bakeoff.records.folder import RunFolder
from bakeoff.records.record import Epoch
from bakeoff.runners.listener import Listener, PlannedTrial
from bakeoff.training.size import network_sizes

from ..factories import entrant, plan, study, whole


def test_all_entrants_with_the_first_seed_come_first_without_what_is_finished(
    digits: Dataset, tmp_path: Path
) -> None:
    asked = study(entrant("a"), entrant("b", "mlp-2x200"), seeds=2)
    folder = RunFolder.create(tmp_path / "run", asked)
    folder.write_trial(*whole(asked, "a", 0))
    found = plan(folder, digits)
    assert [trial.key for trial in found] == [("b", 0), ("a", 1), ("b", 1)]
    sizes = network_sizes(asked, digits)
    assert [trial.size for trial in found] == [sizes["b"], sizes["a"], sizes["b"]]
    # 640 and 54,800 multiply-adds for each of 1,297 images.
    assert [trial.work_per_epoch for trial in found] == [54_800 * 1297, 640 * 1297, 54_800 * 1297]


def test_a_network_is_made_once_without_numbers_and_once_to_be_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    plain = ARCHITECTURES["mlp-2x200"]

    def watched(shape: tuple[int, int, int], classes: int) -> nn.Module:
        model = plain(shape, classes)
        made.append(next(model.parameters()).device.type)
        return model

    class Stop(Listener):
        def epoch_ended(self, trial: PlannedTrial, epoch: Epoch) -> None:
            raise KeyboardInterrupt

    monkeypatch.setitem(ARCHITECTURES, "mlp-2x200", watched)
    before = torch.random.get_rng_state()
    # Two entrants that differ in their recipes share what is known of their network.
    asked = study(entrant("a", "mlp-2x200"), entrant("b", "mlp-2x200", epochs=1), seeds=2)
    with pytest.raises(KeyboardInterrupt):
        run_study(asked, tmp_path / "run", listener=Stop())
    assert made == ["meta", "cpu"]
    assert torch.equal(torch.random.get_rng_state(), before)
