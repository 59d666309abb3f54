"""What the larger changes say: rules, and how juries work."""

from collections.abc import Sequence
from typing import cast

from dashboard.text import credits_text, hexed, quote, short, whole
from dashboard.times import span
from governance.domain.policy import PolicySet
from governance.errors import PolicyError
from governance.policy import ChainRule, limit_in_words, names_of_fact, rule_from_chain


def _parts(value: object) -> Sequence[object]:
    if not isinstance(value, list | tuple):
        raise TypeError(f"a struct or list of the calldata, not {value!r}")
    return value


def _name(value: object) -> str:
    raw = bytes.fromhex(hexed(value)[2:]).rstrip(b"\0")
    return quote(raw.decode("ascii", "replace"))


def _rule(value: object, words: PolicySet | None) -> str:
    parts = _parts(value)
    try:
        rule = rule_from_chain(cast("ChainRule", tuple(parts)))
    except PolicyError:
        return f"{_name(parts[0])} of a kind that this page does not know"
    names = {} if words is None else names_of_fact(words, rule.fact)
    return f"{_name(parts[0])} ({quote(rule.fact)} {limit_in_words(rule, names)})"


def rule_set(value: object, words: PolicySet | None = None) -> str:
    """Say which rules would be in force, each with its limit.

    Parameters
    ----------
    words
        A set that was in force here, with the names of purposes and licences; their bits are never given anew.
    """
    _, _, tiers, rules = _parts(value)
    told = "; ".join(_rule(rule, words) for rule in _parts(rules))
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
