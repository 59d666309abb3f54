from collections import Counter

import pytest

from agents.training import (
    DataError,
    SaltedRows,
    build,
    load_rows,
    load_salted,
    prepare_owner,
    row_leaf,
    seeded_salts,
)
from agents.training.commitment import salts_path
from agents.training.rows import group_of, label_of, read_csv, row_of
from governance.domain import merkle
from tests.training_cases import HEART_CSV, heart_schema

SETS = ("training", "evaluation", "reserved")


def _build(directory, *, seed=0):
    return build(HEART_CSV, heart_schema(), directory, seed=seed, salts=seeded_salts(seed))


def _strata(rows):
    return Counter((label_of(row, heart_schema()), group_of(row, heart_schema())) for row in rows)


def test_every_row_is_in_exactly_one_set_of_its_owner(tmp_path):
    owners = _build(tmp_path)

    for owner in owners:
        public = [
            row_of(record, heart_schema(), "") for record in read_csv(HEART_CSV) if record["dataset"] == owner.name
        ]
        split = [load_rows(getattr(owner, name).path, heart_schema()) for name in SETS]
        assert Counter(public) == Counter(row for rows in split for row in rows)
    assert [owner.slug for owner in owners] == ["cleveland", "hungary", "switzerland", "va-long-beach"]


def test_each_stratum_is_split_sixty_thirty_ten(tmp_path):
    for owner in _build(tmp_path):
        strata = [_strata(load_rows(getattr(owner, name).path, heart_schema())) for name in SETS]
        for key, total in sum(strata, Counter()).items():
            for found, share in zip(strata, (0.6, 0.3, 0.1), strict=True):
                assert abs(found[key] - share * total) <= 1, (owner.name, key)


def test_one_seed_gives_one_split_and_another_seed_another(tmp_path):
    first, again, other = (_build(tmp_path / n, seed=s) for n, s in (("a", 0), ("b", 0), ("c", 1)))

    assert [o.to_json() for o in first] == [o.to_json() for o in again]
    assert first[0].training.root != other[0].training.root
    assert first[0].training.path.read_bytes() != other[0].training.path.read_bytes()


def test_the_split_of_seed_zero_is_the_one_fixed_at_the_start(tmp_path):
    owners = _build(tmp_path)

    assert [(o.training.rows, o.evaluation.rows, o.reserved.rows) for o in owners] == [
        (182, 92, 30),
        (176, 88, 29),
        (73, 37, 13),
        (120, 60, 20),
    ]
    assert owners[0].training.root.hex().startswith("f5485fb3d8ae0217")


def test_roots_commit_to_every_row_and_salt(tmp_path):
    owner = _build(tmp_path)[2]

    salted = load_salted(owner.evaluation.path, heart_schema())

    assert salted.opens(owner.evaluation.root)
    assert SaltedRows.from_json(salted.to_json(), heart_schema()) == salted
    assert not SaltedRows(salted.rows[1:], salted.salts[1:]).opens(owner.evaluation.root)
    leaf = row_leaf(salted.rows[5], salted.salts[5])
    proof = merkle.proof(salted.leaves, 5)
    assert merkle.verify(owner.evaluation.root, leaf, proof)
    assert not merkle.verify(owner.evaluation.root, row_leaf(salted.rows[5], bytes(16)), proof)


def test_salts_are_fresh_unless_seeded_and_readable_by_the_owner_only(tmp_path):
    fresh = [build(HEART_CSV, heart_schema(), tmp_path / name)[0] for name in "ab"]

    assert fresh[0].training.path.read_bytes() == fresh[1].training.path.read_bytes()
    assert fresh[0].training.root != fresh[1].training.root
    for path in (fresh[0].training.path, salts_path(fresh[0].training.path)):
        assert path.stat().st_mode & 0o077 == 0


def test_an_operators_csv_without_site_column_is_prepared(tmp_path):
    rows = _build(tmp_path / "a")[0].training.path

    owner = prepare_owner(rows, heart_schema(), tmp_path / "b", name="St. Mary's, Leeds")

    assert owner.slug == "st-mary-s-leeds"
    assert owner.training.rows + owner.evaluation.rows + owner.reserved.rows == 182
    assert load_salted(owner.training.path, heart_schema()).opens(owner.training.root)


def test_rows_are_not_split_twice_into_one_place(tmp_path):
    _build(tmp_path)

    with pytest.raises(DataError, match="not empty"):
        _build(tmp_path)


def test_lost_or_changed_salts_are_named(tmp_path):
    path = _build(tmp_path)[0].training.path
    salts_path(path).write_text("00" * 16 + "\n")

    with pytest.raises(DataError, match="182 rows but 1 salts"):
        load_salted(path, heart_schema())
    salts_path(path).unlink()
    with pytest.raises(DataError, match=r"training\.salts"):
        load_salted(path, heart_schema())
