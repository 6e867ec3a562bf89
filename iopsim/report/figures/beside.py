"""Words beside dots, where they meet least of the other dots and words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from matplotlib.axes import Axes
    from matplotlib.transforms import Bbox

__all__ = ["write_beside"]

_AROUND = (
    (0, 1.3, "center"),
    (0, -2.4, "center"),
    (1, 0.7, "left"),
    (-1, 0.7, "right"),
    (1, -1.7, "left"),
    (-1, -1.7, "right"),
)  # gaps to the right, gaps up, and the side that the words hang on
_DOT = 7  # half of its width, in pixels


def write_beside(
    axes: Axes,
    words: Sequence[tuple[float, float, str]],
    others: Iterable[tuple[float, float]] = (),
    *,
    gap: float = 9,
    **look: Any,
) -> None:
    """Write words beside dots; the panel must have found its place (`figure.draw_without_rendering`).

    Args:
        axes: Where the dots are.
        words: Place of a dot, and what is written beside it.
        others: Dots without words.
        gap: Between a dot and its words, in points.
        look: How the words look.
    """
    from matplotlib.transforms import Bbox

    dots = [axes.transData.transform(place) for place in (*(place[:2] for place in words), *others)]
    taken = [Bbox.from_extents(x - _DOT, y - _DOT, x + _DOT, y + _DOT) for x, y in dots]
    panel = axes.get_window_extent()

    def cost(box: Bbox) -> float:
        met = sum(_shared(box, other) for other in taken)
        return met + box.width * box.height - _shared(box, panel)

    for x, y, text in words:
        tries = [
            axes.annotate(
                text,
                (x, y),
                (gap * right, gap * up),
                textcoords="offset points",
                ha=side,
                **{"size": 10, **look},
            )
            for right, up, side in _AROUND
        ]
        boxes = [tried.get_window_extent() for tried in tries]
        best = min(range(len(boxes)), key=lambda number: (cost(boxes[number]), number))
        taken.append(boxes[best])
        for number, tried in enumerate(tries):
            if number != best:
                tried.remove()


def _shared(one: Bbox, other: Bbox) -> float:
    """Area that two boxes share."""
    width = min(one.x1, other.x1) - max(one.x0, other.x0)
    height = min(one.y1, other.y1) - max(one.y0, other.y0)
    return float(max(width, 0.0) * max(height, 0.0))
