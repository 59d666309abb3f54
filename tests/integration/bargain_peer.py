"""A buyer or seller process for the tests.

Usage: bargain_peer.py buyer|seller KEY_HEX HOME TABLE_JSON PORT PEER_ADDRESS COUNT
"""

import json
import os
import sys
from pathlib import Path

from agents.net.agent import NetAgent, NetSettings
from agents.net.directory import CachedDirectory, DirectoryTimes
from agents.net.lock import KeyLock
from agents.net.mailbox import Mailbox
from agents.net.post import PostOffice
from agents.net.replay import ReplayGuard
from agents.net.signing import KeySigner
from agents.protocols.buying import BuyerDesk
from agents.protocols.desk import Desk
from agents.protocols.records import TABLES
from agents.protocols.selling import SellerDesk
from governance.domain.market import Kind
from tests.integration.net_peer import TableFile
from tests.unit.desk_cases import BOOK, Clock, ScriptedBuyer, ScriptedSeller, address_of
from tests.unit.negotiation_cases import CREDIT, MICROS, buyer_mandate, frame, need, seller_mandate, supply


def register(side: str, desk: Desk, peer: str, count: int) -> None:
    if side == "seller":
        plenty = supply(epsilon_left_micros=10**6 * MICROS)
        SellerDesk(desk, ScriptedSeller(seller_mandate(), plenty)).register()
        return
    limits = buyer_mandate(max_spend_e18={Kind.DATA: 10**9 * CREDIT}, max_agreements=10**6)
    buying = BuyerDesk(desk, ScriptedBuyer(limits))
    buying.register()
    with desk.mailbox.transaction() as session:
        for nonce in range(count):
            buying.open(session, need(frame=frame(buyer=desk.address, seller=peer, nonce=nonce)), max_rounds=4)


def main() -> int:
    side, key, home, table, port, peer, count = sys.argv[1:]
    secret = bytes.fromhex(key)
    directory = CachedDirectory(TableFile(Path(table)), times=DirectoryTimes(fresh_s=0.3, unknown_s=0.1))
    folder = Path(home)
    mailbox = Mailbox.open(folder / "mail.sqlite", TABLES)
    agent = NetAgent(
        NetSettings(side, port=int(port)), key=secret, directory=directory, replay=ReplayGuard(folder / "seen.sqlite")
    )
    with KeyLock(folder, agent.evm_address):
        desk = Desk(mailbox, address=address_of(secret), signer=KeySigner(secret, BOOK), now_s=Clock())
        register(side, desk, peer, int(count))
        PostOffice(agent, mailbox)
        sys.stdout.write(json.dumps({"port": agent.port, "pid": os.getpid()}) + "\n")
        sys.stdout.flush()
        return agent.run()


if __name__ == "__main__":
    sys.exit(main())
