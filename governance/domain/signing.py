"""EIP-712 digests of what people and agents sign.

An id of a job or an agreement is the full EIP-712 digest, so it is bound to one chain and one contract
(EIP-712, "Specification of the eth_signTypedData JSON RPC").
"""

from dataclasses import dataclass
from typing import Final

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from governance.domain.market import Address, JobTerms, Terms

SHORT_TEXT_BYTES: Final = 31
"""Of a text in one word; the last byte stays zero."""
TERMS_TYPE: Final = (
    "Terms(uint8 kind,address buyer,address seller,bytes32 job,uint128 priceE18,uint32 units,uint64 epsilonMicros,"
    "uint64 deltaE12,uint8 privacyUnit,uint8 aggregationPrivacy,uint32 rows,bytes32 dataRoot,uint128 purposes,"
    "uint32 computeSeconds,uint128 bondE18,address auditor,bool withdrawalBlocks,uint64 deadlineS,uint64 validUntilS,"
    "uint64 nonce)"
)
JOB_TYPE: Final = (
    "JobTerms(address coordinator,uint128 purposes,uint32 roundsPerCandidate,uint64 epsilonMicros,uint64 deltaE12,"
    "uint8 privacyUnit,uint8 aggregationPrivacy,uint8 integrationMode,bytes32 task,bytes32 metricCode,"
    "bytes32[] candidates,uint128 bonusE18,uint64 deadlineS,uint64 nonce)"
)
BINDING_TYPE: Final = (
    "Binding(address agent,address operator,uint8 roles,bytes32 publicKeyX,bytes32 publicKeyY,bytes32 encryptionKey,"
    "string endpoint,uint256 nonce,uint64 deadlineS)"
)
COMMIT_TYPE: Final = (
    "EvaluationCommit(bytes32 caseId,bytes32 artifact,address juror,bytes32 commitment,uint64 deadlineS)"
)
DOMAIN_TYPE: Final = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """The EIP-712 domain of one contract on one chain."""

    name: str
    chain_id: int
    contract: Address

    def separator(self) -> bytes:
        """Return the domain separator (EIP-712, "Definition of domainSeparator")."""
        return keccak(
            encode(
                ["bytes32", "bytes32", "bytes32", "uint256", "address"],
                [_hash(DOMAIN_TYPE), _hash(self.name), _hash("1"), self.chain_id, self.contract],
            )
        )

    def digest(self, struct_hash: bytes) -> bytes:
        """Return the digest that is signed for a struct of this domain."""
        return keccak(b"\x19\x01" + self.separator() + struct_hash)


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """What an operator and an agent's key both agree to."""

    agent: Address
    operator: Address
    roles: int
    public_key_x: bytes
    public_key_y: bytes
    encryption_key: bytes
    endpoint: str
    nonce: int
    deadline_s: int


def book_domain(chain_id: int, contract: Address) -> Domain:
    """Return the domain of AgreementBook."""
    return Domain(name="Folkmoot AgreementBook", chain_id=chain_id, contract=contract)


def registry_domain(chain_id: int, contract: Address) -> Domain:
    """Return the domain of AgentRegistry."""
    return Domain(name="Folkmoot AgentRegistry", chain_id=chain_id, contract=contract)


def court_domain(chain_id: int, contract: Address) -> Domain:
    """Return the domain of EvaluatorCourt."""
    return Domain(name="Folkmoot EvaluatorCourt", chain_id=chain_id, contract=contract)


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationCommit:
    """A commitment that a juror signs for somebody else to send."""

    case: bytes
    artifact: bytes
    juror: Address
    commitment: bytes
    deadline_s: int
    """Exactly the end of the commit window."""


def hash_commit(commit: EvaluationCommit, domain: Domain) -> bytes:
    """Return the digest that a juror without gas signs."""
    values = [commit.case, commit.artifact, commit.juror, commit.commitment, commit.deadline_s]
    return domain.digest(keccak(encode(["bytes32", *_types(COMMIT_TYPE)], [_hash(COMMIT_TYPE), *values])))


def terms_tuple(terms: Terms) -> tuple[object, ...]:
    """Return the terms in the field order of the contract's struct."""
    return (
        int(terms.kind),
        terms.buyer,
        terms.seller,
        terms.job,
        terms.price_e18,
        terms.units,
        terms.epsilon_micros,
        terms.delta_e12,
        int(terms.privacy_unit),
        int(terms.aggregation_privacy),
        terms.rows,
        terms.data_root,
        terms.purposes,
        terms.compute_seconds,
        terms.bond_e18,
        terms.auditor,
        terms.withdrawal_blocks,
        terms.deadline_s,
        terms.valid_until_s,
        terms.nonce,
    )


def job_tuple(job: JobTerms) -> tuple[object, ...]:
    """Return the job's terms in the field order of the contract's struct."""
    return (
        job.coordinator,
        job.purposes,
        job.rounds_per_candidate,
        job.epsilon_micros,
        job.delta_e12,
        int(job.privacy_unit),
        int(job.aggregation_privacy),
        int(job.integration_mode),
        job.task,
        job.metric_code,
        [short_text(name) for name in job.candidates],
        job.bonus_e18,
        job.deadline_s,
        job.nonce,
    )


def hash_terms(terms: Terms, domain: Domain) -> bytes:
    """Return the digest that both sides of an agreement sign; it is the agreement's id."""
    types = _types(TERMS_TYPE)
    return domain.digest(keccak(encode(["bytes32", *types], [_hash(TERMS_TYPE), *terms_tuple(terms)])))


def hash_job(job: JobTerms, domain: Domain) -> bytes:
    """Return the id of a job."""
    values = list(job_tuple(job))
    values[10] = keccak(b"".join(short_text(name) for name in job.candidates))
    types = ["bytes32" if kind == "bytes32[]" else kind for kind in _types(JOB_TYPE)]
    return domain.digest(keccak(encode(["bytes32", *types], [_hash(JOB_TYPE), *values])))


def hash_binding(binding: Binding, domain: Domain) -> bytes:
    """Return the digest that an agent's key signs to be bound."""
    types = ["bytes32" if kind == "string" else kind for kind in _types(BINDING_TYPE)]
    values = [
        binding.agent,
        binding.operator,
        binding.roles,
        binding.public_key_x,
        binding.public_key_y,
        binding.encryption_key,
        _hash(binding.endpoint),
        binding.nonce,
        binding.deadline_s,
    ]
    return domain.digest(keccak(encode(["bytes32", *types], [_hash(BINDING_TYPE), *values])))


def short_text(text: str) -> bytes:
    """Return ASCII of at most 31 characters as 32 bytes, left aligned.

    Raises
    ------
    ValueError
        If the text is empty, too long or not ASCII.
    """
    raw = text.encode("ascii")
    if not 0 < len(raw) <= SHORT_TEXT_BYTES:
        raise ValueError(f"{text!r} must have 1 to {SHORT_TEXT_BYTES} ASCII characters")
    return raw.ljust(32, b"\0")


def read_short_text(word: bytes) -> str:
    """Return the text of 32 bytes, left aligned; unprintable bytes are shown as escapes."""
    return word.rstrip(b"\0").decode("ascii", "backslashreplace")


def _hash(text: str) -> bytes:
    return keccak(text.encode())


def _types(declaration: str) -> list[str]:
    inside = declaration[declaration.index("(") + 1 : -1]
    return [field.split(" ")[0] for field in inside.split(",")]
