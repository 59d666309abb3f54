"""What the larger changes say: rules, and how juries work."""

from collections.abc import Sequence

from dashboard.text import credits_text, hexed, quote, whole
from dashboard.times import span


def _parts(value: object) -> Sequence[object]:
    if not isinstance(value, list | tuple):
        raise TypeError(f"a struct or list of the calldata, not {value!r}")
    return value


def _name(value: object) -> str:
    raw = bytes.fromhex(hexed(value)[2:]).rstrip(b"\0")
    return quote(raw.decode("ascii", "replace"))


def rule_set(value: object) -> str:
    """Say which rules would be in force."""
    _, _, tiers, rules = _parts(value)
    names = ", ".join(_name(_parts(rule)[0]) for rule in _parts(rules))
    return f"Bring another set of rules into force, for {len(_parts(tiers))} purposes: {names}."


def court_settings(value: object) -> str:
    """Say by which settings later cases would be heard."""
    jury, high, looks, commit, reveal, appeal, delay, stake, bond, _ = (
        whole(part) if isinstance(part, int) else 0 for part in _parts(value)
    )
    return (
        f"Hear later cases with {jury} jurors ({high} in the high tier), {looks} looks at the same rows, "
        f"{span(commit)} to commit, {span(reveal)} to reveal and {span(appeal)} to appeal against "
        f"{credits_text(bond)}; a juror stakes {credits_text(stake)}, which waits {span(delay)} when it leaves."
    )


def metric_list(value: object) -> str:
    """Say what juries would measure."""
    return f"Let juries of later cases measure {', '.join(_name(_parts(metric)[0]) for metric in _parts(value))}."
