"""From layers of configuration to one Config: the strongest layer that gives a value wins, and is remembered.

Every value of every layer is checked, also one that a stronger layer hides, so that a broken file is found when it
breaks and not when it starts to matter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from memgit.core.kinds import Mismatch, Tables, toml
from memgit.core.setting import Origin, OriginKind, Scope, Setting
from memgit.core.settings import DEFAULTS, TABLE, Config
from memgit.core.values import dataclass, replace
from memgit.errors import ConfigError, UntrustedConfig

SECTIONS = tuple(dict.fromkeys(key.partition(".")[0] for key in TABLE))
_PREFIX = "MEMGIT_"
_VARIABLES = {_PREFIX + key.replace(".", "_").upper(): key for key in TABLE}


@dataclass(frozen=True, slots=True)
class Layer:
    """Values of one source.

    values: of a file, as its TOML reads, tables in tables; of a flag or a variable, one value under its dotted key.
    """

    kind: OriginKind
    name: str  # the path of the file, the flag, or the variable
    values: Mapping[str, object]
    text: str = ""  # of the file, to find lines in


@dataclass(frozen=True, slots=True)
class _Given:
    """One value of a layer, checked."""

    key: str
    value: object
    origin: Origin


def flag(name: str, key: str, value: object) -> Layer:
    """A layer of one command line flag. value: text, or as TOML would give it."""
    return Layer(OriginKind.FLAG, name, {key: value})


def environment(environ: Mapping[str, str]) -> tuple[Layer, ...]:
    """Layers of the `MEMGIT_*` variables that are settings, such as MEMGIT_CONSOLIDATE_WINDOW.

    An empty one counts as not set. Raises ConfigError for one that begins like a setting and is none.
    """
    layers = []
    for name in sorted(name for name in environ if name.startswith(_PREFIX) and environ[name]):
        if name in _VARIABLES:
            layers.append(Layer(OriginKind.ENVIRONMENT, name, {_VARIABLES[name]: environ[name]}))
        elif name.startswith(tuple(f"{_PREFIX}{section.upper()}_" for section in SECTIONS)):
            raise ConfigError(f"{name} is no setting.", _suggestion(name, tuple(_VARIABLES)))
    return tuple(layers)


def resolve(layers: tuple[Layer, ...]) -> Config:
    """The settings that the layers add up to. layers: any order within a kind; kinds rank as in OriginKind.

    A list replaces the list of a weaker layer. Raises ConfigError with file, line and key for what can't be
    read, UntrustedConfig for what a file that travels with the repository may not say.
    """
    rank = list(OriginKind).index
    found: dict[str, _Given] = {}
    for layer in sorted(layers, key=lambda layer: rank(layer.kind), reverse=True):
        for given in _read(layer):
            weaker = found.get(given.key)
            if layer.kind is OriginKind.TRACKED_FILE and TABLE[given.key].scope is Scope.TIGHTEN:
                _check_stricter(given)
                if weaker is not None and not _is_stricter(given.value, weaker.value):
                    continue
            found[given.key] = given
    changes: dict[str, object] = {}
    for given in found.values():
        section, _, name = given.key.partition(".")
        changes[section] = (
            replace(changes.get(section, getattr(DEFAULTS, section)), **{name: given.value})  # type: ignore[type-var]
            if name
            else given.value
        )
    origins = MappingProxyType({key: given.origin for key, given in found.items()})
    return replace(DEFAULTS, origins=origins, **changes)  # type: ignore[arg-type]


def _read(layer: Layer) -> Iterator[_Given]:
    is_file = layer.kind.is_file
    for key, value in _flat(layer) if is_file else layer.values.items():
        setting = TABLE[key]
        origin = Origin(layer.kind, layer.name, _line(layer, key))
        if layer.kind is OriginKind.TRACKED_FILE and setting.scope is Scope.LOCAL:
            raise UntrustedConfig(
                f"{origin}: {key} can't be set in a file that travels with the repository.",
                "Set it in your user file, or for this clone alone in its memgit/config.toml below the git directory.",
            )
        try:
            as_text = isinstance(value, str) and not is_file
            read = setting.kind.read_text(str(value)) if as_text else setting.kind.read(value)
            yield _Given(key, read, origin)
        except Mismatch as error:
            raise _refused(layer, key, error) from None


def _flat(layer: Layer) -> Iterator[tuple[str, object]]:
    """The values of a file under their dotted keys."""
    for section, held in layer.values.items():
        if section in TABLE:
            yield section, held
        elif section not in SECTIONS:
            raise _unknown(layer, section, (*SECTIONS, *TABLE))
        elif not isinstance(held, Mapping):
            raise ConfigError(
                f"{_where(layer, section)} {section} must be a table, not {toml(held)}.",
                f"Write [{section}] on a line of its own and its settings below.",
            )
        else:
            for name, value in held.items():
                if f"{section}.{name}" not in TABLE:
                    raise _unknown(layer, f"{section}.{name}", tuple(TABLE))
                yield f"{section}.{name}", value


def _refused(layer: Layer, key: str, error: Mismatch) -> ConfigError:
    hint = None
    if error.choices:
        near = _nearest(str(error.value), error.choices)
        hint = f"Did you mean {near}?" if near else None
    if isinstance(TABLE[key].kind, Tables) and isinstance(error.value, Mapping):
        hint = f"Write [[{key}]], with two brackets, before each of them."
    subject = f"{_where(layer, key + error.part)} {key}{error.part}" if layer.kind.is_file else layer.name
    return ConfigError(f"{subject} {error.text}.", hint)


def _unknown(layer: Layer, key: str, known: tuple[str, ...]) -> ConfigError:
    return ConfigError(f"{_where(layer, key)} {key} is no setting.", _suggestion(key, known))


def _suggestion(key: str, known: tuple[str, ...]) -> str:
    """The nearest known key: the same name in another section, else the same section with a similar name."""
    name = key.rpartition(".")[2]
    near = next((other for other in known if other.rpartition(".")[2] == name), None) or _nearest(key, known)
    return f"Did you mean {near}?" if near else "`memgit config` lists all settings."


def _nearest(text: str, known: tuple[str, ...]) -> str | None:
    import difflib  # only on the way to an error message

    folded = {word.lower(): word for word in known}
    close = difflib.get_close_matches(text.lower(), folded, n=1)
    return folded[close[0]] if close else None


def _where(layer: Layer, key: str) -> str:
    return f"{Origin(layer.kind, layer.name, _line(layer, key))}:"


def _line(layer: Layer, key: str) -> int | None:
    """The line of `auto[2].subject` and the like."""
    if not layer.text:
        return None
    from memgit.core import keylines  # not needed where there is no file

    path: list[str | int] = []
    for part in key.split("."):
        name, _, index = part.partition("[")
        path.append(name)
        if index:
            path.append(int(index.rstrip("]")) - 1)
    return keylines.line_of(layer.text, tuple(path))


def _check_stricter(given: _Given) -> None:
    default = DEFAULTS.value(given.key)
    if not _is_stricter(given.value, default):
        setting: Setting = TABLE[given.key]
        raise UntrustedConfig(
            f"{given.origin}: {given.key} = {setting.kind.show(given.value)} is looser than"
            f" {setting.kind.show(default)}, and a file that travels with the repository can only make it stricter.",
            "Set it in your user file, or for this clone alone in its memgit/config.toml below the git directory.",
        )


def _is_stricter(value: object, other: object) -> bool:
    """Whether `value` is as strict as `other` or stricter. All settings of this scope are upper limits."""
    return isinstance(value, int) and isinstance(other, int) and value <= other
