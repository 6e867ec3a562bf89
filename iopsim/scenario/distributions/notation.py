"""How a scenario writes a law: `{lognormal: {mean: 10, cv: 0.75}}`, or a number for what does not vary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator
from pydantic_core import core_schema

from iopsim.scenario.distributions.families import LAWS
from iopsim.scenario.distributions.faults import closest, fault_at
from iopsim.scenario.distributions.law import Law

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue

__all__ = ["LAW_NAMES", "AnyLaw", "DaysLaw"]

LAW_NAMES = frozenset(LAWS)
"""Every law that a scenario can name."""

_EXAMPLE = "{lognormal: {mean: 10, cv: 0.75}}"
_MOST_DAYS = 1e6


class _Notation:
    """Reads and writes a law as a mapping with one key, its name.

    It is validated as a mapping of all laws, each optional, so that a fault carries the path as written.
    """

    def __get_pydantic_core_schema__(
        self, source: type[Law], handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        fields = {
            name: core_schema.typed_dict_field(handler.generate_schema(law), required=False)
            for name, law in LAWS.items()
        }
        return core_schema.no_info_before_validator_function(
            _name,
            core_schema.no_info_after_validator_function(
                lambda named: next(iter(named.values())), core_schema.typed_dict_schema(fields)
            ),
            serialization=core_schema.plain_serializer_function_ser_schema(Law.written),
        )

    def __get_pydantic_json_schema__(
        self, core: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        named = handler(core) | {"minProperties": 1, "maxProperties": 1, "additionalProperties": False}
        return {"anyOf": [named["properties"]["constant"], named]}


def _name(written: Any) -> dict[str, Any]:
    """What a scenario holds for a law, as {name: parameters by name}."""
    if isinstance(written, Law):
        return {written.name: written}
    if isinstance(written, int | float) and not isinstance(written, bool):
        written = {"constant": written}
    if not isinstance(written, Mapping):
        raise ValueError(f"must be a number, or a law such as {_EXAMPLE} (got {_got(written)})")
    if unknown := [name for name in written if name not in LAWS]:
        hint = closest(str(unknown[0]), LAWS)
        raise fault_at(str(unknown[0]), f"unknown law{hint}; the laws are {', '.join(sorted(LAWS))}")
    if len(written) != 1:
        got = f"got {len(written)}: {', '.join(map(str, written))}" if written else "got none"
        raise ValueError(f"must name one law, such as {_EXAMPLE} ({got})")
    [(name, parameters)] = written.items()
    law = LAWS[name]
    if law.bare:
        return {name: {law.bare: parameters}}
    if not isinstance(parameters, Mapping | None):
        raise fault_at(
            name, f"takes its parameters by name: {', '.join(law.parameters())} (got {_got(parameters)})"
        )
    return {name: parameters or {}}


def _got(value: object) -> str:
    """What was written instead of a mapping."""
    if isinstance(value, list | tuple):
        return "a list"
    return (
        f'text "{value[:40]}"'
        if isinstance(value, str)
        else "nothing"
        if value is None
        else str(value).lower()
    )


def _count_days(law: Law) -> Law:
    low = law.support[0]
    if low < 0.0:
        raise ValueError(
            f"may be negative (from {low:g}); days count from 0: raise it, or cut it off with at_least: 0"
        )
    if law.mean > _MOST_DAYS:
        raise ValueError(f"has a mean of {law.mean:g} days, over {_MOST_DAYS:,.0f}; check the unit")
    return law


AnyLaw = Annotated[Law, _Notation()]
"""The type of a field that holds a law."""

DaysLaw = Annotated[AnyLaw, AfterValidator(_count_days)]
"""The type of a field that holds a law of days: never negative."""
