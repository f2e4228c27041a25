from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from engines.environments.conda_spec import SpecError, parse_spec

NUMBERS = st.lists(st.integers(0, 30), min_size=1, max_size=3)
NAMES = st.from_regex(r"[a-z][a-z0-9]{0,8}([-_.][a-z0-9]{1,5})?", fullmatch=True)
CHANNELS = st.sampled_from(["", "conda-forge::", "conda-forge/linux-64::", "https://host.example/channel::"])
BUILDS = st.from_regex(r"[a-z][a-z0-9_.]{0,12}", fullmatch=True)
BLANKS = st.sampled_from(["", " "])


def dotted(numbers: list[int]) -> str:
    return ".".join(map(str, numbers))


def padded(numbers: list[int]) -> list[int]:
    return numbers + [0] * (5 - len(numbers))


def accepts(specifier: str, version: list[int]) -> bool:
    return SpecifierSet(specifier).contains(dotted(version))


@given(CHANNELS, NAMES)
def test_a_name_alone_takes_any_version(channel: str, name: str) -> None:
    spec = parse_spec(channel + name)
    assert (spec.name, spec.specifier, spec.build) == (name, "", None)
    assert spec.channel == (channel.removesuffix("::") or None)


@given(CHANNELS, NAMES, NUMBERS, NUMBERS, BLANKS, st.sampled_from(["={}", "={}.*", "={}*", "=={}.*", " {}.*", " {}*"]))
def test_a_prefix_takes_what_begins_with_it(
    channel: str, name: str, wanted: list[int], other: list[int], blank: str, form: str
) -> None:
    spec = parse_spec(f"{channel}{name}{blank}{form.format(dotted(wanted))}")
    assert spec.name == name
    assert accepts(spec.specifier, wanted)
    assert accepts(spec.specifier, [*wanted, *other])
    assert accepts(spec.specifier, other) == (padded(other)[: len(wanted)] == wanted)


@given(NAMES, NUMBERS, NUMBERS, BUILDS, st.sampled_from(["=={0}", " {0}", "={0}={1}", "=={0}={1}", " {0} {1}"]))
def test_an_exact_version_takes_that_alone(
    name: str, wanted: list[int], other: list[int], build: str, form: str
) -> None:
    spec = parse_spec(name + form.format(dotted(wanted), build))
    assert spec.build == (build if "{1}" in form else None)
    assert accepts(spec.specifier, other) == (padded(other) == padded(wanted))


@given(NAMES, NUMBERS, NUMBERS, NUMBERS, BLANKS, st.sampled_from(["{}", "[version='{}']", '[version="{}", build=*]']))
def test_a_range_takes_what_lies_in_it(
    name: str, low: list[int], high: list[int], other: list[int], blank: str, form: str
) -> None:
    text = form.format(f"{blank}>={dotted(low)},{blank}<{dotted(high)}")
    spec = parse_spec(name + text)
    assert accepts(spec.specifier, other) == (padded(low) <= padded(other) < padded(high))


@given(NAMES, NUMBERS)
def test_the_result_is_a_requirement_of_pip(name: str, version: list[int]) -> None:
    spec = parse_spec(f"{name}={dotted(version)}")
    assert str(Requirement(f"{spec.name}{spec.specifier}").specifier) == spec.specifier


@pytest.mark.parametrize(
    ("text", "specifier"),
    [
        ("numpy=1.26,<1.26.4", "==1.26.*,<1.26.4"),
        ("numpy!=1.3.*", "!=1.3.*"),
        ("numpy>=1.2.*", ">=1.2"),
        ("numpy=*", ""),
        ("numpy ~=1.2", "~=1.2"),
        ("numpy >=1.0  # as tested", ">=1.0"),
        ("numpy[version=2.1]", "==2.1"),
        ("numpy 1.21.2 *nomkl*", "==1.21.2"),
    ],
)
def test_other_forms(text: str, specifier: str) -> None:
    assert parse_spec(text).specifier == specifier


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("numpy=1.2|1.3", "alternatives"),
        ("pytz=2021a.x", "version that pip does not know"),
        ("numpy=^1\\.2$", "version that pip does not know"),
        ("numpy[version='1.2", "not a conda package"),
        ("numpy[version]", "brackets"),
        ("=1.2", "not a conda package"),
        ("", "not a conda package"),
        ("two words of nonsense!", "does not know"),
    ],
)
def test_what_pip_cannot_say_is_refused(text: str, says: str) -> None:
    with pytest.raises(SpecError, match=says):
        parse_spec(text)


@given(st.text(max_size=30))
def test_any_text_gives_a_spec_or_an_error_of_ours(text: str) -> None:
    try:
        spec = parse_spec(text)
    except SpecError:
        return
    assert spec.name.strip() == spec.name != ""
    SpecifierSet(spec.specifier)  # raises for one that pip would not read
