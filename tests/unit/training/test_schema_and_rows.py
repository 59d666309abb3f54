import gzip

import pytest

from agents.training import DataError, DataSchema, load_rows, load_schema, parse_schema, row_text
from agents.training.canonical import canonical_json
from agents.training.rows import label_of, parse_rows, write_rows
from tests.training_cases import DATA, HEART_CSV, heart_schema

SCHEMA = """
name: small
missing: ["NA"]
sensitive: sex
label: {column: sick, above: 0}
columns:
  - {name: age, type: numeric, lower: 20, upper: 90}
  - {name: chol, type: numeric, lower: 100, upper: 400, missing: ["0"]}
  - {name: sex, type: category, values: [Female, Male]}
  - {name: smokes, type: boolean}
  - {name: sick, type: numeric, lower: 0, upper: 4}
"""


@pytest.fixture
def schema(tmp_path) -> DataSchema:
    path = tmp_path / "small.schema.yaml"
    path.write_text(SCHEMA)
    return load_schema(path)


def _csv(tmp_path, *lines, header="age,chol,sex,smokes,sick"):
    path = tmp_path / "rows.csv"
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


def test_an_operators_own_csv_is_read_whatever_the_order_of_its_columns(tmp_path, schema):
    path = _csv(tmp_path, "yes,7,Female,51.50,1,extra", header="smokes,chol,sex,age,sick,note")

    rows = load_rows(path, schema)

    assert rows == [("51.5", "7", "Female", "TRUE", "1")]


def test_missing_markers_become_unknown_and_not_numbers(tmp_path, schema):
    path = _csv(tmp_path, "NA,0,Male,,0", ",0.0,Male,false,2")

    rows = load_rows(path, schema)

    assert rows == [(None, None, "Male", None, "0"), (None, None, "Male", "FALSE", "2")]
    assert [label_of(row, schema) for row in rows] == [False, True]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("old,200,Male,1,0", ["line 2", "'age'", "'old'", "number"]),
        ("nan,200,Male,1,0", ["line 2", "'age'"]),
        ("5e99,200,Male,1,0", ["line 2", "'age'"]),
        ("50,200,male,1,0", ["line 2", "'sex'", "'male'", "Female"]),
        ("50,200,Male,maybe,0", ["line 2", "'smokes'", "TRUE"]),
        ("50,200,Male,1,", ["line 2", "'sick'", "label is missing"]),
        ("50,200,Male,1", ["line 2", "4 cells", "5"]),
    ],
)
def test_a_wrong_cell_is_named_with_line_and_column(tmp_path, schema, line, words):
    with pytest.raises(DataError) as failure:
        load_rows(_csv(tmp_path, line), schema)

    assert all(word in str(failure.value) for word in words), failure.value


@pytest.mark.parametrize("content", [b"", b"age,age\n1,2\n", b"age,chol\n", b"\xff\xfe\x00", b'a,b\n"'])
def test_a_file_that_is_no_table_is_refused(tmp_path, schema, content):
    path = tmp_path / "rows.csv"
    path.write_bytes(content)

    with pytest.raises(DataError, match=r"rows\.csv"):
        load_rows(path, schema)


def test_a_packed_bomb_is_refused_before_it_unfolds(tmp_path, schema, monkeypatch):
    monkeypatch.setattr("agents.training.rows.MAX_BYTES", 1000)
    path = tmp_path / "rows.csv.gz"
    path.write_bytes(gzip.compress(b"0" * 100_000))

    with pytest.raises(DataError, match="unpacked"):
        load_rows(path, schema)


@pytest.mark.parametrize(
    "change",
    [
        ("type: boolean", "type: colour"),
        ("lower: 20, upper: 90", "lower: 90, upper: 20"),
        ("lower: 20", "lower: low"),
        ("values: [Female, Male]", "values: [Female]"),
        ("sensitive: sex", "sensitive: age"),
        ("sensitive: sex", "sensitive: race"),
        ("above: 0", "above: 0, equals: x"),
        ("name: chol", "name: age"),
        ('missing: ["NA"]', 'mising: ["NA"]'),
        ("columns:", "columns: ["),
    ],
)
def test_a_schema_that_contradicts_itself_is_refused_with_its_file(tmp_path, change):
    path = tmp_path / "bad.yaml"
    path.write_text(SCHEMA.replace(*change))

    with pytest.raises(DataError, match=r"bad\.yaml"):
        load_schema(path)


def test_schemas_survive_json_and_keep_their_digest(schema):
    for one in (schema, heart_schema(), load_schema(DATA / "lending.schema.yaml")):
        assert parse_schema(canonical_json(one.to_json())) == one
        assert parse_schema(canonical_json(one.to_json())).digest == one.digest


def test_rows_survive_writing_and_reading(tmp_path, schema):
    rows = load_rows(_csv(tmp_path, "50,0,Male,,0", "51,210.25,Female,t,1"), schema)

    write_rows(tmp_path / "again.csv", rows, schema)

    assert load_rows(tmp_path / "again.csv", schema) == rows
    assert (tmp_path / "again.csv").stat().st_mode & 0o077 == 0


def test_rows_from_others_must_be_canonical(schema):
    good = [["51.5", None, "Male", "TRUE", "1"]]

    assert row_text(parse_rows(good, schema)[0]) == b'["51.5",null,"Male","TRUE","1"]'
    for bad in (
        [["51.50", None, "Male", "TRUE", "1"]],
        [["51.5", "0", "Male", "TRUE", "1"]],
        [["51.5", None, "Male", "true", "1"]],
        [["51.5", None, "Male", "TRUE"]],
        [[51.5, None, "Male", "TRUE", "1"]],
        ["51.5"],
        [None],
    ):
        with pytest.raises(DataError):
            parse_rows(bad, schema)


def test_the_heart_data_load_with_known_totals():
    rows = load_rows(HEART_CSV, heart_schema())

    assert len(rows) == 920
    assert sum(label_of(row, heart_schema()) for row in rows) == 509
    assert sum(row[3] is None for row in rows) == 202
