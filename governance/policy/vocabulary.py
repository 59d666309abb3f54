"""Between the names that people write and the bits that the chain keeps."""

from collections.abc import Iterable, Mapping

from governance.domain.policy import PolicySet
from governance.errors import PolicyError
from governance.policy.wording import bit_names


def purpose_bits(policy: PolicySet, names: Iterable[str]) -> int:
    """Return the bit set of purposes given by name.

    Raises
    ------
    PolicyError
        If a name is not among the purposes of the set.
    """
    return _bits({purpose.name: purpose.bit for purpose in policy.purposes}, names, "purpose")


def purpose_names(policy: PolicySet, bits: int) -> tuple[str, ...]:
    """Name the purposes of a bit set; a bit without a name is called by its number."""
    return bit_names(bits, {purpose.bit: purpose.name for purpose in policy.purposes})


def licence_bits(policy: PolicySet, names: Iterable[str]) -> int:
    """Return the bit set of licences given by name.

    Raises
    ------
    PolicyError
        If a name is not among the licences of the set.
    """
    return _bits({licence.name: licence.bit for licence in policy.licences}, names, "licence")


def licence_names(policy: PolicySet, bits: int) -> tuple[str, ...]:
    """Name the licences of a bit set; a bit without a name is called by its number."""
    return bit_names(bits, {licence.bit: licence.name for licence in policy.licences})


def names_of_fact(policy: PolicySet, fact: str) -> dict[int, str]:
    """Return the names of the bits that a fact's sets are made of, by bit; empty for other facts."""
    if fact == "purposes":
        return {purpose.bit: purpose.name for purpose in policy.purposes}
    return {licence.bit: licence.name for licence in policy.licences} if fact == "licences" else {}


def _bits(known: Mapping[str, int], names: Iterable[str], kind: str) -> int:
    bits = 0
    for name in names:
        if name not in known:
            raise PolicyError(f"{name!r} is no {kind} of this policy; known: {', '.join(known)}")
        bits |= 1 << known[name]
    return bits
