"""What a release contains: the file that a person edits, checked before anything is read."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path  # noqa: TC003 - part of a public signature
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from nenc_estimates.areas import ENGLAND
from nenc_estimates.errors import SchemaError
from nenc_estimates.indicators import INDICATORS
from nenc_estimates.packaged import data_folder, indicator_files, manifest
from nenc_estimates.text import plain

Target = Literal["nenc", "local_icp"]
Text = Annotated[str, AfterValidator(plain)]
Cause = Literal["data edition", "lookup", "method", "correction"]

EXPERIMENTAL = "experimental, not official statistics"
"""Status of everything estimated here; an input that is itself in development is named behind it."""


class _Section(BaseModel):
    """Frozen; an unknown key is refused with the nearest valid one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _name_nearest_key(cls, data: Any) -> Any:
        unknown = [key for key in data if key not in cls.model_fields] if isinstance(data, dict) else []
        if unknown:
            nearest = difflib.get_close_matches(unknown[0], cls.model_fields, n=1, cutoff=0.4)
            hint = f"Did you mean {nearest[0]!r}?" if nearest else f"Known: {', '.join(cls.model_fields)}."
            raise ValueError(f"unknown key {unknown[0]!r}. {hint}")
        return data


class _Edition(_Section):
    indicator: str
    edition: str

    @model_validator(mode="after")
    def _known(self) -> _Edition:
        if self.indicator not in INDICATORS:
            raise ValueError(f"unknown indicator {self.indicator!r}. Known: {', '.join(INDICATORS)}.")
        editions = [edition for indicator, edition in indicator_files() if indicator == self.indicator]
        if self.edition not in editions:
            raise ValueError(f"{self.indicator} has no edition {self.edition!r}. It has: {', '.join(editions)}.")
        return self


class Weighted(_Edition):
    """An indicator weighted from local authorities to the targets."""

    to: tuple[Target, ...] = Field(default=("nenc", "local_icp"), min_length=1)
    reference: str = ENGLAND
    gap: bool = False
    missing: Literal["error", "renormalise"] = "error"
    min_coverage: float = Field(default=0.9, ge=2 / 3, le=1)
    standard_error: Literal["published", "person-years"] = "published"
    skip_periods: tuple[str, ...] = ()
    as_published: Text = ""

    @model_validator(mode="after")
    def _possible(self) -> Weighted:
        kind = INDICATORS[self.indicator].kind
        if len(set(self.to)) < len(self.to):
            raise ValueError(f"to names a target twice: {', '.join(self.to)}.")
        if self.gap and "life expectancy" not in INDICATORS[self.indicator].kind:
            raise ValueError(
                "gap = true is years behind England: it is for life expectancy and healthy life expectancy."
            )
        if self.gap and self.reference != ENGLAND:
            raise ValueError(f"gap = true is the gap to England: leave reference at {ENGLAND!r}, or gap out.")
        if self.standard_error == "person-years" and kind != "life expectancy":
            raise ValueError(f"standard_error = 'person-years' is a rule for life expectancy, not for kind {kind!r}.")
        if self.missing == "renormalise" and kind == "count":
            raise ValueError("missing = 'renormalise' averages, and a count is not averaged: use 'error'.")
        return self


class IllHealth(_Section):
    """Share of life in ill health, from an edition of healthy life expectancy and one of life expectancy."""

    healthy: str
    life: str
    mixed: bool = False


class AreasBelow(_Edition):
    """How many local authorities lie below a level."""

    level: float = Field(allow_inf_nan=False)


class LifeTables(_Section):
    """Life expectancy at birth from deaths and population by age: pooled, and weighted beside it.

    ``whole`` takes every area that lies partly inside as wholly inside.
    """

    deaths: str
    source: str = "ltla21"
    to: tuple[Target, ...] = ("nenc", "local_icp")
    whole: bool = False

    @model_validator(mode="after")
    def _known(self) -> LifeTables:
        known = [name[14:-4] for name in manifest("indicators") if name.startswith("deaths_by_age_")]
        if self.deaths not in known:
            raise ValueError(f"there are no deaths by age {self.deaths!r}. There are: {', '.join(known)}.")
        return self


class NationalSlopes(_Section):
    """Slope indices of England, in life expectancy and healthy life expectancy, from its deciles of deprivation."""

    edition: str

    @model_validator(mode="after")
    def _known(self) -> NationalSlopes:
        _check_edition(self.edition, "le_hle_by_imd_decile_")
        return self


class Decomposition(_Section):
    """Contributions of ages to gaps: the target against the rest of the figures; most against least deprived districts.

    Districts are ranked by the share of their people in the most deprived fifth of neighbourhoods in England.
    """

    deaths: str
    year: int
    method: Literal["arriaga", "path"] = "arriaga"

    @model_validator(mode="after")
    def _known(self) -> Decomposition:
        _check_edition(self.deaths, "deaths_by_age_")
        return self


def _check_edition(edition: str, start: str) -> None:
    known = [name[len(start) : -4] for name in manifest("indicators") if name.startswith(start)]
    if edition not in known:
        raise ValueError(f"there is no file {start}{edition}. There are: {', '.join(known)}.")


class Deprivation(_Section):
    """Share of people in the most deprived fifth of neighbourhoods."""

    ages: tuple[str, ...] = ("all",)
    years: tuple[int, ...] = Field(min_length=1)


class Population(_Section):
    """Residents."""

    years: tuple[int, ...] = Field(min_length=1)
    as_published: Text = ""


class Revision(_Section):
    """Why released numbers changed: of one indicator and edition, in some periods or in all."""

    indicator: str
    edition: str
    periods: tuple[str, ...] = ()
    cause: Cause
    note: Text = Field(min_length=1)


class Assessed(_Edition):
    """Goals of the strategy, assessed for the whole partnership on an indicator that is listed under weighted."""

    goals: tuple[str, ...]
    readings: tuple[str, ...] = ()
    view: str = ""
    until: str = ""
    printed_baseline: bool = False
    baselines: tuple[str, ...] = ()
    target: str = ""
    standard_error: Literal["published", "person-years", "none"] = "published"
    decimals: int | None = None
    transform: Literal["identity", "log", "logit"] = "identity"
    multiplier: float = 1.0


class Specification(_Section):
    """What a release contains."""

    title: Text
    status: Text = EXPERIMENTAL
    weighted: tuple[Weighted, ...] = Field(min_length=1)
    ill_health: tuple[IllHealth, ...] = ()
    areas_below: tuple[AreasBelow, ...] = ()
    life_tables: tuple[LifeTables, ...] = ()
    national_slopes: tuple[NationalSlopes, ...] = ()
    decomposition: tuple[Decomposition, ...] = ()
    deprivation: Deprivation | None = None
    population: Population | None = None
    assessed: tuple[Assessed, ...] = ()
    revisions: tuple[Revision, ...] = ()

    @property
    def as_published(self) -> dict[tuple[str, str], str]:
        """Return (indicator, edition) to the reason why its counts may be shown as their publisher shows them."""
        reasons = {(entry.indicator, entry.edition): entry.as_published for entry in self.weighted}
        if self.population:
            reasons["population", "lsoa"] = self.population.as_published
        return {key: reason for key, reason in reasons.items() if reason}

    @model_validator(mode="after")
    def _consistent(self) -> Specification:
        keys = [(entry.indicator, entry.edition) for entry in self.weighted]
        twice = {key for key in keys if keys.count(key) > 1}
        if twice:
            raise ValueError(f"listed twice under weighted: {'; '.join(' '.join(key) for key in sorted(twice))}.")
        absent = [
            f"{entry.indicator} {entry.edition}"
            for entry in self.assessed
            if (entry.indicator, entry.edition) not in keys
        ]
        if absent:
            raise ValueError(f"assessed needs {', '.join(absent)} under weighted.")
        for entry in self.ill_health:
            needed = (("hle_birth", entry.healthy), ("le_birth", entry.life))
            absent = [" ".join(key) for key in needed if key not in keys]
            if absent:
                raise ValueError(f"ill_health needs {' and '.join(absent)} under weighted.")
        return self


def default_specification() -> Path:
    """Return the specification that travels with the package."""
    installed = data_folder() / "estimates.toml"
    return installed if installed.is_file() else data_folder().parent / "estimates.toml"


def read_specification(path: Path | None = None) -> Specification:
    """Read and check a specification.

    Parameters
    ----------
    path
        A TOML file; the packaged one when None.

    Returns
    -------
    Specification

    Raises
    ------
    SchemaError
        The file cannot be read or is not TOML.
    pydantic.ValidationError
        A key is unknown or a value impossible; the message names it and what was expected.

    Examples
    --------
    >>> read_specification().weighted[0].edition
    'ons_2022_03'
    """
    path = path or default_specification()
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as problem:
        raise SchemaError(f"the specification {path} cannot be read: {problem.strerror}.") from problem
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise SchemaError(f"{path.name} is not TOML: {problem}.") from problem
    return Specification.model_validate(content)
