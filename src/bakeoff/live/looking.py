"""The inside of a network for the page: its maps on the way through, as pictures."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from bakeoff.engine.team import given_threads
from bakeoff.errors import UsageError
from bakeoff.findings.fields import Along, fields
from bakeoff.findings.inside import load_network, look_inside
from bakeoff.findings.speaking import key_of, speaking
from bakeoff.findings.view import Inside, LayerMaps
from bakeoff.live.run import Run
from bakeoff.report.pictures.raster import (
    COLOURS,
    coloured,
    data_uri,
    diverging,
    photograph,
    shining_through,
)
from bakeoff.training.trial import pixels_of

MOST_CHANNELS = 64
"""Of a place: those that respond most."""


@given_threads()
def seen_inside(run: Run, image: NDArray[np.uint8], entrant: str, seed: int) -> dict[str, Any]:
    """Return what the network of a trial shows of an image [channels, height, width].

    The network is loaded anew: what is done to look into it disturbs none that answers. Raises
    UsageError where there is no such trial.
    """
    trials = {(each.entrant, each.seed): each for each in run.now.records if each.complete}
    record = trials.get((entrant, seed))
    if record is None:
        raise UsageError("no complete trial of that entrant and seed; choose another")
    model = load_network(run.folder, record, run.dataset).eval()
    pixels = pixels_of(run.folder.study.protocol, run.dataset, torch.device("cpu"))
    inside = look_inside(model, run.dataset, image, entrant, pixels)
    looked_at = tuple(getattr(model, "looked_at", ()))
    speaks = speaking(model, image, pixels, looked_at)
    sees = fields(model, run.dataset.image_shape, pixels, looked_at)
    photo = photograph(image, light_on_dark=run.dataset.light_on_dark)
    where = inside.occlusion.maps[0]
    return {
        "seed": seed,
        "class": run.dataset.classes[inside.predicted],
        "sentence": inside.summary,
        "occlusion": {
            "picture": data_uri(shining_through(photo, diverging(where, float(abs(where).max())))),
            "cost": inside.occlusion.cost,
        },
        "places": [
            *_filters(inside),
            *(
                part
                for maps in inside.places
                for part in _parts(maps, speaks.get(key_of(maps)), sees.get(key_of(maps)))
            ),
            *_attention(inside),
        ],
    }


def _filters(inside: Inside) -> Iterator[dict[str, Any]]:
    if inside.filters is None:
        return
    weights = inside.filters.weights
    limit = float(np.abs(weights).max())
    in_colour = weights.shape[1] == COLOURS
    yield {
        "name": inside.filters.told,
        "kind": "filters",
        "height": weights.shape[2],
        "width": weights.shape[3],
        "channels": len(weights),
        "maps": [
            {
                "channel": number,
                "picture": data_uri(
                    coloured(each, limit) if in_colour else diverging(each.mean(axis=0), limit)
                ),
                "field": None,
                "speaks": None,
            }
            for number, each in enumerate(weights[:MOST_CHANNELS])
        ],
    }


def _parts(
    maps: LayerMaps, speaks: NDArray[np.float32] | None, sees: tuple[Along, Along] | None
) -> Iterator[dict[str, Any]]:
    """Yield the maps of a place before and after its activation, or as they are without one."""
    part = partial(_part, np.sort(np.argsort(-maps.responses)[:MOST_CHANNELS]), sees)
    if maps.activation is None:
        yield part(maps.name, "after", maps.output, speaks)
        return
    ran = maps.activation
    between = f" after {', '.join(ran.between)}" if ran.between else ""
    yield part(f"{maps.name}{between}", "before", ran.before, None)
    yield part(f"{maps.name}, {ran.name}", "after", ran.after, speaks)


def _part(
    shown: NDArray[np.int64],
    sees: tuple[Along, Along] | None,
    name: str,
    kind: str,
    values: NDArray[np.float32],
    speaks: NDArray[np.float32] | None,
) -> dict[str, Any]:
    channels, height, width = values.shape
    limit = float(np.abs(values).max())
    field = None
    if sees is not None:
        down, across = sees
        field = {
            "step_y": down.step,
            "offset_y": down.offset,
            "height": down.length,
            "step_x": across.step,
            "offset_x": across.offset,
            "width": across.length,
        }
    return {
        "name": name,
        "kind": kind,
        "height": height,
        "width": width,
        "channels": channels,
        "maps": [
            {
                "channel": channel,
                "picture": data_uri(diverging(values[channel], limit)),
                "field": field,
                "speaks": None if speaks is None else float(speaks[channel]),
            }
            for channel in shown.tolist()
        ],
    }


def _attention(inside: Inside) -> Iterator[dict[str, Any]]:
    if inside.attention is None:
        return
    height, width = inside.attention.shape
    picture = diverging(inside.attention, float(inside.attention.max()))
    yield {
        "name": "attention, rolled out",
        "kind": "attention",
        "height": height,
        "width": width,
        "channels": 1,
        "maps": [{"channel": 0, "picture": data_uri(picture), "field": None, "speaks": None}],
    }
