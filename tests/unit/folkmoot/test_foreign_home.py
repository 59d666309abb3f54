"""A home whose contracts stand on a chain that others run, and homes of earlier demonstrations."""

import pytest

from folkmoot.demo.run import _place_of_old
from folkmoot.devnet import NotRunning
from folkmoot.home import Home
from folkmoot.network import find_network
from folkmoot.settings import read_settings
from governance.errors import FolkmootError


def test_a_home_of_a_chain_that_others_run_asks_for_a_node_and_for_no_chain_of_its_own(home: Home) -> None:
    home.deployment_file.write_text("{}")

    with pytest.raises(NotRunning, match="FOLKMOOT_RPC") as refused:
        find_network(home, read_settings({}))

    assert "folkmoot up" not in str(refused.value)


def test_a_home_whose_own_chain_is_down_is_told_to_start_it(home: Home) -> None:
    home.deployment_file.write_text("{}")
    home.chain.mkdir()

    with pytest.raises(FolkmootError, match="folkmoot up"):
        find_network(home, read_settings({}))


def test_a_demonstration_that_never_ended_does_not_take_the_place_of_one_that_did(home: Home) -> None:
    kept = Home.create(home.root.with_name("home.old"))

    assert _place_of_old(home) == kept.root
    kept.report_file.write_text("{}")
    assert _place_of_old(home).name == "home.unfinished"
    home.report_file.write_text("{}")
    assert _place_of_old(home) == kept.root
