"""Every refusal of a contract is said in words, and every such sentence belongs to a refusal."""

from eth_utils.crypto import keccak

from folkmoot.settings import CHECKOUT
from governance.adapters.evm.artifacts import FOLDER, abi
from governance.adapters.evm.meanings import MEANINGS
from governance.adapters.evm.refusals import explain

WITHOUT_ERROR = {"Reverted", "Panic", "UnknownError"}


def _declared_by_us() -> set[str]:
    sources = "".join(path.read_text() for path in (CHECKOUT / "contracts" / "src").rglob("*.sol"))
    return {name for name in _of_artifacts() if f"error {name}(" in sources}


def _of_artifacts() -> set[str]:
    return {entry["name"] for path in FOLDER.glob("*.json") for entry in abi(path.stem) if entry["type"] == "error"}


def test_every_error_of_our_contracts_has_a_meaning() -> None:
    declared = _declared_by_us()

    assert len(declared) > 150
    assert sorted(declared - set(MEANINGS)) == []


def test_every_meaning_belongs_to_an_error_of_the_contracts() -> None:
    assert sorted(set(MEANINGS) - _of_artifacts() - WITHOUT_ERROR) == []


def test_a_refusal_says_what_it_means_and_keeps_its_name_and_values() -> None:
    data = keccak(text="PoolNoBonus(bytes32)")[:4].hex() + "07" * 32

    refusal = explain(data, "RewardVault.refundBonus")

    assert str(refusal) == (
        "RewardVault.refundBonus was refused by the contract: this job has no bonus that waits "
        f"[PoolNoBonus(job=0x{'07' * 32})]"
    )


def test_a_refusal_without_a_meaning_is_said_by_its_name() -> None:
    data = keccak(text="Error(string)")[:4].hex() + "20".rjust(64, "0") + "02".rjust(64, "0") + "6869".ljust(64, "0")

    assert str(explain(data, "Credit.transfer")) == "Credit.transfer was refused by the contract: Error(message=hi)"
