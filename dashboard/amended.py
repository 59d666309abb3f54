"""What the larger changes say: rules, and how juries work."""

from collections.abc import Sequence
from typing import cast

from dashboard.text import credits_text, hexed, quote, short, whole
from dashboard.times import span
from governance.errors import PolicyError
from governance.policy import ChainRule, limit_in_words, rule_from_chain


def _parts(value: object) -> Sequence[object]:
    if not isinstance(value, list | tuple):
        raise TypeError(f"a struct or list of the calldata, not {value!r}")
    return value


def _name(value: object) -> str:
    raw = bytes.fromhex(hexed(value)[2:]).rstrip(b"\0")
    return quote(raw.decode("ascii", "replace"))


def _rule(value: object) -> str:
    parts = _parts(value)
    try:
        rule = rule_from_chain(cast("ChainRule", tuple(parts)))
    except PolicyError:
        return f"{_name(parts[0])} of a kind that this page does not know"
    return f"{_name(parts[0])} ({quote(rule.fact)} {limit_in_words(rule)})"


def rule_set(value: object) -> str:
    """Say which rules would be in force, each with its limit."""
    _, _, tiers, rules = _parts(value)
    told = "; ".join(_rule(rule) for rule in _parts(rules))
    return f"Bring another set of rules into force, for {len(_parts(tiers))} purposes: {told}."


def court_settings(value: object) -> str:
    """Say by which settings later cases would be heard."""
    *numbers, metric_code = _parts(value)
    jury, high, looks, commit, reveal, appeal, delay, stake, bond = map(whole, numbers)
    return (
        f"Hear later cases with {jury} jurors ({high} in the high tier), {looks} looks at the same rows, "
        f"{span(commit)} to commit, {span(reveal)} to reveal and {span(appeal)} to appeal against "
        f"{credits_text(bond)}; a juror stakes {credits_text(stake)}, which waits {span(delay)} when it leaves. "
        f"They measure with the code {short(hexed(metric_code))}."
    )


def metric_list(value: object) -> str:
    """Say what juries would measure."""
    return f"Let juries of later cases measure {', '.join(_name(_parts(metric)[0]) for metric in _parts(value))}."
