"""JSON-RPC answers read with suspicion: whoever runs the node may have altered any of them."""

import json
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias, cast

import requests

from governance.domain.urls import without_secrets
from governance.errors import ChainUnreachable
from governance.services.audit.sources import AnswerMissing, AnswerWrong

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"

MAX_ANSWER_BYTES: Final = 64 << 20
"""A receipt list of a full block is a few megabytes."""
CHUNK_BYTES: Final = 1 << 20
REVERTED: Final = 3
"""JSON-RPC error code of a call that reverted (geth, anvil, and most others)."""


class Refusal(AnswerMissing):
    """The node answered with an error; ``data`` holds what a contract reverted with, if it said why."""

    def __init__(self, method: str, message: str, *, data: str, reverted: bool) -> None:
        self.data = data
        self.reverted = reverted
        super().__init__(f"{method}: the node says {message[:200]}")


class HostileRpc:
    """A JSON-RPC client that survives any answer."""

    def __init__(self, url: str, *, timeout_s: float = 30) -> None:
        self._url, self._shown = url, without_secrets(url)
        self._timeout_s = timeout_s
        self._session = requests.Session()

    def call(self, method: str, *parameters: object) -> Json:
        """Return the result of one call.

        Raises
        ------
        ChainUnreachable, AnswerWrong, Refusal
        """
        answer = self._post({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}, method)
        return _result(answer, method)

    def batch(self, method: str, calls: Sequence[Sequence[object]]) -> list[Json]:
        """Return the results of several calls of one method, in the order of the calls."""
        if not calls:
            return []
        body = [
            {"jsonrpc": "2.0", "id": index, "method": method, "params": parameters}
            for index, parameters in enumerate(calls)
        ]
        answers = self._post(body, method)
        if not isinstance(answers, list):
            # Some nodes take no batches.
            return [self.call(method, *parameters) for parameters in calls]
        by_id = {answer["id"]: answer for answer in answers if isinstance(answer, dict) and _is_id(answer.get("id"))}
        if set(by_id) != set(range(len(calls))):
            raise AnswerWrong(method, "the batch was not answered call by call")
        return [_result(by_id[index], method) for index in range(len(calls))]

    def _post(self, body: object, method: str) -> Json:
        try:
            with self._session.post(self._url, json=body, timeout=self._timeout_s, stream=True) as response:
                raw = bytearray()
                for chunk in response.iter_content(CHUNK_BYTES):
                    raw += chunk
                    if len(raw) > MAX_ANSWER_BYTES:
                        raise AnswerWrong(method, f"more than {MAX_ANSWER_BYTES} bytes")
        except requests.RequestException as problem:
            raise ChainUnreachable(
                f"no chain answers at {self._shown}; start it or name another with --rpc"
            ) from problem
        try:
            # Python refuses integers of thousands of digits with ValueError, and deep nesting with RecursionError.
            return cast("Json", json.loads(raw))
        except (ValueError, RecursionError) as problem:
            raise AnswerWrong(method, "the answer is no JSON") from problem


def _is_id(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _result(answer: Json, method: str) -> Json:
    if not isinstance(answer, Mapping):
        raise AnswerWrong(method, "the answer is no JSON-RPC object")
    error = answer.get("error")
    if error is not None:
        fields = error if isinstance(error, Mapping) else {}
        message = str(fields.get("message") or "an error")
        reverted = fields.get("code") == REVERTED or "revert" in message.lower()
        raise Refusal(method, message, data=str(fields.get("data") or ""), reverted=reverted)
    if "result" not in answer:
        raise AnswerWrong(method, "neither result nor error")
    return answer["result"]


def as_object(value: Json, where: str) -> Mapping[str, Json]:
    """Return a JSON object; null is something the node does not have."""
    if value is None:
        raise AnswerMissing(f"{where}: the node has none")
    if not isinstance(value, Mapping):
        raise AnswerWrong(where, "no object")
    return value


def as_list(value: Json, where: str) -> Sequence[Json]:
    """Return a JSON list; null is something the node does not have."""
    if value is None:
        raise AnswerMissing(f"{where}: the node has none")
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise AnswerWrong(where, "no list")
    return value


def as_bytes(value: Json, where: str, *, length: int | None = None) -> bytes:
    """Return the bytes behind 0x hex, of a fixed length if one is given."""
    if value is None:
        raise AnswerMissing(f"{where}: the node has none")
    if not isinstance(value, str) or not value.startswith("0x") or not value.isascii():
        raise AnswerWrong(where, "no 0x hex")
    try:
        raw = bytes.fromhex(value[2:])
    except ValueError as problem:
        raise AnswerWrong(where, "no 0x hex") from problem
    if length is not None and len(raw) != length:
        raise AnswerWrong(where, f"{len(raw)} bytes where {length} belong")
    return raw


def as_number(value: Json, where: str, *, bits: int = 64) -> int:
    """Return a hexadecimal quantity of at most so many bits."""
    # Python would also read signs and underscores as parts of a number.
    plain = isinstance(value, str) and value.startswith("0x") and value.isalnum() and value.isascii()
    if not isinstance(value, str) or not plain or not 3 <= len(value) <= 2 + bits // 4:
        raise AnswerWrong(where, f"no hexadecimal quantity of at most {bits} bits")
    try:
        return int(value, 16)
    except ValueError as problem:
        raise AnswerWrong(where, "no hexadecimal quantity") from problem
