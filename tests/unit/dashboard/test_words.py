"""What strangers wrote, what a proposal does, and when it passes, as pages say it."""

import re

import pytest
from eth_abi.abi import encode
from eth_utils.address import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from dashboard.actions import Staged, call_data, credits_about, read_action
from dashboard.ballot import due_change
from dashboard.calls import CALLS
from dashboard.entries import Entry
from dashboard.export import as_csv, as_json
from dashboard.quorum import Count, ProposalClass, Tally
from dashboard.text import clean, clean_lines, credits_text, is_suspicious, quote, short, short_number
from dashboard.times import span, utc
from folkmoot.settings import CHECKOUT
from governance.domain.amendment import Amendment, AmendmentState
from governance.domain.policy import Direction
from governance.policy import licence_bits, load_policies, purpose_bits

REGISTRY, AGENTS, STRANGER = "0x" + "11" * 20, "0x" + "22" * 20, "0x" + "33" * 20
AMENDMENTS, GOVERNOR = "0x" + "44" * 20, "0x" + "55" * 20
CONTRACTS = {
    "ReleaseRegistry": REGISTRY,
    "AgentRegistry": AGENTS,
    "Amendments": AMENDMENTS,
    "ModelGovernor": GOVERNOR,
    "PolicyRegistry": "0x" + "66" * 20,
    "AgreementBook": "0x" + "77" * 20,
    "EvaluatorCourt": "0x" + "88" * 20,
}
MEMBER, OPERATOR = "0x" + "AA" * 20, "0x" + "bb" * 20


def action(calldata: str, *, target: str = AGENTS, value_wei: int = 0):  # type: ignore[no-untyped-def]
    staged = {b"\7" * 32: Staged(GOVERNOR, call("setVotingPeriod(uint32)", 86_400))}
    return read_action(target, value_wei, bytes.fromhex(calldata[2:]), contracts=CONTRACTS, staged=staged)


def call(signature: str, *arguments: object) -> bytes:
    return bytes.fromhex(call_data(signature, *arguments)[2:])


def stage(target: str, calldata: bytes):  # type: ignore[no-untyped-def]
    return action(call_data("stage(address,bytes)", target, calldata), target=AMENDMENTS)


@given(st.text(max_size=300))
def test_no_invisible_or_turning_character_survives(text: str) -> None:
    shown = clean(text, limit=200)

    assert not set(shown) & set("\u200b\u200e\u202a\u202e\u2066\u2069\ufeff\u0007\n\r")
    assert len(shown) <= 201


def test_hidden_characters_leave_a_mark_and_raise_suspicion() -> None:
    assert clean("Cleve\u200bland") == "Cleve\N{REPLACEMENT CHARACTER}land"
    assert is_suspicious("Cleve\u200bland")
    assert is_suspicious("Clеveland"), "the third letter is Cyrillic"
    assert not is_suspicious("Clínica São João\nline two")


def test_long_text_is_cut_with_a_sign() -> None:
    assert clean_lines("a" * 30, limit=10) == "a" * 10 + "…"


def test_a_name_cannot_close_its_own_quotation_marks() -> None:
    assert quote("X”, and everything is fine. “Y") == "“X', and everything is fine. 'Y”"


def test_digests_are_shown_by_eight_characters() -> None:
    assert short("0x0123456789abcdef") == "01234567"
    assert short_number(12345678901234567890) == "12345678"


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (59, "59 s"), (3_600, "1 h"), (431_940, "4 d 23 h"), (-5, "0 s")]
)
def test_spans_are_told_in_their_two_largest_units(seconds: int, words: str) -> None:
    assert span(seconds) == words


def test_a_moment_beyond_any_calendar_is_told_in_seconds() -> None:
    assert utc(0) == "1970-01-01 00:00 UTC"
    assert utc(2**64 - 1) == f"second {2**64 - 1}"


def test_a_staged_admission_is_told_with_its_wait_and_the_name_in_quotation_marks() -> None:
    told = stage(AGENTS, call("admit(string,address,address)", "St. Anna", MEMBER, OPERATOR))

    assert told.known
    assert told.sentence.startswith(
        "Stage a change that waits (14 days): Admit an organisation that calls itself “St. Anna”, with one vote"
    )


def test_an_admission_without_staging_is_told_to_be_refused() -> None:
    told = action(call_data("admit(string,address,address)", "St. Anna", MEMBER, OPERATOR))

    assert told.known
    assert "will refuse" in told.sentence
    assert told.arguments[0] == ("name", "St. Anna")


def rule(fact: bytes, bound: int, *, op: int) -> tuple[object, ...]:
    return (b"limit".ljust(32, b"\0"), fact.ljust(32, b"\0"), bound, op, 2, 2, 4, 0, 0)


POWER = re.compile(r"^\| `(\w+)\.(\w+)` \| (?:timelock|Amendments) \|", re.MULTILINE)


def test_every_call_that_a_vote_can_make_has_its_sentence() -> None:
    powers = set(POWER.findall((CHECKOUT / "docs" / "auditors.md").read_text()))
    told = {(each.contract, each.signature.split("(")[0]) for each in CALLS}

    assert len(powers) > 20
    assert powers - told == set()


@pytest.mark.parametrize(
    ("contract", "name", "values", "sentence"),
    [
        (
            "ReleaseRegistry",
            "revoke",
            (b"\1" * 32, b"harm"),
            "Withdraw release 01010101: its file",
        ),
    ],
)
def test_a_vote_on_a_release_is_told(contract: str, name: str, values: tuple[object, ...], sentence: str) -> None:
    told = action(call_data(signature(contract, name), *values), target=CONTRACTS[contract])

    assert told.known
    assert told.sentence.startswith(sentence)


@pytest.mark.parametrize(
    ("contract", "name", "value", "sentence"),
    [
        ("AgreementBook", "setFee", 250, "(14 days): Take 2.50 % of payments"),
        (
            "ReleaseRegistry",
            "setGuardian",
            MEMBER,
            f"(30 days and a second vote): Make {to_checksum_address(MEMBER)} the guardian, who may stop any proposal",
        ),
        ("EvaluatorCourt", "setMetrics", [(b"auc".ljust(32, b"\0"), True, 10_000)], "later cases measure “auc”."),
        (
            "EvaluatorCourt",
            "setSettings",
            (5, 7, 3, 86_400, 86_400, 172_800, 604_800, 50 * 10**18, 25 * 10**18, bytes(32)),
            "5 jurors (7 in the high tier), 3 looks at the same rows, 1 d to commit",
        ),
        (
            "EvaluatorCourt",
            "setSettings",
            (5, 7, 3, 86_400, 86_400, 172_800, 604_800, 50 * 10**18, 25 * 10**18, b"\xab" * 32),
            "They measure with the code abababab",
        ),
        (
            "PolicyRegistry",
            "amend",
            (bytes(32), [], [(0, 3)], [rule(b"auc", 700_000, op=0), rule(b"purposes", 6, op=4), rule(b"", 1, op=9)]),
            "for 1 purposes: “limit” (“auc” at least 0.7); “limit” (“purposes” all of bit 1, bit 2); “limit” of a kind",
        ),
    ],
)
def test_a_larger_change_is_told_with_its_wait(contract: str, name: str, value: object, sentence: str) -> None:
    told = stage(CONTRACTS[contract], call(signature(contract, name), value))

    assert told.known
    assert sentence in told.sentence


def test_sets_of_a_proposed_rule_are_told_by_name() -> None:
    words = load_policies()
    rules = [
        rule(b"purposes", purpose_bits(words, ["medical_research"]) | 1 << 90, op=3),
        rule(b"licences", licence_bits(words, ["apache-2.0"]), op=5),
        rule(b"auc", 700_000, op=0),
    ]
    amend = call(signature("PolicyRegistry", "amend"), (bytes(32), [], [(0, 3)], rules))
    staging = call("stage(address,bytes)", CONTRACTS["PolicyRegistry"], amend)

    told = read_action(CONTRACTS["Amendments"], 0, staging, contracts=CONTRACTS, words=words)
    without = read_action(CONTRACTS["Amendments"], 0, staging, contracts=CONTRACTS)

    assert "“limit” (“purposes” none of medical_research, bit 90)" in told.sentence
    assert "“limit” (“licences” only apache-2.0)" in told.sentence
    assert "“limit” (“auc” at least 0.7)" in told.sentence
    assert "“licences” only bit" in without.sentence


@pytest.mark.parametrize(
    ("state", "direction", "now_s", "label"),
    [
        (AmendmentState.STAGED, Direction.LOOSEN, 99, None),
        (AmendmentState.STAGED, Direction.LOOSEN, 100, "Activate"),
        (AmendmentState.STAGED, Direction.LOOSEN, 200, "Activate"),
        (AmendmentState.STAGED, Direction.LOOSEN, 201, None),
        (AmendmentState.STAGED, Direction.CONSTITUTIONAL, 100, "Open the second vote"),
        (AmendmentState.OPENED, Direction.CONSTITUTIONAL, 100, None),
        (AmendmentState.RATIFIED, Direction.CONSTITUTIONAL, 100, "Activate"),
        (AmendmentState.ACTIVATED, Direction.LOOSEN, 100, None),
        (AmendmentState.WITHDRAWN, Direction.LOOSEN, 100, None),
    ],
)
def test_a_change_is_offered_in_its_time_and_state_only(
    state: AmendmentState, direction: Direction, now_s: int, label: str | None
) -> None:
    change = Amendment(
        id=b"\x07" * 32,
        state=state,
        direction=direction,
        target=AGENTS,
        from_s=100,
        until_s=200,
        code_hash=bytes(32),
        call_hash=bytes(32),
        nonce=bytes(32),
    )

    due = due_change(change, now_s)

    assert (due and due[0]) == label
    assert due is None or due[1].endswith("07" * 32)


def signature(contract: str, name: str) -> str:
    return next(each.signature for each in CALLS if (each.contract, each.signature.split("(")[0]) == (contract, name))


def test_a_second_vote_is_told_with_what_it_confirms() -> None:
    staged = stage(GOVERNOR, call("setVotingPeriod(uint32)", 86_400))
    second = action(call_data("ratify(bytes32,bytes32)", b"\7" * 32, b"\x08" * 32), target=AMENDMENTS)

    assert staged.sentence.startswith("Stage a change that waits (30 days and a second vote): Change the time")
    assert second.known
    assert second.sentence.endswith("Change the time in which members may vote to 1 d.")


@pytest.mark.parametrize(
    ("target", "calldata"),
    [
        (STRANGER, call("admit(string,address,address)", "A", MEMBER, OPERATOR)),
        (AGENTS, b"\xde\xad\xbe\xef"),
        (REGISTRY, call("approve(bytes32,bytes32,bytes32,bytes32,uint64)", *[bytes(32)] * 4, 1)),
        (AMENDMENTS, call("stage(address,bytes)", AGENTS, b"")),
    ],
)
def test_staging_what_is_not_exactly_a_known_change_is_a_danger(target: str, calldata: bytes) -> None:
    assert not stage(target, calldata).known


def test_a_second_vote_on_an_unknown_change_is_a_danger() -> None:
    assert not action(call_data("ratify(bytes32,bytes32)", bytes(32), bytes(32)), target=AMENDMENTS).known


def test_an_approval_says_what_it_is_bound_to() -> None:
    words = [bytes([number]) * 32 for number in range(1, 5)]
    calldata = call_data("approve(bytes32,bytes32,bytes32,bytes32,uint64)", *words, 1_800_000_000)

    told = action(calldata, target=REGISTRY)

    assert told.approval is not None
    assert (told.approval.release, told.approval.facts_hash) == (words[0], words[3])
    assert "if the constitution still allows it" in told.sentence


@pytest.mark.parametrize(
    ("calldata", "target", "value_wei"),
    [
        ("0xdeadbeef", AGENTS, 0),
        ("0x", AGENTS, 0),
        (call_data("admit(string,address,address)", "A", MEMBER, OPERATOR), STRANGER, 0),
        (call_data("admit(string,address,address)", "A", MEMBER, OPERATOR), REGISTRY, 0),
        (call_data("admit(string,address,address)", "A", MEMBER, OPERATOR) + "00" * 32, AGENTS, 0),
        (call_data("remove(uint32)", 1)[:-2], AGENTS, 0),
        (call_data("remove(uint32)", 1), AGENTS, 5),
        ("0x" + call_data("remove(uint32)", 1)[2:10] + "ff" * 32, AGENTS, 0),
    ],
)
def test_whatever_is_not_exactly_a_known_call_is_a_danger(calldata: str, target: str, value_wei: int) -> None:
    assert not action(calldata, target=target, value_wei=value_wei).known


@given(st.binary(max_size=400))
def test_no_calldata_breaks_the_page(calldata: bytes) -> None:
    selectors = [call_data("admit(string,address,address)", "A", MEMBER, OPERATOR)[:10], "0x12345678"]

    for selector in selectors:
        assert action(selector + calldata.hex()).sentence


def test_names_that_are_no_utf8_are_a_danger_not_a_crash() -> None:
    body = encode(["bytes", "address", "address"], [b"\xff\xfe", MEMBER, OPERATOR])
    selector = call_data("admit(string,address,address)", "A", MEMBER, OPERATOR)[:10]

    assert not action(selector + body.hex()).known


@pytest.mark.parametrize(
    ("kind", "votes", "expected"),
    [
        (ProposalClass.ROUTINE, (6, 0, 0), (False, "Needs 1 more vote For or Abstain: 6 of the 7 needed.")),
        (ProposalClass.ROUTINE, (5, 0, 2), (True, "Has what it needs: 7 For or Abstain, 7 needed.")),
        (ProposalClass.ROUTINE, (4, 4, 3), (False, "Quorum is reached, but For (4) does not exceed Against (4).")),
        (ProposalClass.CONSTITUTIONAL, (8, 5, 0), (False, "Needs 1 more vote For: 8 of the 9 needed.")),
        (ProposalClass.CONSTITUTIONAL, (9, 4, 0), (True, "Has what it needs: 9 For, 9 needed.")),
        (ProposalClass.CONSTITUTIONAL, (7, 0, 6), (False, "Needs 2 more votes For: 7 of the 9 needed.")),
    ],
)
def test_a_count_says_what_still_lacks(
    kind: ProposalClass, votes: tuple[int, int, int], expected: tuple[bool, str]
) -> None:
    tally = Tally(in_favour=votes[0], against=votes[1], abstain=votes[2])

    count = Count(kind=kind, tally=tally, supply=13)

    assert (count.passes, count.standing()) == expected


def test_credits_are_exact() -> None:
    assert credits_text(1_500_000_000_000_000_001) == "1.500000000000000001 credits"
    assert credits_text(10**18) == "1 credit"


def test_a_headline_rounds_an_amount_of_credit_to_hundredths() -> None:
    assert credits_about(1_002_725_000_000_000_000_000) == "1,002.73"
    assert credits_about(33_870_967_741_935_483_870) == "33.87"
    assert credits_about(50 * 10**18) == "50"


def entry(**values: object) -> Entry:
    return Entry(
        block=1,
        log_index=0,
        time_s=2,
        contract="ModelGovernor",
        name="VoteCast",
        subject="=HYPERLINK(1)",
        transaction="0x" + "0" * 64,
        values=values,
    )


def test_files_keep_large_numbers_and_run_no_formula() -> None:
    rows = [entry(proposalId=2**200, reason="=cmd()")]

    assert f'"proposalId": "{2**200}"' in as_json(rows)
    assert ",'=HYPERLINK(1)," in as_csv(rows)
