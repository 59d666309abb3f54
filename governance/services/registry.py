"""Organisations, agents, mandates and data roots."""

from dataclasses import dataclass
from enum import IntFlag

from governance.domain.market import NOBODY, Address, Mandate
from governance.domain.naming import owner_name
from governance.domain.signing import Binding, hash_binding, registry_domain
from governance.ports import Chain, Receipt, Signer
from governance.services import reading


class Role(IntFlag):
    """What an agent may do."""

    OWNER = 1
    COORDINATOR = 2
    COMPUTE = 4
    EVALUATOR = 8
    KEEPER = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """An organisation that the members admitted."""

    number: int
    name: str
    member: Address
    operator: Address
    admitted_at_s: int
    active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentRecord:
    """An agent as the registry knows it."""

    address: Address
    organisation: int
    roles: Role
    active: bool
    bound_at_s: int
    last_seen_s: int
    public_key: bytes
    """Uncompressed secp256k1 key, 64 bytes."""
    encryption_key: bytes
    """X25519."""
    endpoint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """A committed root over salted rows."""

    agent: Address
    rows: int
    evaluation: bool
    committed_at_s: int
    family: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChange:
    """A key that is to take another one's place."""

    following: Address
    """Nobody's address when there is none."""
    from_s: int
    """Chain time from which it may, for 30 days."""
    by_member: bool

    @property
    def is_asked(self) -> bool:
        """Say whether there is one."""
        return self.following != NOBODY


class Registry:
    """AgentRegistry with types."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._names: list[str] = []

    def organisations(self) -> list[Organisation]:
        """Return all organisations ever admitted, in order."""
        count = reading.number(self._chain.read("AgentRegistry", "organisationCount"))
        return [self.organisation(number) for number in range(1, count + 1)]

    def organisation(self, number: int) -> Organisation:
        """Return one organisation by its number."""
        values = reading.row(self._chain.read("AgentRegistry", "organisation", number), 5)
        return Organisation(
            number=number,
            name=reading.text(values[0]),
            member=reading.address(values[1]),
            operator=reading.address(values[2]),
            admitted_at_s=reading.number(values[3]),
            active=reading.flag(values[4]),
        )

    def owner_name(self, number: int) -> str:
        """Return the name by which tasks and cards call an organisation, e.g. ``va-long-beach``; nobody's is 0."""
        # Names never change, and asking for all of them each time would cost a node 30 calls an owner.
        while len(self._names) < number:
            self._names.append(self.organisation(len(self._names) + 1).name)
        names = ["", *self._names]
        return owner_name(names[number], number, names[:number])

    def agents(self) -> list[AgentRecord]:
        """Return all agents ever bound."""
        keys = reading.items(self._chain.read("AgentRegistry", "agents"))
        return [self.agent(reading.address(key)) for key in keys]

    def agent(self, key: Address) -> AgentRecord:
        """Return an agent; one that was never bound has organisation 0."""
        values = reading.row(self._chain.read("AgentRegistry", "agent", key), 9)
        return AgentRecord(
            address=key,
            organisation=reading.number(values[0]),
            roles=Role(reading.number(values[1])),
            active=reading.flag(values[2]),
            bound_at_s=reading.number(values[3]),
            last_seen_s=reading.number(values[4]),
            public_key=reading.raw(values[5]) + reading.raw(values[6]),
            encryption_key=reading.raw(values[7]),
            endpoint=reading.text(values[8]),
        )

    def is_active(self, key: Address) -> bool:
        """Return whether agent and organisation are active."""
        return reading.flag(self._chain.read("AgentRegistry", "isActive", key))

    def is_bound(self, key: Address) -> bool:
        """Return whether a key still speaks for its agent, whatever became of the organisation."""
        return reading.flag(self._chain.read("AgentRegistry", "actsFor", key, key))

    def operator_of(self, key: Address) -> Address:
        """Return who pays and is paid for an agent."""
        return reading.address(self._chain.read("AgentRegistry", "operatorOf", key))

    def organisation_of(self, key: Address) -> int:
        """Return the number of an agent's organisation, or 0."""
        return reading.number(self._chain.read("AgentRegistry", "organisationOf", key))

    def data_set(self, root: bytes) -> DataSet:
        """Return what is known of a root; an unknown one has no rows."""
        values = reading.row(self._chain.read("AgentRegistry", "dataSet", root), 5)
        return DataSet(
            agent=reading.address(values[0]),
            rows=reading.number(values[1]),
            evaluation=reading.flag(values[2]),
            committed_at_s=reading.number(values[3]),
            family=reading.raw(values[4]),
        )

    def mandate(self, key: Address) -> Mandate:
        """Return an agent's mandate."""
        values = reading.row(self._chain.read("AgentRegistry", "mandate", key), 7)
        floors = [reading.number(floor) for floor in reading.row(values[2], 5)]
        return Mandate(
            max_spend_e18=reading.number(values[0]),
            max_agreements=reading.number(values[1]),
            floors_e18=(floors[0], floors[1], floors[2], floors[3], floors[4]),
            max_epsilon_micros=reading.number(values[3]),
            lifetime_epsilon_micros=reading.number(values[4]),
            purposes=reading.number(values[5]),
            valid_until_s=reading.number(values[6]),
        )

    def binding_nonce(self, key: Address) -> int:
        """Return the nonce of the next binding of an agent's key."""
        return reading.number(self._chain.read("AgentRegistry", "nonces", key))

    def binding_digest(self, binding: Binding) -> bytes:
        """Return what the agent's key signs to be bound."""
        domain = registry_domain(self._chain.chain_id, self._chain.address("AgentRegistry"))
        return hash_binding(binding, domain)

    def bind(self, operator: Signer, binding: Binding, agent_signature: bytes) -> Receipt:
        """Bind an agent to the operator's organisation."""
        return self._chain.send(operator, "AgentRegistry", "bind", (_fields(binding), agent_signature))

    def rotation(self, key: Address) -> KeyChange:
        """Return the key that is to take an agent's place."""
        return _read_change(self._chain.read("AgentRegistry", "rotation", key))

    def operator_change(self, number: int) -> KeyChange:
        """Return the operator that is to come in an organisation."""
        return _read_change(self._chain.read("AgentRegistry", "operatorChange", number))

    def suspended_until_s(self, number: int) -> int:
        """Return the end of an organisation's last suspension, or 0."""
        return reading.number(self._chain.read("AgentRegistry", "suspendedUntilS", number))

    def ask_rotation(self, operator: Signer, key: Address, following: Address) -> Receipt:
        """Announce the key that is to take an agent's place in 2 days."""
        return self._chain.send(operator, "AgentRegistry", "askRotation", (key, following))

    def cancel_rotation(self, signer: Signer, key: Address) -> Receipt:
        """End that, as its operator or the member above it."""
        return self._chain.send(signer, "AgentRegistry", "cancelRotation", (key,))

    def rotate(self, operator: Signer, key: Address, binding: Binding, agent_signature: bytes) -> Receipt:
        """Put the announced key in an agent's place, after the wait."""
        return self._chain.send(operator, "AgentRegistry", "rotate", (key, _fields(binding), agent_signature))

    def ask_operator(self, signer: Signer, number: int, following: Address) -> Receipt:
        """Announce another operator in 16 days, as the organisation's member or its operator."""
        return self._chain.send(signer, "AgentRegistry", "askOperator", (number, following))

    def keep_operator(self, signer: Signer, number: int) -> Receipt:
        """End that."""
        return self._chain.send(signer, "AgentRegistry", "keepOperator", (number,))

    def change_operator(self, following: Signer, number: int) -> Receipt:
        """Take office as the announced operator, after the wait."""
        return self._chain.send(following, "AgentRegistry", "changeOperator", (number,))

    def unbind(self, operator: Signer, key: Address) -> Receipt:
        """End an agent."""
        return self._chain.send(operator, "AgentRegistry", "unbind", (key,))

    def set_endpoint(self, operator: Signer, key: Address, endpoint: str) -> Receipt:
        """Move an agent's endpoint."""
        return self._chain.send(operator, "AgentRegistry", "setEndpoint", (key, endpoint))

    def set_mandate(self, operator: Signer, key: Address, mandate: Mandate) -> Receipt:
        """Set the limits of an agent."""
        fields = (
            mandate.max_spend_e18,
            mandate.max_agreements,
            list(mandate.floors_e18),
            mandate.max_epsilon_micros,
            mandate.lifetime_epsilon_micros,
            mandate.purposes,
            mandate.valid_until_s,
        )
        return self._chain.send(operator, "AgentRegistry", "setMandate", (key, fields))

    def commit_training(self, agent: Signer, root: bytes, rows: int) -> Receipt:
        """Commit to training rows."""
        return self._chain.send(agent, "AgentRegistry", "commitTraining", (root, rows))

    def commit_evaluation(self, agent: Signer, root: bytes, rows: int, *, shares_with: bytes = b"\0" * 32) -> Receipt:
        """Commit to evaluation rows."""
        return self._chain.send(agent, "AgentRegistry", "commitEvaluation", (root, rows, shares_with))

    def heartbeat(self, agent: Signer) -> Receipt:
        """Say that an agent is alive."""
        return self._chain.send(agent, "AgentRegistry", "heartbeat", ())


def _fields(binding: Binding) -> tuple[object, ...]:
    return (
        binding.agent,
        binding.operator,
        binding.roles,
        binding.public_key_x,
        binding.public_key_y,
        binding.encryption_key,
        binding.endpoint,
        binding.nonce,
        binding.deadline_s,
    )


def _read_change(value: object) -> KeyChange:
    following, from_s, by_member = reading.row(value, 3)
    return KeyChange(
        following=reading.address(following), from_s=reading.number(from_s), by_member=reading.flag(by_member)
    )
