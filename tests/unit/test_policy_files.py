import re

import pytest

from governance.domain.policy import Op, Phase, Source, Tier, TierEntry
from governance.errors import PolicyError
from governance.policy import (
    compile_policies,
    decode_key,
    encode_key,
    licence_bits,
    load_policies,
    policy_from_document,
    purpose_bits,
    purpose_names,
)

VOCABULARY = """
schema: 1
version: 1
title: Test
sources: {LAW: {title: A law}}
facts:
  purposes: {title: purposes, unit: set, vocabulary: purposes, evidence: {release: [promised]}}
  gap: {title: gap, unit: ratio, evidence: {release: [measured, declared]}}
  owners: {title: owners, unit: count, largest: 100, evidence: {round: [declared]}}
  epsilon: {title: epsilon, unit: number, largest: 100, evidence: {agreement: [promised]}}
purposes:
  triage: {bit: 0, tier: high, title: Triage, refs: [{source: LAW, at: "1", checked: copy}]}
  scoring: {bit: 8, tier: minimal, title: Scoring, refs: [{source: LAW, at: "2", checked: copy}]}
licences:
  mit: {bit: 0, title: MIT}
"""

TAIL = """
    entrenchment: ordinary
    rationale: Because.
    refs: [{source: LAW, at: "Art. 1", checked: unchecked}]
"""


def rule(
    rule_id="max-gap",
    kind="max",
    fact="gap",
    value="value: 0.10",
    *,
    sources="[measured]",
    phases="[release]",
    tiers="[minimal, limited, high]",
    more="",
):
    return (
        f"  - id: {rule_id}\n    type: {kind}\n    fact: {fact}\n    {value}\n"
        f"    sources: {sources}\n    phases: {phases}\n    tiers: {tiers}\n    {more}{TAIL}"
    )


def rules(*entries):
    covering = (
        rule("min-owners", "min", "owners", "value: 3", sources="[declared]", phases="[round]"),
        rule("max-epsilon", "max", "epsilon", "value: 8.0", sources="[promised]", phases="[agreement]"),
        rule("ban", "none-of", "purposes", "values: [scoring]", sources="[promised]"),
    )
    return "schema: 1\nrules:\n" + "".join((*covering, *entries))


def compiled(*entries, vocabulary=VOCABULARY):
    return compile_policies({"vocabulary.yaml": vocabulary, "core.yaml": rules(*entries)})


def refusal(*entries, vocabulary=VOCABULARY):
    with pytest.raises(PolicyError) as caught:
        compiled(*entries, vocabulary=vocabulary)
    return str(caught.value)


def test_rule_compiles_to_the_form_that_the_chain_holds():
    policy = compiled(rule(more="applies_from: 2027-12-02"))

    found = next(r for r in policy.rules if r.id == "max-gap")
    assert (found.fact, found.bound, found.op) == ("gap", 100_000, Op.MAX)
    assert found.tiers == 0b1110
    assert found.sources == 1 << Source.MEASURED
    assert found.phases == Phase.RELEASE
    assert found.applies_from_s == 1_827_705_600  # date -u -d 2027-12-02 +%s
    assert next(r for r in policy.rules if r.id == "ban").bound == 1 << 8


def test_rules_are_sorted_by_id_and_purposes_by_bit():
    policy = compiled(rule("zeta"), rule("alpha"))

    assert [r.id for r in policy.rules] == sorted(r.id for r in policy.rules)
    assert policy.tiers == (TierEntry(0, Tier.HIGH), TierEntry(8, Tier.MINIMAL))


def test_order_of_files_entries_and_spelling_change_no_hash():
    one = compiled(rule("alpha", value="value: 0.10"), rule("beta"))
    other = compile_policies(
        {
            "z.yaml": VOCABULARY + "# a comment\n",
            "a.yaml": rules(rule("beta"), rule("alpha", value="value: 0.100000")),
        }
    )

    assert one == other


def test_every_word_of_a_rule_is_part_of_the_document_hash():
    before = compiled(rule())
    after = compile_policies(
        {
            "vocabulary.yaml": VOCABULARY,
            "core.yaml": rules(rule()).replace("Because.", "Because!", 1),
        }
    )

    assert before.rules == after.rules
    assert before.document_hash != after.document_hash
    assert before.set_hash != after.set_hash


def test_document_compiles_to_the_set_it_came_from():
    policy = compiled(rule())

    assert policy_from_document(policy.document) == policy


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.replace(b'"value_micros":100000', b'"value_micros":100000.0'),
        lambda data: data.replace(b'"value_micros":100000', b'"value":"0.1"'),
        lambda data: data.replace(b'"sources":["measured"]', b'"sources":["measured","declared"]'),
        lambda data: data + b"\n",
        lambda data: data[:-1],
        lambda _: b"[]",
        lambda _: b'{"rules":1}',
        lambda _: b"",
    ],
)
def test_altered_document_is_refused(change):
    data = change(compiled(rule()).document)

    with pytest.raises(PolicyError, match="policy document"):
        policy_from_document(data)


REFUSALS = [
    (rule(value="value: 0.1234567"), "core.yaml, rule max-gap, field value: .*more than 6 decimals"),
    (rule(value="value: 1.5"), "core.yaml, rule max-gap, field value: .*between 0 and 1"),
    (rule(value="value: -0.5"), "rule max-gap, field value: .*never negative"),
    (rule(value="value: 1e-2"), "core.yaml, rule max-gap, field value: '1e-2' is no number"),
    (rule(value="value: .inf"), "field value: '.inf' is no number"),
    (rule(value="value: true"), "field value: 'True' is no number"),
    (rule(value="value: 0.1\n    value: 0.2"), "core.yaml: line 40: 'value' stands here twice"),
    (rule(value="valu: 0.1"), "rule max-gap: unknown field valu; known are .*applies_from"),
    (rule(value="values: [triage]"), "rule max-gap: type max takes 'value'"),
    (rule(kind="none-of"), "rule max-gap: type none-of takes 'values'"),
    (rule(kind="most"), "rule max-gap, field type: 'most' is not one of all-of, "),
    (rule(fact="gapp"), "rule max-gap, field fact: gapp is no fact; known are epsilon, gap"),
    (rule(sources="[guessed]"), r"rule max-gap, field sources\[0\]: 'guessed' is not one of"),
    (rule(sources="[computed]"), "rule max-gap, field sources: in phase release gap is never comp"),
    (rule(phases="[round]"), "in phase round gap is never measured .it can be nothing"),
    (rule(tiers="[extreme]"), r"rule max-gap, field tiers\[0\]: 'extreme'"),
    (rule(tiers="[]"), "rule max-gap, field tiers"),
    (rule("Max Gap"), "rule Max Gap, field id: 'Max Gap' does not have the form"),
    (rule("a" * 32), "field id"),
    (rule('"max-gap\\n"'), "is no identifier"),
    (rule("ban"), "core.yaml, rule number 4 ban: defined twice"),
    (rule(more="applies_from: 2027-02-30"), "rule max-gap, field applies_from: 2027-02-30 is no day"),
    (rule(more="applies_from: 1970-01-01"), "field applies_from: .*before 1970"),
    (rule(more="applies_from: soon"), "field applies_from: 'soon' does not have the form"),
    (rule().replace("source: LAW", "source: LEX"), r"field refs\[0\].source: LEX is no source"),
    (rule().replace("rationale: Because.", "rationale: ''"), "rule max-gap, field rationale"),
    (rule("max-owners", "max", "owners", "value: 2.5", sources="[declared]", phases="[round]"), "whole number"),
    (
        rule("ban-2", "none-of", "purposes", "values: [scorin]", sources="[promised]"),
        "rule ban-2, field values: scorin is not among the purposes; known are scoring, triage",
    ),
]


@pytest.mark.parametrize(("entry", "message"), REFUSALS)
def test_wrong_rule_is_refused_with_place_and_reason(entry, message):
    assert re.search(message, refusal(entry), re.DOTALL)


VOCABULARY_REFUSALS = [
    (("bit: 8", "bit: 0"), "purpose scoring, field bit: 0 belongs to triage; take a new number"),
    (("bit: 8", "bit: 127"), "vocabulary.yaml, purpose scoring, field bit"),
    (("version: 1\ntitle: Test\n", ""), "no policy file has a 'version'"),
    (("version: 1\n", ""), "vocabulary.yaml, field title"),
    (("schema: 1", "schema: 2"), "field schema: '2' is not 1"),
    (("unit: ratio", "unit: set"), "fact gap: unit set and field vocabulary belong together"),
    (("tier: minimal", "tier: banned"), "purpose scoring, field tier: 'banned'"),
]


@pytest.mark.parametrize(("change", "message"), VOCABULARY_REFUSALS)
def test_wrong_vocabulary_is_refused_with_place_and_reason(change, message):
    assert message in refusal(vocabulary=VOCABULARY.replace(*change))


def test_tier_without_a_rule_in_a_phase_is_refused():
    text = rules().replace("tiers: [minimal, limited, high]", "tiers: [high]", 1)

    with pytest.raises(PolicyError, match="tier minimal has no rule in phase round"):
        compile_policies({"vocabulary.yaml": VOCABULARY, "core.yaml": text})


def test_rule_of_a_later_day_does_not_fill_the_hole_of_today():
    text = rules().replace("phases: [round]", "phases: [round]\n    applies_from: 2027-12-02", 1)

    with pytest.raises(PolicyError, match="in force from the start"):
        compile_policies({"vocabulary.yaml": VOCABULARY, "core.yaml": text})


def test_more_rules_than_the_contract_holds_are_refused():
    assert "67 rules" in refusal(*(rule(f"gap-{number}") for number in range(64)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("schema: 1\nrules: &a [*a]", "aliases"),
        ("schema: !!python/object/apply:os.system ['true']", r"tags \(.*\) are not read"),
        ("schema: 1\n---\nschema: 1", "another document"),
        ("{", "line 1"),
        ("1: one", "the name 1 is no text"),
        ("[" * 50_000, "bad.yaml"),
        ("a" * 300_000, "longer than"),
        ("schema: " + "9" * 100, "a number of 100 characters"),
        ("- 1", "is no object"),
        ("\x00", "bad.yaml"),
    ],
)
def test_hostile_file_is_refused_by_name(text, message):
    with pytest.raises(PolicyError, match=message) as caught:
        compile_policies({"bad.yaml": text})

    assert str(caught.value).startswith("bad.yaml")


def test_words_that_old_yaml_reads_as_booleans_stay_words():
    policy = compiled(rule().replace("rationale: Because.", "rationale: no"))

    assert policy.texts["max-gap"].rationale == "no"


def test_folder_without_policies_is_refused_with_its_name(tmp_path):
    with pytest.raises(PolicyError, match=re.escape(str(tmp_path))):
        load_policies(tmp_path)


def test_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "core.yaml").write_bytes(b"\xff\xfe")

    with pytest.raises(PolicyError, match="cannot be read"):
        load_policies(tmp_path)


def test_names_become_bits_and_bits_names():
    policy = compiled()

    assert purpose_bits(policy, ["scoring", "triage"]) == 0b1_0000_0001
    assert purpose_names(policy, 0b10_0000_0001) == ("triage", "bit 9")
    assert licence_bits(policy, ["mit"]) == 1
    with pytest.raises(PolicyError, match="'gpl' is no licence"):
        licence_bits(policy, ["gpl"])


@pytest.mark.parametrize("name", ["", "a" * 32, "é", "a b", "a\0"])
def test_name_that_does_not_fit_32_bytes_is_refused(name):
    with pytest.raises(PolicyError, match="identifier"):
        encode_key(name)


@pytest.mark.parametrize("key", [b"", b"\0" * 32, b"a\0b".ljust(32, b"\0"), b"a" * 32, b"a"])
def test_bytes_that_hold_no_name_are_refused(key):
    with pytest.raises(PolicyError, match="identifier"):
        decode_key(key)
