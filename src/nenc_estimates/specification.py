"""What a release contains: the file that a person edits, checked before anything is read."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    PrivateAttr,
    Tag,
    ValidationInfo,
    model_validator,
)

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
    """Frozen; an unknown key is refused with the nearest valid one. The words under each key are its documentation."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

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
    """Its id, such as ``hle_birth``."""
    edition: str
    """Which publication of it, such as ``ons_2022_03``: an edition is part of a number."""

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
    """Areas to estimate: the whole partnership, or each of its four local partnerships."""
    reference: str = ENGLAND
    """Area whose published figures are set beside the estimates; ``""`` for none."""
    gap: bool = False
    """Also the gap to England, in years."""
    missing: Literal["error", "renormalise"] = "error"
    """When an area has no value: stop, or average over the rest and say so."""
    min_coverage: float = Field(default=0.9, ge=2 / 3, le=1)
    """Share of the people who must have a value when areas are missing; below it the estimate is withheld."""
    standard_error: Literal["published", "person-years"] = "published"
    """From the published limits, or for life expectancy without limits from person-years."""
    skip_periods: tuple[str, ...] = ()
    """Periods left out, for which no local authority has a figure, say."""
    as_published: Text = ""
    """Why counts are shown as they are, although small ones are otherwise withheld and others rounded."""

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
    """Edition of healthy life expectancy."""
    life: str
    """Edition of life expectancy."""
    mixed: bool = False
    """The two rest on different populations; without this word that is refused."""


class AreasBelow(_Edition):
    """How many local authorities lie below a level."""

    level: float = Field(allow_inf_nan=False)
    """In the unit of the indicator; an area at the level is not below it."""


class LifeTables(_Section):
    """Life expectancy at birth from deaths and population by age: pooled, and weighted beside it.

    ``whole`` takes every area that lies partly inside as wholly inside.
    """

    deaths: str
    """Edition of the deaths by age."""
    source: str = "ltla21"
    """Vintage of its areas, as in the names of the crosswalks."""
    to: tuple[Target, ...] = ("nenc", "local_icp")
    """Areas to estimate."""
    whole: bool = False
    """Take areas that lie partly inside as wholly inside, as some published figures do."""

    @model_validator(mode="after")
    def _known(self) -> LifeTables:
        known = [name[14:-4] for name in manifest("indicators") if name.startswith("deaths_by_age_")]
        if self.deaths not in known:
            raise ValueError(f"there are no deaths by age {self.deaths!r}. There are: {', '.join(known)}.")
        return self


class NationalSlopes(_Section):
    """Slope indices of England, in life expectancy and healthy life expectancy, from its deciles of deprivation."""

    edition: str
    """Edition of the values by decile."""

    @model_validator(mode="after")
    def _known(self) -> NationalSlopes:
        _check_edition(self.edition, "le_hle_by_imd_decile_")
        return self


class Decomposition(_Section):
    """Contributions of ages to gaps: the target against the rest of the figures; most against least deprived districts.

    Districts are ranked by the share of their people in the most deprived fifth of neighbourhoods in England.
    """

    deaths: str
    """Edition of the deaths by age."""
    year: int
    """Year of the people by deprivation that districts are ranked by."""
    method: Literal["arriaga", "path"] = "arriaga"
    """Symmetric closed form, or the integral along the path between the two."""

    @model_validator(mode="after")
    def _known(self) -> Decomposition:
        _check_edition(self.deaths, "deaths_by_age_")
        return self


class OwnDecomposition(_Section):
    """Contributions to the gap between two populations of a file of your own: of causes of death, or of ages.

    The file has the columns ``area, sex, period, age, deaths, population``, and ``cause`` for causes.
    """

    file: Text
    """CSV file, beside the specification."""
    source: Text = Field(min_length=1)
    """Publisher and edition, printed on the charts."""
    between: tuple[Text, Text]
    """Two of its areas; the gap is the second minus the first."""
    by: Literal["cause", "age"] = "cause"
    """What contributes."""
    all_causes: str = "all"
    """Name of the rows with all deaths; ``""`` if the causes make up all deaths."""
    cause_groups: dict[str, Text] = Field(default_factory=dict)
    """Cause to the group it is counted in."""
    fixed: tuple[str, ...] = ()
    """Which of the two areas are taken as known without error."""
    method: Literal["arriaga", "path"] = "arriaga"
    """Symmetric closed form, or the integral along the path between the two."""
    as_published: Text = ""
    """Why parts with 1 to 7 deaths may be shown; such a part is refused when left out."""
    _folder: Path = PrivateAttr(default=Path())

    @property
    def path(self) -> Path:
        """Where the file is."""
        return self._folder / self.file

    @model_validator(mode="after")
    def _there(self, info: ValidationInfo) -> OwnDecomposition:
        self._folder = (info.context or {}).get("folder", Path())
        if not self.path.is_file():
            raise ValueError(f"there is no file {self.file!r} beside the specification.")
        if any("invented" in text.casefold() for text in (self.source, *self.between)):
            raise ValueError("invented figures are an example of the columns to fill, and no part of a release.")
        return self


def _whose(entry: Any) -> str:
    return "own" if isinstance(entry, OwnDecomposition) or (isinstance(entry, dict) and "file" in entry) else "packaged"


AnyDecomposition = Annotated[
    Annotated[Decomposition, Tag("packaged")] | Annotated[OwnDecomposition, Tag("own")], Discriminator(_whose)
]
"""An entry under ``[[decomposition]]``: of your own where it names a ``file``."""


def _check_edition(edition: str, start: str) -> None:
    known = [name[len(start) : -4] for name in manifest("indicators") if name.startswith(start)]
    if edition not in known:
        raise ValueError(f"there is no file {start}{edition}. There are: {', '.join(known)}.")


class Deprivation(_Section):
    """Share of people in the most deprived fifth of neighbourhoods."""

    ages: tuple[str, ...] = ("all",)
    """Age groups, as in the population by deprivation."""
    years: tuple[int, ...] = Field(min_length=1)
    """Years of those people, at 30 June."""


class Population(_Section):
    """Residents."""

    years: tuple[int, ...] = Field(min_length=1)
    """Years, at 30 June."""
    as_published: Text = ""
    """Why counts are shown as they are."""


class Revision(_Section):
    """Why released numbers changed: of one indicator and edition, in some periods or in all."""

    indicator: str
    """Whose numbers changed."""
    edition: str
    """In which edition."""
    periods: tuple[str, ...] = ()
    """In which periods; in all when left out."""
    cause: Cause
    """What changed them."""
    note: Text = Field(min_length=1)
    """What was wrong or new, and by how much the figures moved: printed with the release."""


class Assessed(_Edition):
    """Goals of the strategy, assessed for the whole partnership on an indicator that is listed under weighted."""

    goals: tuple[str, ...]
    """Ids of the goals, as in ``goals.csv``."""
    readings: tuple[str, ...] = ()
    """Which readings of a goal that can be read in several ways; all when left out."""
    view: str = ""
    """From where it is seen, in words: as the goal was set, or with what is known since."""
    until: str = ""
    """Last period that is used; all when left out."""
    printed_baseline: bool = False
    """The edition is the one from which the baseline was printed."""
    baselines: tuple[str, ...] = ()
    """Periods to start from where the goal states none, or beside the one it states (``""`` is that one)."""
    target: str = ""
    """Period to be judged, where it is not the one that the goal states."""
    standard_error: Literal["published", "person-years", "none"] = "published"
    """From the published limits; from person-years; or none, where sampling error counts as nil."""
    decimals: int | None = None
    """Places to which the figures are published; read from them when left out."""
    transform: Literal["identity", "log", "logit"] = "identity"
    """Scale on which the measure moves steadily: logarithms for rates, log odds for proportions."""
    multiplier: float = 1.0
    """100 for a percentage on the logit scale."""


class Specification(_Section):
    """What a release contains."""

    title: Text
    """Of the release."""
    status: Text = EXPERIMENTAL
    """What the figures are, printed with every table."""
    weighted: tuple[Weighted, ...] = Field(min_length=1)
    """Indicators weighted from local authorities."""
    ill_health: tuple[IllHealth, ...] = ()
    """Shares of life in ill health."""
    areas_below: tuple[AreasBelow, ...] = ()
    """Numbers of local authorities below a level."""
    life_tables: tuple[LifeTables, ...] = ()
    """Life expectancy from deaths and people by age."""
    national_slopes: tuple[NationalSlopes, ...] = ()
    """Slope indices of England."""
    decomposition: tuple[AnyDecomposition, ...] = ()
    """What ages, or causes of death, contribute to gaps."""
    deprivation: Deprivation | None = None
    """People in the most deprived fifth of neighbourhoods."""
    population: Population | None = None
    """Residents."""
    assessed: tuple[Assessed, ...] = ()
    """Goals, and whether they will be met."""
    revisions: tuple[Revision, ...] = ()
    """Why released numbers changed."""

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
    return Specification.model_validate(content, context={"folder": path.parent})
