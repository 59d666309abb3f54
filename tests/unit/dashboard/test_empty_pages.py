"""Every page while there is nothing to show: no index, no chain, no store. A sentence, never a traceback."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.settings import Supplies, provide
from governance.adapters.tables import open_for_writing, sqlite_url
from governance.errors import ChainUnreachable

APP = Path(__file__).parents[3] / "dashboard" / "app.py"
VIEWS = ("overview", "proposals", "proposal", "releases", "participants", "history")


class SilentChain:
    """A deployment whose node does not answer."""

    chain_id = 7
    first_block = 1

    def address(self, contract: str) -> str:
        return "0x" + f"{len(contract):040x}"

    def read(self, *_: object) -> object:
        raise ChainUnreachable("no chain answers")

    def block_number(self) -> int:
        raise ChainUnreachable("no chain answers")

    now_s = block_number


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("created", [True, False], ids=["empty index", "no index"])
def test_a_page_without_an_index_says_how_to_start_one(tmp_path: Path, view: str, created: bool) -> None:  # noqa: FBT001
    url = sqlite_url(tmp_path / "index.sqlite")
    if created:
        open_for_writing(url).dispose()
    provide(
        Supplies(database_url=url, chain=SilentChain(), wallet_rpc_url="http://127.0.0.1:1", is_development=True)  # type: ignore[arg-type]
    )
    app = AppTest.from_file(str(APP), default_timeout=30).run()

    if view != "overview":
        app.switch_page(f"views/{view}.py").run()

    assert not app.exception
    assert "folkmoot up" in " ".join(text.value for text in app.text)
