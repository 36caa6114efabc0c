"""What becomes of images that are stored in another way than they are used, in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bakeoff.data.readers.decode import Header, Target
from bakeoff.text import counted

_FITS = {
    "crop": "what is too long is cut at both ends",
    "pad": "what is too short is filled with black",
    "stretch": "their proportions change",
    None: "",
}


def converted(headers: Sequence[Header], names: Sequence[str], target: Target) -> tuple[str, ...]:
    """Return a line for each way in which some of the images are converted, with their number."""
    rgb = target.channels == 3
    mode = "RGB" if rgb else "grey"
    ways: list[tuple[Callable[[Header], bool], str]] = [
        (lambda each: each.turned, "turned upright, as EXIF says"),
        (lambda each: each.animated, "animated, of which the first frame is taken"),
        (
            lambda each: each.transparent,
            "with an alpha channel or a transparent colour, laid on white",
        ),
        (lambda each: each.profiled, "with a colour profile other than sRGB, which is not applied"),
        (lambda each: each.deep, "of more than 8 bits, scaled to 8"),
        (
            lambda each: each.colour and not each.transparent and each.mode != "RGB",
            f"with a palette or in other colours, read as {mode}",
        ),
        (lambda each: each.colour and not rgb, "in colour, turned into grey"),
        (lambda each: not each.colour and rgb, "in grey, turned into RGB"),
        (
            lambda each: (each.height, each.width) != (target.height, target.width),
            f"brought to {target.width} x {target.height} (width x height), resampled bicubically: "
            f"{_FITS[target.fit]}",
        ),
    ]
    lines = []
    for concerns, what in ways:
        found = [name for header, name in zip(headers, names, strict=True) if concerns(header)]
        if found:
            lines.append(f"{counted(len(found), 'image')} {what} (first {found[0]})")
    return tuple(lines)
