"""The vocabulary of a sweep: one scenario, the values that its parameters take, and what is asked of each point."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from iopsim.scenario.parts import Name, Part, PositiveCount, shape
from iopsim.scenario.schema import Target, UntilPrecise

__all__ = ["Method", "Parameter", "Sweep", "json_schema"]

Method = Literal["grid", "list", "lhs", "sobol"]


def _a_number(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PydanticCustomError(
            "wrong-type",
            "must be a number (got {got})",
            {"got": f'text "{value[:40]}"' if isinstance(value, str) else str(value).lower()},
        )
    return value


Bound = Annotated[Any, AfterValidator(_a_number), WithJsonSchema({"type": "number"})]
Text = Annotated[str, Field(strict=True, min_length=1)]


class Parameter(Part):
    """One parameter: the values it takes, or the range they are taken from."""

    label: str | None = Field(None, description="What people read instead of the path")
    values: (
        Annotated[
            Annotated[tuple[Any, ...], Tag("list"), Field(min_length=1)]
            | Annotated[Mapping[str, Any], Tag("table"), Field(min_length=1)],
            Discriminator(shape),
        ]
        | None
    ) = Field(None, description="A list; or, under names of their own, what each of them sets")
    min: Bound | None = Field(None, description="Lowest value; with `max`, instead of `values`")
    max: Bound | None = Field(None, description="Highest value; between two whole numbers lie whole numbers")
    n: Annotated[int, Field(strict=True, ge=2, le=10_000)] | None = Field(
        None, description="How many values from `min` to `max`, evenly spaced; for `grid` and `list`"
    )

    @model_validator(mode="after")
    def _one_way(self) -> Parameter:
        is_range = (self.min is not None, self.max is not None)
        if self.values is not None and (any(is_range) or self.n):
            raise PydanticCustomError("parameter", "give `values`, or `min` and `max`, not both")
        if self.values is None and not all(is_range):
            raise PydanticCustomError("parameter", "needs `values`, or `min` and `max`")
        if all(is_range) and self.span[0] >= self.span[1]:
            raise PydanticCustomError("parameter", "`min` must be below `max`")
        return self

    @property
    def span(self) -> tuple[float, float]:
        """Lowest and highest value of a range."""
        assert self.min is not None and self.max is not None
        return self.min, self.max


Values = Annotated[
    Annotated[tuple[Any, ...], Tag("list"), Field(min_length=1)] | Annotated[Parameter, Tag("table")],
    Discriminator(shape),
]
Place = Mapping[str, Any]


class Sweep(Part):
    """Many plans made of one scenario: which values its parameters take, and what is asked of every plan."""

    base: Text = Field(description="The scenario that is varied; its path from this file")
    name: Name = Field("sweep", description="Names the results folder; the file's name when left out")
    description: str = Field("", description="A sentence for people")
    method: Method = Field(
        "grid",
        description="How points are made: every combination of values; the first values together, then the second "
        "ones and so on; or `points` spread over the ranges, as a Latin hypercube or a scrambled Sobol sequence",
    )
    points: Annotated[int, Field(strict=True, ge=2, le=100_000)] | None = Field(
        None, description="How many points `lhs` or `sobol` spreads; for `sobol` a power of 2"
    )
    parameters: Annotated[Mapping[str, Values], Field(min_length=1)] = Field(
        description="By dotted path of the scenario, in which `*` stands for every name that is there; or by a name "
        "of its own, whose values say what they set"
    )
    set_: Mapping[str, Any] = Field(
        {}, alias="set", description="Values that all points share, by dotted path of the scenario"
    )
    include: tuple[Place, ...] = Field(
        (), description="Further points; each names a value of every parameter"
    )
    exclude: tuple[Place, ...] = Field(
        (), description="Points left out: those that have all the values named"
    )
    replications: (
        Annotated[
            Annotated[PositiveCount, Tag("number")] | Annotated[UntilPrecise, Tag("table")],
            Discriminator(lambda value: "table" if isinstance(value, UntilPrecise) else shape(value)),
        ]
        | None
    ) = Field(None, description="Of every point, as in a scenario; the scenario's when left out")
    targets: tuple[Target, ...] | None = Field(
        None, description="What the planner wants of a point; the scenario's when left out"
    )
    metrics: tuple[Text, ...] = Field(
        (), description="What the table holds beside targets, cost and wait; none named: all of them"
    )
    cost: Text | None = Field(
        None,
        description="Metric that the frontier holds against the wait; `program.cost.total` when left out",
    )
    wait: Text | None = Field(
        None,
        description="The other side of the frontier; when left out that of the first target on a wait, else the "
        "mean wait for the first level of the program's own",
    )


def json_schema() -> dict[str, Any]:
    """JSON Schema of a sweep file, for editors that complete and check YAML."""
    schema = Sweep.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
