"""The audit of a home's own chain: idle blocks, gas money from the faucet, a restart."""

from __future__ import annotations

import pytest

from folkmoot.constitution import Founder, Founding, deploy
from folkmoot.devnet import Devnet
from folkmoot.home import Home
from governance.adapters.evm.codebook import ArtifactCodebook
from governance.adapters.evm.witness import EvmWitness
from governance.services.audit import AuditReport, ExitCode, verify
from tests.audit_cast import GUARDIAN
from tests.audit_runs import evidence_of, places, shipped_policies
from tests.audit_story import LABORATORIES, key, member, operator

pytestmark = pytest.mark.chain


def audited(rpc: str, registry: str, home: Home) -> AuditReport:
    return verify(EvmWitness(rpc), ArtifactCodebook(), registry, evidence=evidence_of(home.store))


def test_chain_that_idled_and_restarted_has_no_finding(devnet: Devnet, home: Home) -> None:
    devnet.fund([key("deployer").address], 10**19)
    founders = tuple(
        Founder(name=name, member=member(name).address, operator=operator(name).address) for name in LABORATORIES
    )
    founding = Founding(
        founders=founders,
        panel=LABORATORIES,
        policy=shipped_policies(),
        guardian=GUARDIAN.address,
        treasury=operator(LABORATORIES[0]).address,
        supply_e18=10**21,
    )
    deployed = deploy(devnet.info().rpc_url, key("deployer"), founding, progress=lambda _: None)
    registry = deployed.deployment.contracts["ReleaseRegistry"]
    devnet.fund([member(LABORATORIES[0]).address], 10**18)
    devnet.advance(86_400)

    before = audited(devnet.info().rpc_url, registry, home)
    devnet.stop()
    devnet.start()
    devnet.advance(60)
    after = audited(devnet.info().rpc_url, registry, home)

    assert places(before.findings) == ""
    assert places(after.findings) == ""
    assert {before.exit_code, after.exit_code} == {ExitCode.CLEAN}
    assert after.head_number > before.head_number
