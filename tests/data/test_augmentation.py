"""Changed training images: each way beside a plain reference, and what must not matter."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage
from torch.nn import functional as F

from bakeoff.data.augmentation import AugmentedEpoch, Augmenter, refuse_impossible
from bakeoff.data.order import batches
from bakeoff.errors import StudyError
from bakeoff.study.augmentation import Augmentation

CPU = torch.device("cpu")
N, CLASSES = 12, 4
IMAGES = torch.randint(
    0, 256, (N, 3, 9, 7), dtype=torch.uint8, generator=torch.Generator().manual_seed(1)
)
LABELS = torch.arange(N) % CLASSES
ALL: dict[str, Any] = {
    "shift": 2.0, "flip": True, "rotate": 30.0, "scale": 0.2, "shear": 10.0, "elastic": 1.5,
    "cutout": 3, "brightness": 0.2, "contrast": 0.3, "mixup": 0.5,
}  # fmt: skip


def epoch(number: int = 1, trial_seed: int = 0, **asked: Any) -> AugmentedEpoch:
    return Augmenter(Augmentation(**asked), 5, trial_seed, CLASSES).of_epoch(N, number, CPU)


def plain(order: torch.Tensor, size: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    return batches(IMAGES, LABELS, order, size)


def changed(
    order: torch.Tensor, size: int, of: AugmentedEpoch
) -> tuple[torch.Tensor, torch.Tensor]:
    images, labels = zip(*of.batches(plain, order, size), strict=True)
    return torch.cat(images), torch.cat(labels)


def drawn(of: AugmentedEpoch) -> Iterator[tuple[NDArray[np.uint8], dict[str, float]]]:
    """Yield each image with what is drawn of it: from -1 to 1, but where it is a place."""
    names = (
        "across", "down", "flip", "rotate", "scale", "shear", "top", "left", "brightness",
        "contrast",
    )  # fmt: skip
    for image, row in zip(IMAGES.numpy(), of.drawn.double().numpy(), strict=True):
        yield image, dict(zip(names, row.tolist(), strict=True))


def sign(drawn: float) -> float:
    return 2 * drawn - 1


@pytest.mark.parametrize(
    "asked",
    [
        {"shift": 2.0},
        {"rotate": 30.0},
        {"scale": 0.3},
        {"shear": 20.0},
        {"shift": 3.0, "rotate": 180.0, "scale": 0.2, "shear": 15.0},
    ],
)
def test_what_moves_an_image_is_one_affine_map_about_its_centre(asked: dict[str, Any]) -> None:
    of = epoch(**asked)
    found, _ = changed(torch.arange(N), 5, of)
    for ours, (image, one) in zip(found.numpy(), drawn(of), strict=True):
        angle = math.radians(sign(one["rotate"]) * asked.get("rotate", 0))
        lean = math.tan(math.radians(sign(one["shear"]) * asked.get("shear", 0)))
        grown = 1 + sign(one["scale"]) * asked.get("scale", 0)
        # As (row, column): turned, after it leans and grows.
        turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
        back = np.linalg.inv(turn @ np.array([[1.0, 0.0], [lean, 1.0]]) * grown)
        centre = (np.array(image.shape[1:]) - 1) / 2
        moved = np.array([sign(one["down"]), sign(one["across"])]) * asked.get("shift", 0)
        for channel in range(3):
            expected = ndimage.affine_transform(
                image[channel].astype(float),
                back,
                offset=centre - back @ (centre + moved),
                order=1,
                mode="grid-constant",
            )
            assert np.abs(ours[channel] - expected).max() < 0.51


def test_elastic_bends_smoothly_between_points() -> None:
    of = epoch(elastic=1.5)
    found, _ = changed(torch.arange(N), 5, of)
    assert of.bends is not None
    moved = F.interpolate(3 * of.bends - 1.5, (9, 7), mode="bicubic", align_corners=True)
    for ours, image, bend in zip(found.numpy(), IMAGES.numpy(), moved.numpy(), strict=True):
        places = np.mgrid[:9, :7] + bend[::-1]
        for channel in range(3):
            expected = ndimage.map_coordinates(
                image[channel].astype(float), places, order=1, mode="grid-constant"
            )
            assert np.abs(ours[channel] - expected).max() < 0.51


def test_half_of_the_images_are_mirrored() -> None:
    of = epoch(flip=True)
    found, _ = changed(torch.arange(N), N, of)
    flipped = [one["flip"] < 0.5 for _, one in drawn(of)]
    assert 0 < sum(flipped) < N
    for ours, (image, _), mirrored in zip(found.numpy(), drawn(of), flipped, strict=True):
        np.testing.assert_array_equal(ours, image[:, :, ::-1] if mirrored else image)


def test_a_square_is_cut_out_somewhere_inside() -> None:
    of = epoch(cutout=3)
    found, _ = changed(torch.arange(N), N, of)
    for ours, (image, one) in zip(found.numpy(), drawn(of), strict=True):
        top, left = math.floor(one["top"] * 7), math.floor(one["left"] * 5)
        expected = image.copy()
        expected[:, top : top + 3, left : left + 3] = 0
        np.testing.assert_array_equal(ours, expected)


def test_a_square_as_large_as_the_image_leaves_what_stands_beside_it() -> None:
    found, _ = changed(torch.arange(N), N, epoch(cutout=7))
    assert (found == 0).all(dim=(1, 3)).sum(dim=1).tolist() == [7] * N


def test_light_is_added_and_contrast_grows_about_mid_grey() -> None:
    of = epoch(brightness=0.2, contrast=0.3)
    found, _ = changed(torch.arange(N), N, of)
    for ours, (image, one) in zip(found.numpy(), drawn(of), strict=True):
        stretched = (image - 127.5) * (1 + 0.3 * sign(one["contrast"])) + 127.5
        expected = np.clip(stretched + 255 * 0.2 * sign(one["brightness"]), 0, 255)
        assert np.abs(ours - expected).max() < 0.51


def test_images_are_mixed_with_their_labels() -> None:
    of = epoch(mixup=0.5, flip=True)
    alone, _ = changed(torch.arange(N), N, epoch(flip=True))
    found, labels = changed(torch.arange(N), N, of)
    assert of.partners is not None
    assert of.shares is not None
    assert sorted(of.partners.tolist()) == list(range(N))
    assert 0 < of.shares.min() < of.shares.max() < 1
    for number in range(N):
        partner, share = int(of.partners[number]), of.shares[number].item()
        mixture = share * alone[number].double() + (1 - share) * alone[partner].double()
        assert (found[number] - mixture).abs().max() < 0.51
        expected = torch.zeros(CLASSES)
        expected[LABELS[number]] += share
        expected[LABELS[partner]] += 1 - share
        torch.testing.assert_close(labels[number], expected)


@given(
    st.permutations(range(N)),
    st.integers(1, N),
    st.sets(st.sampled_from(sorted(ALL)), min_size=1),
)
def test_neither_order_nor_batches_change_what_becomes_of_an_image(
    order: list[int], size: int, keys: set[str]
) -> None:
    of = epoch(**{key: ALL[key] for key in keys})
    whole, labels = changed(torch.arange(N), N, of)
    found, found_labels = changed(torch.tensor(order), size, of)
    assert torch.equal(found, whole[order])
    assert torch.equal(found_labels, labels[order])


@pytest.mark.parametrize("key", ALL)
def test_no_key_moves_what_another_draws(key: str) -> None:
    alone, both = epoch(**{key: ALL[key]}), epoch(**ALL)
    assert torch.equal(alone.drawn, both.drawn)
    if alone.partners is not None:
        assert both.partners is not None
        assert torch.equal(alone.partners, both.partners)
    if alone.bends is not None:
        assert both.bends is not None
        assert torch.equal(alone.bends, both.bends)


def test_each_epoch_and_each_trial_seed_changes_images_in_its_own_way() -> None:
    of = [epoch(1), epoch(2), epoch(1, trial_seed=1)]
    assert len({tuple(each.drawn.flatten().tolist()) for each in of}) == 3
    assert torch.equal(epoch(1).drawn, of[0].drawn)


def test_two_threads_change_nothing() -> None:
    asked = {key: value for key, value in ALL.items() if key != "mixup"}
    one, _ = changed(torch.arange(N), N, epoch(**asked))
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        two, _ = changed(torch.arange(N), N, epoch(**asked))
    finally:
        torch.set_num_threads(before)
    assert torch.equal(one, two)


def test_the_plain_images_stay_as_they_are() -> None:
    before = IMAGES.clone()
    changed(torch.arange(N), 5, epoch(**ALL))
    assert torch.equal(IMAGES, before)


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        (
            {"cutout": 8},
            "protocol.augmentation.cutout: 8 pixels, and images are 9 x 7; give at most 7",
        ),
        (
            {"elastic": 8.0},
            "protocol.augmentation.elastic: 8 pixels, and images are 9 x 7; give at most 7",
        ),
        (
            {"shift": 7.5},
            "protocol.augmentation.shift: 7.5 pixels, and images are 9 x 7; give at most 7",
        ),
    ],
)
def test_more_than_there_is_of_an_image_is_refused(asked: dict[str, Any], complaint: str) -> None:
    with pytest.raises(StudyError) as caught:
        refuse_impossible(Augmentation(**asked), (3, 9, 7))
    assert str(caught.value) == complaint
    refuse_impossible(Augmentation(cutout=7, shift=7), (3, 9, 7))
    refuse_impossible(None, (3, 9, 7))
