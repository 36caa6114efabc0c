"""Networks as a seed starts them."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from bakeoff.errors import NetworkError, StudyError
from bakeoff.files.tensors import from_safetensors, to_safetensors
from bakeoff.networks.build import build, start
from bakeoff.networks.catalogue import ARCHITECTURES, network
from bakeoff.networks.initialisation import SCHEMES
from tests.networks.drawn import HEAD, SOUND, drawn

every_architecture = pytest.mark.parametrize("name", ARCHITECTURES)


def made(name: str, seed: int = 0, scheme: str = "framework-default") -> nn.Module:
    return build(name, (1, 8, 8), 10, initialisation=scheme, seed=seed)


def same(left: nn.Module, right: nn.Module) -> list[bool]:
    pairs = zip(left.parameters(), right.parameters(), strict=True)
    return [torch.equal(a, b) for a, b in pairs]


@every_architecture
@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_seed_alone_decides_the_weights(name: str, scheme: str) -> None:
    torch.manual_seed(1)
    first = made(name, seed=3, scheme=scheme)
    torch.manual_seed(2)
    torch.rand(7)
    again = made(name, seed=3, scheme=scheme)
    other = made(name, seed=4, scheme=scheme)
    assert all(same(first, again))
    differ = [not equal for equal in same(first, other)]
    # Biases and the gains of a normalisation may start at a constant; weights never do.
    weights = [value.dim() > 1 for value in first.parameters()]
    assert all(d for d, is_weight in zip(differ, weights, strict=True) if is_weight)


@every_architecture
def test_building_leaves_the_global_random_state_alone(name: str) -> None:
    before = torch.random.get_rng_state()
    made(name, scheme="kaiming-normal")
    assert torch.equal(torch.random.get_rng_state(), before)


def test_a_misspelt_architecture_gets_the_nearest_name() -> None:
    with pytest.raises(StudyError) as caught:
        made("cnn-2con")
    assert str(caught.value) == "unknown architecture 'cnn-2con'; did you mean 'cnn-2conv'?"


# Networks of the user's


def started(folder: Path, text: str, seed: int = 0, scheme: str = "framework-default") -> nn.Module:
    found = network(f"{drawn(folder, {'net.py': text})}:Net")
    return start(found, (1, 8, 8), 10, initialisation=scheme, seed=seed)


def net(*lines: str) -> str:
    """Return the source of a network with these lines in its __init__."""
    body = "".join(f"        {line}\n" for line in ("super().__init__()", *lines))
    start = "class Net(nn.Module):\n    def __init__(self, classes):\n"
    return f"{HEAD}import numpy as np, random\n{start}{body}"


def states() -> list[object]:
    numpy = str(np.random.get_state(legacy=False))  # noqa: NPY002
    return [random.getstate(), numpy, torch.get_rng_state().tolist()]


@pytest.mark.parametrize(
    "line",
    [
        "self.a = nn.Linear(64, classes)",
        "self.a = nn.Parameter(torch.from_numpy(np.random.randn(64, classes)).float())",
        "self.a = nn.Parameter(torch.tensor([random.random() for _ in range(9)]))",
        # Whatever a network seeds, its weights follow from the seed of the trial.
        "torch.manual_seed(0); self.a = nn.Linear(64, classes)",
    ],
)
def test_the_seed_alone_decides_the_weights_however_they_are_drawn(
    line: str, tmp_path: Path
) -> None:
    text = net(line)
    first = started(tmp_path, text, 3)
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    torch.manual_seed(1)
    before = states()
    assert all(same(first, started(tmp_path, text, 3)))
    assert not any(same(first, started(tmp_path, text, 4)))
    assert states() == before


def test_a_file_that_seeds_when_it_is_imported_changes_no_other(tmp_path: Path) -> None:
    before = made("mlp-2x200")
    seeds = "import random, numpy\ntorch.manual_seed(0)\nnumpy.random.seed(0)\nrandom.seed(0)\n"
    mine = started(tmp_path, SOUND + seeds)
    assert all(same(before, made("mlp-2x200")))
    assert all(same(mine, started(tmp_path, SOUND)))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_lazy_layers_start_as_a_seed_and_a_scheme_have_it(scheme: str, tmp_path: Path) -> None:
    text = (
        f"{HEAD}def Net(classes):\n    return nn.Sequential(nn.LazyConv2d(8, 3), nn.ReLU(), "
        "nn.Flatten(), nn.LazyLinear(classes))\n"
    )
    first, again, other = (started(tmp_path, text, seed, scheme) for seed in (1, 1, 2))
    assert sum(each.numel() for each in first.parameters()) == 80 + 8 * 36 * 10 + 10
    assert all(same(first, again))
    assert not torch.equal(first[0].weight, other[0].weight)  # type: ignore[index]


def test_weights_that_are_tied_are_counted_once_and_keep_the_tie(tmp_path: Path) -> None:
    text = (
        net(
            "self.a, self.b = nn.Linear(64, 64), nn.Linear(64, 64)",
            "self.b.weight = self.a.weight",
        )
        + "    def forward(self, x):\n        return self.b(self.a(x.flatten(1)))\n"
    )
    first, other = started(tmp_path, text, 1), started(tmp_path, text, 2)
    assert sum(each.numel() for each in first.parameters()) == 64 * 64 + 2 * 64
    other.load_state_dict(from_safetensors(to_safetensors(first.state_dict()), "f"))
    images = torch.ones(2, 1, 8, 8)
    assert torch.equal(first(images), other(images))
    assert len(list(other.parameters())) == 3


NOTHING = (
    "Net has no parameters that can be trained; layers must be attributes of it, or stand in an "
    "nn.ModuleList, after super().__init__() in its __init__"
)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (net("self.layers = [nn.Linear(64, 10)]"), NOTHING),
        (net("self.a = nn.Linear(64, 10).requires_grad_(False)"), NOTHING),
        (SOUND.replace("__init__", "_init_"), NOTHING),
        (net("self.a = nn.Linear(64, 10, device='meta')"),
         "Net has no values for a.weight (it is on the device meta); make it on the CPU"),
        (net("self.register_buffer('b', torch.zeros(1, device='meta'))"),
         "Net has no values for b (it is on the device meta); make it on the CPU"),
        (SOUND.replace("        super().__init__()\n", ""), "Net: {file}, line 8: AttributeError: "
         "cannot assign module before Module.__init__() call"),
        (net("self.a = nn.Linear(64, 10).double()"),
         "Net has a.weight in float64, and float32 is trained; use .float()"),
        (net("self.a = nn.Linear(64, 10)") + "    def get_extra_state(self): return 3",
         "Net keeps _extra_state, which is no tensor (get_extra_state?); let it keep tensors"),
        (net("self.looked_at, self.a = ('b', 'stem'), nn.Linear(64, 10)"),
         "Net: looked_at names 'b', no module of it; known: a"),
        (net("self.looked_at, self.a = 'a', nn.Linear(64, 10)"),
         "Net: looked_at must be a tuple of names of modules, not 'a'"),
        (net("1 / 0"), "Net: {file}, line 9: ZeroDivisionError: division by zero"),
        (net("self.a = nn.LazyLinear(classes)"), 'Net: NotImplementedError: Module [Net] is '
         'missing the required "forward" function'),
    ],
)  # fmt: skip
def test_what_leaves_nothing_to_train_is_refused(text: str, complaint: str, tmp_path: Path) -> None:
    with pytest.raises(NetworkError) as caught:
        started(tmp_path, text)
    assert str(caught.value) == complaint.format(file=tmp_path / "net.py")


def test_what_it_prints_while_it_is_made_never_reaches_standard_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ("import sys; sys.stdout.write('made ')", "print('it')", "self.a = nn.Linear(1, 1)")
    started(tmp_path, net(*lines))
    assert capsys.readouterr() == ("", "made it\n")
