"""YAML without its surprises: no floats, no guessing, no aliases, no key twice.

YAML 1.1 reads ``no`` as false, ``010`` as eight and ``1:30`` as ninety, and a float loses the
digits that were written. Rules are hashed, so here a plain decimal is a ``Decimal`` of its
source text, a plain integer an ``int``, ``true`` and ``false`` booleans, all else a string.
"""

import re
from decimal import Decimal
from typing import TypeAlias

import yaml

from governance.errors import PolicyError

Tree: TypeAlias = "dict[str, Tree] | list[Tree] | str | int | bool | Decimal"
"""What a policy file may hold before its schema is checked."""

MAX_BYTES = 256 * 1024
MAX_DIGITS = 40
_STR = "tag:yaml.org,2002:str"
_INT = "tag:yaml.org,2002:int"
_DECIMAL = "tag:yaml.org,2002:float"
_BOOL = "tag:yaml.org,2002:bool"


def parse_yaml(text: str, *, name: str) -> Tree:
    """Return the content of one YAML document.

    Parameters
    ----------
    text
        The file's text, at most 256 KiB.
    name
        Name of the file, for messages.

    Raises
    ------
    PolicyError
        If the text is too long, no single YAML document, uses an alias, a tag or a key twice.
    """
    if len(text) > MAX_BYTES:
        raise PolicyError(f"{name}: longer than {MAX_BYTES} characters; split it into several files")
    try:
        tree: Tree | None = yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a SafeLoader
    except PolicyError as error:
        raise PolicyError(f"{name}: {error}") from error
    except yaml.MarkedYAMLError as error:
        raise PolicyError(f"{name}{_place(error.problem_mark)}: {error.problem}") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise PolicyError(f"{name}: not readable as YAML: {error}") from error
    if tree is None:
        raise PolicyError(f"{name}: empty; a policy file begins with 'schema: 1'")
    return tree


class _StrictLoader(yaml.SafeLoader):
    # Replaced, not extended: nothing of YAML 1.1's guessing may be left.
    yaml_implicit_resolvers = {}  # noqa: RUF012 - the class attribute that PyYAML reads
    yaml_constructors = {}  # noqa: RUF012

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise PolicyError(f"{_place(mark)[2:]}: aliases (*name) are not read; write it out")
        return super().compose_node(parent, index)


def _text(loader: _StrictLoader, node: yaml.ScalarNode) -> str:
    return str(loader.construct_scalar(node))


def _integer(loader: _StrictLoader, node: yaml.ScalarNode) -> int:
    return int(_short(_text(loader, node), node))


def _decimal(loader: _StrictLoader, node: yaml.ScalarNode) -> Decimal:
    return Decimal(_short(_text(loader, node), node))


def _short(digits: str, node: yaml.Node) -> str:
    if len(digits) > MAX_DIGITS:
        raise PolicyError(f"{_place(node.start_mark)[2:]}: a number of {len(digits)} characters")
    return digits


def _boolean(loader: _StrictLoader, node: yaml.ScalarNode) -> bool:
    return _text(loader, node) == "true"


def _sequence(loader: _StrictLoader, node: yaml.SequenceNode) -> list[Tree]:
    return [loader.construct_object(child, deep=True) for child in node.value]


def _mapping(loader: _StrictLoader, node: yaml.MappingNode) -> dict[str, Tree]:
    mapping: dict[str, Tree] = {}
    for key_node, value_node in node.value:
        place = _place(key_node.start_mark)[2:]
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str):
            raise PolicyError(f"{place}: the name {key!r} is no text; put it in quotes")
        if key in mapping:
            raise PolicyError(f"{place}: {key!r} stands here twice; keep one")
        mapping[key] = loader.construct_object(value_node, deep=True)
    return mapping


def _refuse(_: _StrictLoader, node: yaml.Node) -> Tree:
    raise PolicyError(f"{_place(node.start_mark)[2:]}: tags ({node.tag}) are not read")


def _place(mark: yaml.error.Mark | None) -> str:
    return f", line {mark.line + 1}" if mark else ""


for _tag, _pattern, _first in (
    (_BOOL, r"(?:true|false)\Z", "tf"),
    (_INT, r"-?(?:0|[1-9][0-9]*)\Z", "-0123456789"),
    (_DECIMAL, r"-?(?:0|[1-9][0-9]*)\.[0-9]+\Z", "-0123456789"),
):
    _StrictLoader.add_implicit_resolver(_tag, re.compile(_pattern), list(_first))
# Whatever else the text claims to be.
_StrictLoader.add_constructor(None, _refuse)
_StrictLoader.add_constructor(_STR, _text)
_StrictLoader.add_constructor(_INT, _integer)
_StrictLoader.add_constructor(_DECIMAL, _decimal)
_StrictLoader.add_constructor(_BOOL, _boolean)
_StrictLoader.add_constructor("tag:yaml.org,2002:seq", _sequence)
_StrictLoader.add_constructor("tag:yaml.org,2002:map", _mapping)
