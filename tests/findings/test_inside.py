from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from bakeoff.data.dataset import Dataset
from bakeoff.engine.pixels import Pixels
from bakeoff.errors import NetworkError, StoreError
from bakeoff.findings import inside
from bakeoff.findings.inside import load_network, view_inside, view_of
from bakeoff.findings.view import View
from bakeoff.networks.build import build
from bakeoff.networks.catalogue import ARCHITECTURES
from bakeoff.records import folder as folder_module
from bakeoff.records.folder import RunFolder
from bakeoff.records.record import Record
from bakeoff.records.trial_files import manifest_of
from bakeoff.training.predict import predict_logits
from bakeoff.training.run_trial import run_trial
from bakeoff.training.trial import Trial

from ..factories import entrant, first_of, study, trial_spec, whole

IMAGE = np.array([[[0, 1, 2], [3, 4, 5], [6, 7, 8]]], np.uint8)
LEFT = [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
EDGE = [[0.0, 0.0, 0.0], [-1.0, 0.0, 1.0], [0.0, 0.0, 0.0]]


def tiny(relu: nn.Module) -> nn.Sequential:
    """Two filters whose maps can be worked out in the head, with biases 0 and -2."""
    conv = nn.Conv2d(1, 2, 3, padding="same")
    output = nn.Linear(18, 2)
    with torch.no_grad():
        conv.weight.copy_(torch.tensor([[LEFT], [EDGE]]))
        assert conv.bias is not None
        conv.bias.copy_(torch.tensor([0.0, -2.0]))
        output.weight.zero_()
        output.bias.copy_(torch.tensor([0.0, 1.0]))
    return nn.Sequential(OrderedDict(c=conv, r=relu, flatten=nn.Flatten(), output=output))


def looked(model: nn.Module, image: NDArray[np.uint8] = IMAGE, scale: float = 1.0) -> View:
    images, labels = np.stack([image, image]), np.array([1, 0])
    names = tuple(f"class {number}" for number in range(10))
    dataset = Dataset("d", names, images, labels, images, labels, light_on_dark=True)
    return view_inside(model, dataset, 1, "e", 1, Pixels(scale))


# The pixel to the left, 0 outside; and the right neighbour less the left one, less 2.
BEFORE = [
    [[0, 0, 1], [0, 3, 4], [0, 6, 7]],
    [[1 - 2, 2 - 2, -1 - 2], [4 - 2, 2 - 2, -4 - 2], [7 - 2, 2 - 2, -7 - 2]],
]


@pytest.mark.parametrize("inplace", [False, True])
def test_maps_before_relu_are_the_convolution_worked_out_by_hand(inplace: bool) -> None:
    (maps,) = looked(tiny(nn.ReLU(inplace=inplace))).places
    assert maps.name == "c"
    assert maps.output.tolist() == BEFORE
    assert maps.activation is not None
    assert maps.activation.before.tolist() == BEFORE
    assert maps.activation.after.tolist() == np.maximum(BEFORE, 0).tolist()


def test_pixels_are_scaled_as_in_training() -> None:
    (maps,) = looked(tiny(nn.ReLU()), scale=0.5).places
    assert maps.output[0].tolist() == (np.array(BEFORE[0]) / 2).tolist()


def test_nothing_is_cut_off_after_a_convolution_without_an_activation() -> None:
    (maps,) = looked(tiny(nn.Identity())).places
    assert maps.output.tolist() == BEFORE
    assert maps.activation is None


def test_a_normalisation_between_convolution_and_relu_belongs_to_what_relu_sees() -> None:
    layers = dict(tiny(nn.ReLU()).named_children())
    norm = nn.BatchNorm2d(2, eps=0.0)
    norm.running_mean = torch.tensor([1.0, 0.0])
    norm.running_var = torch.tensor([4.0, 1.0])
    order = OrderedDict(c=layers["c"], n=norm, r=layers["r"], f=nn.Flatten(), o=layers["output"])
    (maps,) = looked(nn.Sequential(order)).places
    assert maps.output.tolist() == BEFORE
    assert maps.activation is not None
    assert maps.activation.between == ("normalising",)
    assert maps.activation.before[0].tolist() == ((np.array(BEFORE[0]) - 1) / 2).tolist()
    assert maps.activation.before[1].tolist() == BEFORE[1]


def test_filters_are_the_weights_and_probabilities_the_softmax() -> None:
    view = looked(tiny(nn.ReLU()))
    assert view.filters is not None
    assert view.filters.weights.tolist() == [[LEFT], [EDGE]]
    np.testing.assert_allclose(view.probabilities, [1 / (1 + np.e), np.e / (1 + np.e)], rtol=1e-6)
    assert view.predicted == 1
    assert (view.entrant, view.seed, view.index, view.label) == ("e", 1, 1, 0)
    assert (view.label_name, view.predicted_name) == ("class 0", "class 1")
    assert view.probability == view.probabilities[1]
    assert view.light_on_dark
    np.testing.assert_array_equal(view.image, IMAGE)
    assert view.class_weights is None


@pytest.mark.parametrize("name", ["cnn-1conv", "cnn-2conv", "cnn-2conv-dropout"])
def test_every_convolution_is_shown_before_and_after_its_relu(name: str, digits: Dataset) -> None:
    model = build(name, (1, 8, 8), 10, initialisation="framework-default", seed=0)
    view = looked(model, digits.test_images[0], 1 / 255)
    shapes = [maps.output.shape for maps in view.places]
    assert shapes == [(32, 8, 8), (64, 4, 4)][: len(shapes)]
    assert [maps.name for maps in view.places] == ["conv1", "conv2"][: len(shapes)]
    for maps in view.places:
        assert maps.activation is not None
        np.testing.assert_array_equal(maps.activation.before, maps.output)
        np.testing.assert_array_equal(maps.activation.after, np.maximum(maps.output, 0))
        assert (maps.output < 0).any()
        assert (maps.output > 0).any()
    assert view.filters is not None
    np.testing.assert_array_equal(
        view.filters.weights, model.get_parameter("conv1.weight").detach()
    )


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_pass_that_is_shown_is_the_pass_that_predicts(name: str, digits: Dataset) -> None:
    model = build(name, (1, 8, 8), 10, initialisation="framework-default", seed=0).train()
    view = looked(model, digits.test_images[3], 1 / 255)
    logits = predict_logits(model, torch.from_numpy(digits.test_images[3:4]), Pixels(1 / 255))
    np.testing.assert_allclose(view.probabilities, logits.softmax(1)[0], rtol=1e-5)
    assert view.probabilities.sum() == pytest.approx(1)


def test_logistic_regression_shows_its_weights_as_one_image_per_class() -> None:
    model = build("logistic-regression", (1, 8, 8), 10, initialisation="framework-default", seed=0)
    view = looked(model, np.zeros((1, 8, 8), np.uint8))
    assert view.class_weights is not None
    weight = model.get_parameter("1.weight").detach().numpy()
    np.testing.assert_array_equal(view.class_weights, weight.reshape(10, 8, 8))
    assert (view.filters, view.places) == (None, ())


def test_the_channels_of_a_class_image_are_summed() -> None:
    model = build("logistic-regression", (3, 2, 2), 4, initialisation="framework-default", seed=0)
    view = looked(model, np.zeros((3, 2, 2), np.uint8))
    weight = model.get_parameter("1.weight").detach().numpy()
    assert view.class_weights is not None
    np.testing.assert_allclose(
        view.class_weights[3, 1, 0], weight[3, 2] + weight[3, 6] + weight[3, 10], rtol=1e-6
    )


@pytest.mark.parametrize(
    "layers",
    [
        [nn.Softmax(1), nn.Flatten(), nn.Linear(9, 2)],
        [nn.Flatten(), nn.Linear(9, 2), nn.Sigmoid()],
        [nn.Flatten(), nn.Linear(9, 2, bias=False), nn.Linear(2, 2)],
    ],
)
def test_weights_are_no_images_where_anything_else_is_computed(layers: list[nn.Module]) -> None:
    assert looked(nn.Sequential(*layers)).class_weights is None


@pytest.mark.parametrize(
    ("name", "summary"),
    [
        ("logistic-regression", "no convolutions: one weight image per class"),
        (
            "mlp-2x200",
            "no convolutions: fully connected layers 784 - 200 - 200 - 10",
        ),
        ("cnn-1conv", "1 convolution: 32 filters of 5 x 5"),
        ("cnn-2conv", "2 convolutions: 32 filters of 5 x 5, then 64 filters of 5 x 5"),
        ("cnn-2conv-dropout", "2 convolutions: 32 filters of 5 x 5, then 64 filters of 5 x 5"),
        (
            "cnn-3conv",
            "3 convolutions: 16 filters of 5 x 5, then 64 filters of 3 x 3, "
            "then 64 filters of 3 x 3",
        ),
    ],
)
def test_one_line_says_what_there_is_to_see(name: str, summary: str) -> None:
    model = build(name, (1, 28, 28), 10, initialisation="framework-default", seed=0)
    view = looked(model, np.zeros((1, 28, 28), np.uint8))
    assert view.summary == summary


def test_weights_of_some_of_the_pixels_are_no_images() -> None:
    class First(nn.Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x.flatten(1).chunk(3, 1)[0])

    assert looked(First(3, 2)).class_weights is None


def test_a_deep_network_is_told_by_its_first_layers() -> None:
    blocks = [nn.Conv2d(1, 1, 3, padding=1) for _ in range(7)]
    view = looked(nn.Sequential(*blocks, nn.Flatten()))
    assert view.summary == (
        "7 convolutions: " + ", then ".join(["1 filter of 3 x 3"] * 6) + ", and so on"
    )


def test_a_network_of_nothing_known_is_looked_at_all_the_same() -> None:
    view = looked(nn.Flatten())
    assert view.summary == "neither convolutions nor fully connected layers: nothing to draw"
    assert (view.filters, view.places, view.class_weights) == (None, (), None)


def test_filters_that_never_respond_are_counted() -> None:
    """The second filter, an edge less 2, is above zero; less 9 it is nowhere."""
    model = tiny(nn.ReLU())
    view = looked(model)
    assert view.filters is not None
    assert (view.filters.dead, view.filters.images) == ((), 2)
    assert view.filters.responses.tolist() == [7, 5]
    assert view.filters.told == "2 filters, none of them dead in 2 test images"
    with torch.no_grad():
        model.get_parameter("c.bias")[1] = -9
    view = looked(model)
    assert view.filters is not None
    assert view.filters.dead == (1,)
    assert view.filters.told == "2 filters, 1 of them dead: nowhere above zero in 2 test images"
    view = looked(tiny(nn.Identity()))
    assert view.filters is not None
    assert view.filters.dead is None
    assert view.filters.told == "2 filters, without an activation"


def test_at_most_eight_places_lie_evenly_over_the_depth() -> None:
    layers = [nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.Tanh()) for _ in range(15)]
    view = looked(nn.Sequential(*layers, nn.Flatten()))
    assert [maps.name for maps in view.places] == [f"{number}.0" for number in range(0, 15, 2)]


def test_places_of_one_pixel_are_left_out_where_there_are_others() -> None:
    head = [nn.AdaptiveAvgPool2d(1), nn.Conv2d(2, 4, 1), nn.ReLU(), nn.Flatten()]
    view = looked(nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.ReLU(), *head))
    assert [maps.name for maps in view.places] == ["0"]
    view = looked(nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), *head))
    assert [maps.name for maps in view.places] == ["0", "3"]


def test_a_network_may_name_its_places() -> None:
    class Told(nn.Sequential):
        looked_at = ("r", "output")

    model = Told(OrderedDict(tiny(nn.ReLU()).named_children()))
    relu, output = looked(model).places
    assert (relu.name, output.name) == ("r", "output")
    assert relu.activation is not None
    assert relu.activation.before.tolist() == BEFORE
    assert output.output.tolist() == [[[0]], [[1]]]


def test_a_place_that_no_tensor_comes_out_of_is_told() -> None:
    class Told(nn.Linear):
        looked_at = ("idle",)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x.flatten(1))

    model = Told(9, 2)
    model.add_module("idle", nn.ReLU())
    with pytest.raises(NetworkError) as caught:
        looked(model)
    assert str(caught.value) == "e: looked_at names 'idle', and no tensor comes out of it"


def test_what_covers_is_the_mean_of_training_images_as_the_network_sees_it() -> None:
    """Both training images are the image itself, so that covering takes nothing."""
    view = looked(tiny(nn.ReLU()), scale=0.5)
    assert view.occlusion.drops.shape == (2, 3, 3)
    assert not view.occlusion.drops.any()
    assert view.occlusion.classes == (1, 0)


# Of a finished trial

STUDY = study(entrant("drop", "cnn-2conv-dropout", epochs=1), entrant("linear"), validation=60)


@pytest.fixture(scope="module")
def few(digits: Dataset) -> Dataset:
    return first_of(digits, train=260, test=90)


@pytest.fixture(scope="module")
def trial(few: Dataset) -> Trial:
    spec = trial_spec(STUDY, STUDY.entrant("drop"), 0, few, torch.device("cpu"), "float32")
    return run_trial(spec, lambda _: None)


@pytest.fixture
def folder(trial: Trial, tmp_path: Path) -> RunFolder:
    folder = RunFolder.create(tmp_path, STUDY)
    folder.write_trial(trial.record, trial.weights, trial.predictions)
    return folder


def test_the_loaded_network_gives_the_very_logits_that_were_scored(
    folder: RunFolder, trial: Trial, few: Dataset
) -> None:
    model = load_network(folder, trial.record, few)
    logits = predict_logits(model, torch.from_numpy(few.test_images), Pixels(1 / 255))
    np.testing.assert_array_equal(logits, trial.predictions["test_logits"])


def test_the_picture_is_of_the_network_that_was_scored(
    folder: RunFolder, trial: Trial, few: Dataset
) -> None:
    view = view_of(folder, trial.record, few, 7)
    logits = torch.from_numpy(trial.predictions["test_logits"][7])
    np.testing.assert_allclose(view.probabilities, logits.softmax(0), rtol=1e-4, atol=1e-6)
    assert view.filters is not None
    np.testing.assert_array_equal(view.filters.weights, trial.weights["conv1.weight"])
    assert (view.entrant, view.seed, view.index) == ("drop", 0, 7)
    assert view.label == few.test_labels[7]
    assert view.label_name == few.classes[few.test_labels[7]]
    np.testing.assert_array_equal(view.image, few.test_images[7])


def of_data(record: Record, dataset: Dataset) -> Record:
    """Return the record as one of a training on these data."""
    origin = record.provenance.model_copy(update={"data_hash": dataset.sha256})
    return record.model_copy(update={"provenance": origin})


def test_the_weights_of_another_network_are_refused(
    folder: RunFolder, trial: Trial, few: Dataset
) -> None:
    linear, _, found = whole(STUDY, "linear")
    linear = of_data(linear, few)
    folder.write_trial(linear, trial.weights, found)
    with pytest.raises(StoreError) as caught:
        load_network(folder, linear, few)
    file = folder.trial("linear", 0).path / "model.safetensors"
    assert str(caught.value) == f"{file}: not the weights of logistic-regression"


def test_weights_that_are_no_safetensors_are_named(
    folder: RunFolder, trial: Trial, few: Dataset
) -> None:
    file = folder.trial("drop", 0).path / "model.safetensors"
    file.write_bytes(b"\x80\x04none")
    rest = {each.name: each.read_bytes() for each in file.parent.iterdir()}
    del rest["manifest.json"]
    file.with_name("manifest.json").write_bytes(manifest_of(rest))
    with pytest.raises(StoreError) as caught:
        load_network(folder, trial.record, few)
    assert str(caught.value) == f"{file}: not the weights of a trial"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -3e38])
def test_weights_that_no_training_ends_with_are_refused(
    value: float, folder: RunFolder, trial: Trial, few: Dataset
) -> None:
    weights = {name: each.clone() for name, each in trial.weights.items()}
    next(iter(weights.values())).view(-1)[0] = value
    other, _, found = whole(STUDY, "drop", 1)
    other = of_data(other, few)
    folder.write_trial(other, weights, found)
    with pytest.raises(StoreError) as caught:
        load_network(folder, other, few)
    place = folder.trial("drop", 1).path
    assert str(caught.value) == (
        f"{place / 'model.safetensors'}: weights that no training ends with; move {place} away"
    )


def test_weights_of_another_type_are_refused(folder: RunFolder, trial: Trial, few: Dataset) -> None:
    other, _, found = whole(STUDY, "drop", 1)
    other = of_data(other, few)
    truths = {name: each > 0 for name, each in trial.weights.items()}
    folder.write_trial(other, truths, found)
    with pytest.raises(StoreError) as caught:
        load_network(folder, other, few)
    file = folder.trial("drop", 1).path / "model.safetensors"
    assert str(caught.value) == f"{file}: not the weights of cnn-2conv-dropout"


def test_a_look_reads_and_decodes_the_weights_once_and_builds_the_network_once(
    folder: RunFolder, trial: Trial, few: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def counted(module: object, name: str) -> None:
        original = getattr(module, name)

        def counting(*args: Any, **kwargs: Any) -> Any:
            calls.append(name)
            return original(*args, **kwargs)

        monkeypatch.setattr(module, name, counting)

    counted(folder_module, "read_listed")
    counted(inside, "from_safetensors")
    counted(inside, "build_entrant")
    view_of(folder, trial.record, few, 7)
    assert sorted(calls) == ["build_entrant", "from_safetensors", "read_listed"]
