from contextlib import suppress
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from governance.domain.policy import Fact, Op, Phase, Source, Unit
from governance.domain.record import canonical_json, parse_canonical_json
from governance.errors import PolicyError
from governance.policy import (
    POLICIES,
    chain_facts,
    chain_rules,
    chain_tiers,
    compile_policies,
    evaluate,
    explain,
    format_micros,
    load_policies,
    policy_from_chain,
    policy_from_document,
)

SHIPPED = load_policies()
FILES = {path.name: path.read_text("utf-8") for path in POLICIES.glob("*.yaml")}
NOW_S = 1_795_000_000
INT128 = st.integers(-(1 << 127), (1 << 127) - 1) | st.integers(0, 10_000_000)
LEAVES = st.integers() | st.text() | st.booleans()
RECORDS = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


@st.composite
def evidence(draw):
    keys = [rule.fact for rule in SHIPPED.rules]
    pairs = st.tuples(st.sampled_from(keys), st.sampled_from(list(Source)[1:]))
    return [Fact(key, draw(INT128), source) for key, source in draw(st.sets(pairs))]


PURPOSES = st.sets(st.sampled_from([p.bit for p in SHIPPED.purposes]), min_size=1).map(
    lambda bits: sum(1 << bit for bit in bits)
)


def judge(facts, purposes, phase):
    return evaluate(SHIPPED, facts, purposes=purposes, phase=phase, now_s=NOW_S)


@given(RECORDS)
def test_record_reads_back_as_it_was_written(record):
    data = canonical_json(record)

    assert parse_canonical_json(data) == record
    assert data.isascii()


@given(st.binary() | st.text().map(str.encode))
def test_bytes_that_parse_are_exactly_their_canonical_form(data):
    try:
        record = parse_canonical_json(data)
    except ValueError:
        return
    assert canonical_json(record) == data


@given(INT128, st.sampled_from(Unit))
def test_written_number_is_exactly_its_millionths(value, unit):
    assert Fraction(format_micros(value, unit)) * 1_000_000 == value


@given(evidence(), PURPOSES, st.sampled_from(Phase))
def test_margin_masks_and_words_never_contradict_each_other(facts, purposes, phase):
    verdict = judge(facts, purposes, phase)

    assert verdict.failed & ~verdict.applied == 0
    assert verdict.failed.bit_count() == len(verdict.failed_rules)
    assert verdict.passes == all(f.holds for f in verdict.findings if f.enforced)
    for finding in verdict.findings:
        assert finding.rule.accepts(finding.source) or finding.value is None
        if finding.margin is not None:
            assert finding.holds == (finding.margin >= 0)
        spare = "to spare" in finding.reason
        assert spare == (finding.holds and not finding.rule.op.is_set)
        assert finding.counterfactual.startswith("holds") == finding.holds
    assert all(f"[{verdict.failed_rules[0]}" in explain(verdict) for _ in verdict.failed_rules)


@given(evidence(), PURPOSES, st.sampled_from(Phase), st.data())
def test_hiding_a_fact_never_helps(facts, purposes, phase, data):
    hidden = data.draw(st.sampled_from([rule.fact for rule in SHIPPED.rules]))

    before = judge(facts, purposes, phase)
    after = judge([fact for fact in facts if fact.key != hidden], purposes, phase)

    assert before.failed & ~after.failed == 0
    assert after.applied == before.applied


@given(evidence(), PURPOSES, PURPOSES, st.sampled_from(Phase))
def test_further_purposes_never_loosen_the_tier(facts, purposes, further, phase):
    assert judge(facts, purposes | further, phase).tier >= judge(facts, purposes, phase).tier


@given(st.permutations(list(FILES)), st.permutations(FILES["core.yaml"].split("\n\n")))
def test_order_of_files_and_rules_changes_no_hash(names, parts):
    header, *rest = FILES["core.yaml"].split("\n\n")
    first = header.split("rules:\n")
    bodies = [part if part != header else first[1] for part in parts]
    shuffled = first[0] + "rules:\n" + "\n".join(bodies)

    texts = {f"{k}.yaml": {**FILES, "core.yaml": shuffled}[name] for k, name in enumerate(names)}

    assert rest
    assert compile_policies(texts) == SHIPPED


@settings(max_examples=60)
@given(st.data())
def test_damaged_file_is_refused_or_compiles_to_a_set_that_stands_by_its_document(data):
    name = data.draw(st.sampled_from(sorted(FILES)))
    text = FILES[name]
    start = data.draw(st.integers(0, len(text)))
    length = data.draw(st.integers(0, 40))
    new = data.draw(st.text(alphabet=st.sampled_from("\n :-[]{}'\"&*!#0123456789.abc\0é"), max_size=6))

    policy = None
    # Nothing but a PolicyError may come out of a damaged file.
    with suppress(PolicyError):
        policy = compile_policies({**FILES, name: text[:start] + new + text[start + length :]})

    assert policy is None or policy_from_document(policy.document) == policy


@given(st.text(max_size=200))
def test_any_text_is_refused_by_name_and_never_by_accident(text):
    refusal = "more.yaml"
    try:
        compile_policies({**FILES, "more.yaml": text})
    except PolicyError as error:
        refusal = str(error)

    assert "more.yaml" in refusal


def test_shipped_set_reads_back_from_the_chain_form():
    read = policy_from_chain(
        SHIPPED.version,
        SHIPPED.document_hash,
        chain_tiers(SHIPPED),
        chain_rules(SHIPPED),
        facts=chain_facts(SHIPPED),
    )

    assert (read.rules, read.tiers, read.set_hash) == (SHIPPED.rules, SHIPPED.tiers, SHIPPED.set_hash)
    assert {rule.op for rule in read.rules} >= {Op.MIN, Op.MAX, Op.NONE_OF, Op.SUBSET_OF}
