from __future__ import annotations

import stat
from pathlib import Path

import pytest

from folkmoot.doctor import Verdict, examine
from folkmoot.files import StorageError, write_atomically
from folkmoot.home import Home
from folkmoot.keystore import Keystore, open_keystore
from folkmoot.settings import Settings, SettingsError, default_home, read_settings
from governance.errors import KeystoreUnusable


def test_an_empty_environment_gives_the_defaults() -> None:
    settings = read_settings({})

    assert settings.home == default_home()
    assert (settings.rpc_url, settings.idle_block_s, settings.chain_history_blocks) == (None, 2.0, 1000)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FOLKMOOT_IDLE_BLOCK_S", "0"),
        ("FOLKMOOT_IDLE_BLOCK_S", "10.5"),
        ("FOLKMOOT_IDLE_BLOCK_S", "nan"),
        ("FOLKMOOT_IDLE_BLOCK_S", "soon"),
        ("FOLKMOOT_CHAIN_HISTORY", "0"),
        ("FOLKMOOT_CHAIN_HISTORY", "-1"),
        ("FOLKMOOT_CHAIN_HISTORY", "1e3"),
    ],
)
def test_a_value_out_of_range_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        read_settings({name: value})


def test_the_default_home_is_in_the_checkout_or_where_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout, elsewhere = tmp_path / "checkout", tmp_path / "elsewhere"
    for folder in (checkout, elsewhere):
        folder.mkdir()
    (checkout / "pyproject.toml").write_text("")
    monkeypatch.chdir(elsewhere)

    assert default_home(checkout) == checkout / "var" / "demo"
    assert default_home(tmp_path) == elsewhere / "var" / "demo"


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomically(path, "old", mode=0o600)

    with pytest.raises(UnicodeEncodeError):
        write_atomically(path, "\udcff")
    with pytest.raises(StorageError):
        write_atomically(path / "below", "new")

    assert path.read_text() == "old"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


@pytest.fixture
def keystore(home: Home) -> Keystore:
    return open_keystore(home, Settings(home=home.root))


def test_a_key_opens_with_its_password_only(keystore: Keystore) -> None:
    address = keystore.create("owner")

    assert keystore.address("owner") == keystore.signer("owner").address == address
    with pytest.raises(KeystoreUnusable):
        Keystore(keystore.folder, "another").signer("owner")


def test_a_key_is_never_overwritten(keystore: Keystore) -> None:
    address = keystore.create("owner")

    with pytest.raises(KeystoreUnusable, match="already"):
        keystore.create("owner")

    assert keystore.ensure("owner") == address
    assert keystore.names() == ("owner",)


@pytest.mark.parametrize("name", ["", "../escape", "Owner", "a/b", ".hidden", "a" * 65])
def test_a_name_that_is_no_file_name_is_refused(keystore: Keystore, name: str) -> None:
    with pytest.raises(KeystoreUnusable, match="no key name"):
        keystore.create(name)


def test_the_password_of_a_home_is_random_and_private(home: Home, tmp_path: Path) -> None:
    first = open_keystore(home, Settings(home=home.root)).password
    second = open_keystore(Home.create(tmp_path / "second"), Settings(home=tmp_path)).password

    assert first != second
    assert len(first) > 40
    assert stat.S_IMODE((home.keys / "password").stat().st_mode) == 0o600


def test_a_password_file_of_the_operator_wins(home: Home, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("of the operator\n")

    keystore = open_keystore(home, Settings(home=home.root, password_file=tmp_path / "secret"))

    assert keystore.password == "of the operator"
    assert not (home.keys / "password").exists()


def test_the_doctor_makes_no_home_and_names_one_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    verdicts = {}
    for name in ("home", "file/home"):
        root = tmp_path / name
        findings = {each.what: each for each in examine(Home.at(root), Settings(home=root))}
        verdicts[name] = findings["home"].verdict

    assert verdicts == {"home": Verdict.GOOD, "file/home": Verdict.WRONG}
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
