"""What is wrong with a network, found before it is trained."""

from __future__ import annotations

import math
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from torch import nn

from bakeoff.engine import fast
from bakeoff.engine.devices import place
from bakeoff.engine.pixels import Pixels
from bakeoff.engine.step import make_update
from bakeoff.networks.build import start
from bakeoff.networks.catalogue import ARCHITECTURES, network
from bakeoff.networks.network import Network
from bakeoff.study.recipe import Recipe
from bakeoff.training.examination import examine
from bakeoff.training.examined import Finding, Sample
from bakeoff.training.optimizers import make_optimizer
from tests.networks.drawn import HEAD, SOUND, drawn

CPU = torch.device("cpu")


PIXELS = Pixels(1 / 255)


def examples(
    shape: tuple[int, int, int] = (1, 8, 8),
    number: int = 12,
    *,
    batch_size: int = 5,
    training: int = 100,
    classes: int = 10,
) -> Sample:
    drawn = torch.Generator().manual_seed(3)
    images = torch.randint(0, 256, (number, *shape), generator=drawn, dtype=torch.uint8)
    return Sample(images, PIXELS, classes, batch_size, training, CPU)


def found(folder: Path, text: str, on: Sample | None = None) -> list[Finding]:
    file = drawn(folder, {"net.py": text})
    return examine(network(f"{file}:Net"), on or examples(), "framework-default")


def net(forward: str, *made: str, **others: str) -> str:
    """Return the source of a network of two layers whose forward is what is given."""
    lines = ["super().__init__()", "self.a = nn.Linear(64, 16)", "self.b = nn.Linear(16, classes)"]
    body = "".join(f"        {line}\n" for line in (*lines, *made))
    steps = "".join(f"        {line}\n" for line in forward.split("\n"))
    return (
        f"{HEAD}class Net(nn.Module):\n    def __init__(self, classes):\n{body}"
        f"    def forward(self, x):\n        h = F.relu(self.a(x.flatten(1)))\n{steps}"
    )


def test_the_file_that_others_are_made_of_has_the_line_that_they_count_on() -> None:
    assert net("return 1").splitlines()[11] == "        return 1"


SOUND_ONES = {
    "plain": SOUND,
    "log-softmax": net("return F.log_softmax(self.b(h), 1)"),
    "tied": net(
        "return self.b(self.n(self.m(h)))",
        "self.m, self.n = nn.Linear(16, 16), nn.Linear(16, 16)",
        "self.n.weight = self.m.weight",
    ),
    "lazy": net("return self.c(h)", "self.c = nn.LazyLinear(classes)", "del self.b"),
    "dropout that asks": net("return self.b(F.dropout(h, 0.5, self.training))"),
    "batch norm": net("return self.b(self.n(h))", "self.n = nn.BatchNorm1d(16)"),
    "prints": net("print('here')\nreturn self.b(h)"),
    "frozen": net("return self.b(h)", "self.a.requires_grad_(False)"),
    "fixed": net("return self.b(h + self.c)", "self.register_buffer('c', torch.ones(16))"),
    "one output each way": net("return self.b(h) if self.training else self.b(h)"),
    "seeds of its own": net("return self.b(h)").replace("super()", "torch.manual_seed(0); super()"),
    "changes its images": SOUND.replace("return", "x.mul_(2)\n        return"),
}


@pytest.mark.parametrize("text", SOUND_ONES.values(), ids=SOUND_ONES)
def test_nothing_is_found_where_nothing_is_wrong(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = torch.get_rng_state()
    assert found(tmp_path, text) == []
    assert torch.equal(torch.get_rng_state(), before)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_what_ships_is_sound(name: str) -> None:
    assert examine(network(name), examples((3, 16, 16)), "kaiming-normal") == []


REFUSED = {
    net("return self.b(h), h"):
        "Net.forward returned a tuple in training, a tensor [n, 10] is needed: return the logits "
        "alone",
    net("return (self.b(h), h) if not self.training else self.b(h)"):
        "Net.forward returned a tuple in evaluation, a tensor [n, 10] is needed: return the logits "
        "alone",
    net("return {'logits': self.b(h)}"):
        "Net.forward returned a dict in training, a tensor [n, 10] is needed: return the logits "
        "alone",
    net("self.b(h)"):
        "Net.forward returned nothing in training, a tensor [n, 10] is needed: return the logits "
        "alone",
    net("return self.b(h)[:, :5]"):
        "Net gives 5 numbers per image, the data have 10 classes; let the last layer have as many "
        "outputs as `classes` says",
    net("return torch.cat((self.b(h), h[:, :2]), 1)"):
        "Net gives 12 numbers per image, the data have 10 classes; let the last layer have as many "
        "outputs as `classes` says",
    net("return self.b(h).repeat(2, 1)"):
        "Net.forward: 10 rows came back for 5 images [1, 8, 8]; the first side of a view must be "
        "the batch's",
    net("return self.b(h).squeeze()"):
        "Net.forward returned a tensor [10] for 1 x [1, 8, 8] in evaluation, a tensor [n, 10] is "
        "needed also for one image (a squeeze, or no flatten?)",
    net("return self.b(h)[..., None]"):
        "Net.forward returned a tensor [5, 10, 1] for 5 x [1, 8, 8] in training, a tensor [n, 10] "
        "is needed also for one image (a squeeze, or no flatten?)",
    net("return self.b(h).double()"):
        "Net.forward returned float64 in training, float32 is needed; end with .float()",
    net("return self.b(h).to(torch.complex64)"):
        "Net.forward returned complex64 in training, float32 is needed; end with .float()",
    net("return self.b(h).to('meta')"):
        "Net.forward returned a tensor on meta for images on cpu; let it stay where the images are",
    net("return self.b(h) / 0"):
        "Net.forward: the logits of image 0 are not finite in training (5 of 5 images); a division "
        "by 0, or a log of it?",
    net("return self.a(h)"):
        "Net.forward fails in training on 5 x [1, 8, 8]: {file}, line 12: RuntimeError: mat1 and "
        "mat2 shapes cannot be multiplied (5x16 and 64x16)",
    net("return self.b(h).detach()"):
        "Net: no gradient reaches any of its 1,210 parameters; look for detach, no_grad, argmax or "
        ".data between them and the logits",
    net("return self.b(h) + (h * 0).sqrt().sum()"):
        "Net: the gradient of a.weight is not finite in the first step; a root or division at 0?",
    net("h.add_(1)\nreturn self.b(torch.relu_(h * h)) + h.mul_(2).sum()"):
        "Net.forward cannot be differentiated on 5 x [1, 8, 8]: RuntimeError: one of the variables "
        "needed for gradient computation has been modified by an inplace operation: "
        "[torch.FloatTensor [5, 16]], which is output 0 of",
    net("return self.b(h + self.c[0](h))", "self.c = [nn.Linear(16, 16)]"):
        "Net computes with 272 weights that the optimizer does not see and no file keeps: put "
        "layers that stand in a list or dict into an nn.ModuleList or nn.ModuleDict, and tensors "
        "into nn.Parameter",
    net("return self.b(h) + self.c((x.flatten(1) * 255).long())",
        "self.c = nn.EmbeddingBag(256, classes, sparse=True)"):
        "Net: the gradient of c.weight is sparse, which no optimizer here takes; leave out "
        "sparse=True",
    net("return self.b(h)", "self.c = nn.Linear(10**7, 10**7)"):
        "Net does not fit into memory: the training of its 100,000,010,001,210 parameters takes",
    net("return self.b(h + self.c)", "self.c = torch.randn(16)"):
        "Net: its saved weights do not give the same logits once they are loaded: what it draws "
        "when it is made must be a parameter or a buffer (register_buffer)",
    net("return self.b(h - h.mean(0))"):
        "Net: the logits of an image are computed from other images of its batch in evaluation; "
        "look for a view, mean or softmax over the first side, or a BatchNorm without running "
        "statistics",
    net("return self.b(self.n(h))", "self.n = nn.BatchNorm1d(16, track_running_stats=False)"):
        "Net: the logits of an image are computed from other images of its batch in evaluation; "
        "look for a view, mean or softmax over the first side, or a BatchNorm without running "
        "statistics",
    net("return self.b(h).reshape(10, -1).T"):
        "Net: the logits of an image are computed from other images of its batch in evaluation; "
        "look for a view, mean or softmax over the first side, or a BatchNorm without running "
        "statistics",
    net("self.c += 1\nreturn self.b(h) * self.c", "self.c = 0"):
        "Net gives two answers to the same image in evaluation, though it draws the same random "
        "numbers: it keeps a state of its own, or numbers that no seed rules",
    net("return self.b(h) + torch.rand(1, generator=self.c)", "self.c = torch.Generator()"):
        "Net gives two answers to the same image in evaluation, though it draws the same random "
        "numbers: it keeps a state of its own, or numbers that no seed rules",
    net("raise SystemExit"):
        "Net.forward fails in training on 5 x [1, 8, 8]: {file}, line 12: it ends Python; let it "
        'do so below `if __name__ == "__main__":` alone',
    SOUND.replace("__init__", "_init_"):
        "Net has no parameters that can be trained; layers must be attributes of it, or stand in "
        "an nn.ModuleList, after super().__init__() in its __init__",
    SOUND.replace("classes=10", "classes, width"):
        "Net needs width, which nobody gives; say arguments = {{ width = … }} in the study",
}  # fmt: skip


@pytest.mark.parametrize(("text", "line"), REFUSED.items())
def test_what_cannot_be_trained_or_scored_is_refused_in_one_line(
    text: str, line: str, tmp_path: Path
) -> None:
    (finding,) = found(tmp_path, text)
    assert finding.severity == "refuse"
    assert finding.line.startswith(line.format(file=tmp_path / "net.py"))


WARNED = {
    net("return F.softmax(self.b(h), 1)"):
        "Net ends in a softmax (its outputs are not negative and sum to 1), and the loss takes "
        "another: it cannot fall below 1.46; return the logits before it",
    net("return torch.sigmoid(self.b(h))"):
        "Net ends in a sigmoid (all its outputs lie between 0 and 1), and the loss takes a softmax "
        "of them; return the logits before it",
    net("return self.b(h)", "self.c = nn.Linear(10, 30, bias=False)"):
        "Net: 300 of 1,510 parameters are never used (c.weight); they stay as they start and are "
        "counted all the same",
    net("return self.b(h)", "self.c = nn.Linear(10, 30)"):
        "Net: 330 of 1,540 parameters are never used (c.weight and 1 more); they stay as they "
        "start and are counted all the same",
    net("return self.b(F.dropout(h, 0.5))"):
        "Net gives two answers to the same image in evaluation (dropout that does not ask "
        "self.training?); its scores will be those of one draw",
    net("return self.b(nn.Dropout(0.5)(h))"):
        "Net gives two answers to the same image in evaluation (dropout that does not ask "
        "self.training?); its scores will be those of one draw",
    net("import random\nreturn self.b(h * random.random())"):
        "Net gives two answers to the same image in evaluation (dropout that does not ask "
        "self.training?); its scores will be those of one draw",
    net("return self.b(h) * len(x)"):
        "Net: the logits of an image in evaluation differ with its company, by a branch that "
        "depends on the whole batch; its scores will be those of one order",
    net("return self.b(h)", "g = torch.Generator().manual_seed(0)",
        "for each in self.parameters(): nn.init.normal_(each, generator=g)"):
        "Net starts from the same weights for every seed: let it set no seed and load no weights, "
        "else seeds show less spread than there is",
    net("return self.b(h)", "for each in self.parameters(): nn.init.constant_(each, 0.1)"):
        "Net starts from constant weights, the same for every seed",
}  # fmt: skip


@pytest.mark.parametrize(("text", "line"), WARNED.items())
def test_what_costs_accuracy_or_meaning_is_warned_of_in_one_line(
    text: str, line: str, tmp_path: Path
) -> None:
    assert found(tmp_path, text) == [Finding("warn", line)]


def test_the_bound_of_a_softmax_is_that_of_a_sure_and_right_network() -> None:
    sure = nn.functional.one_hot(torch.tensor([3]), 10).float()
    loss = nn.functional.cross_entropy(sure, torch.tensor([3])).item()
    assert loss == pytest.approx(math.log(math.e + 9) - 1)
    assert f"{loss:.2f}" == "1.46"


NORMALISED = net("return self.b(self.n(h))", "self.n = nn.BatchNorm1d(16)")


@pytest.mark.parametrize(("training", "batch_size"), [(101, 5), (1, 5), (1, 1), (100, 1)])
def test_a_last_batch_of_one_that_cannot_be_normalised_is_refused(
    training: int, batch_size: int, tmp_path: Path
) -> None:
    on = examples(number=min(training, 12), training=training, batch_size=batch_size)
    lines = [each.line for each in found(tmp_path, NORMALISED, on)]
    assert len(lines) == 1
    assert "Expected more than 1 value per channel when training" in lines[0]
    assert lines[0].startswith("Net.forward fails in training on 1 x [1, 8, 8]: ")


def test_it_says_which_number_of_images_leaves_one(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, NORMALISED, examples(training=101))
    assert finding.line.endswith(
        "; 101 training images in batches of 5 leave a last batch of one: choose another "
        "batch_size, or one image less (train_examples)"
    )


def test_the_study_s_own_batches_are_tried(tmp_path: Path) -> None:
    text = net("assert len(x) != 7\nreturn self.b(h)")
    assert found(tmp_path, text) == []
    (finding,) = found(tmp_path, text, examples(batch_size=7))
    assert finding.line == (
        f"Net.forward fails in training on 7 x [1, 8, 8]: {tmp_path}/net.py, line 12: "
        "AssertionError"
    )


def test_a_network_without_a_class_of_its_own_is_called_what_the_study_calls_it() -> None:
    made = Network("mine", lambda shape, classes: nn.Sequential(nn.Flatten(), nn.Linear(64, 3)))
    (finding,) = examine(made, examples(), "framework-default")
    assert finding.line.startswith("mine gives 3 numbers per image, the data have 10 classes")


def test_an_examination_leaves_the_network_s_shape_of_start_to_the_trial(tmp_path: Path) -> None:
    found_here = network(f"{drawn(tmp_path, {'net.py': SOUND})}:Net")

    def weights() -> torch.Tensor:
        model = start(found_here, (1, 8, 8), 10, initialisation="framework-default", seed=5)
        return torch.cat([each.flatten() for each in model.parameters()])

    before = weights()
    examine(found_here, examples(), "framework-default")
    assert torch.equal(weights(), before)


@pytest.mark.skipif(find_spec("timm") is None, reason="timm is not installed")
@pytest.mark.parametrize("name", ["resnet18", "convnext_atto", "vit_tiny_patch16_224"])
def test_networks_of_timm_are_sound_and_take_their_steps(name: str) -> None:
    found_there = network(f"timm:{name}")
    on = examples((3, 64, 64), 4, batch_size=4)
    assert examine(found_there, on, "framework-default") == []
    model = start(found_there, (3, 64, 64), 10, initialisation="framework-default", seed=0)
    optimizer = make_optimizer(place(model, CPU), Recipe())
    update = make_update(fast(model), optimizer, PIXELS, torch.autocast("cpu", enabled=False))
    before = [each.detach().clone() for each in model.parameters()]
    assert update(on.images, torch.arange(4)).isfinite()
    after = list(model.parameters())
    assert any(not torch.equal(a, b) for a, b in zip(before, after, strict=True))
