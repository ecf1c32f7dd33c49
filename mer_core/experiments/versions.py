"""What a result depends on: the code that computes it and the data that it is computed from."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import json
import platform
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from mer_core.corpus import Corpus

HERE = Path(__file__).parents[2]
LIBRARIES = ("numpy", "pandas", "scipy", "scikit-learn", "torch")


def code_version(names: Iterable[str], *, folder: Path = HERE) -> str:
    """Hash the definitions that some functions and classes depend on, wherever they stand.

    Followed are names, from definition to definition, through the imports of mer_core and of the
    modules that are named; a package's `__init__` only leads on. Comments, docstrings and layout
    don't count, nor do statements that call :mod:`mer_core.checks`, which raise or do nothing, nor
    does a definition that none of the names needs: a new model leaves the version of the others as
    it was.

    Parameters
    ----------
    names : iterable of str
        Such as "mer_core.models.Linear".
    folder : path
        Where the packages lie.

    Returns
    -------
    str
        Hexadecimal digits, from the syntax trees without what Python's versions add to them.

    Raises
    ------
    ValueError
        If a name is not defined, or a module on the way has relative imports or stars, which
        can't be followed.

    Notes
    -----
    What code finds by a string at run time (`getattr(models, name)`) has to be among the names.

    Examples
    --------
    >>> code_version(["mer_core.models.Linear"]) == code_version(["mer_core.models.SVR"])
    False
    """
    texts = definitions(names, folder=folder)
    # Without the modules' names: a definition that moves is still the same.
    whole = sorted(f"{name.rpartition('.')[2]} = {text}" for name, text in texts.items())
    return hashlib.sha256("\n".join(whole).encode()).hexdigest()


def definitions(names: Iterable[str], *, folder: Path = HERE) -> dict[str, str]:
    """What :func:`code_version` hashes: each definition's dotted name and its canonical text."""
    names = list(names)
    known = frozenset({"mer_core"} | {name.partition(".")[0] for name in names})
    texts: dict[str, str] = {}
    todo = [(module, (last,)) for module, _, last in (name.rpartition(".") for name in names)]
    while todo:
        module, chain = todo.pop()
        if module.partition(".")[0] in known:
            todo += _follow(module, chain, texts, folder)
    return _complete(names, texts)


def _complete(names: list[str], texts: dict[str, str]) -> dict[str, str]:
    found = {name.rpartition(".")[2] for name in texts}
    absent = [name for name in names if name.rpartition(".")[2] not in found]
    if absent:
        raise ValueError(f"names: expected functions and classes of mer_core, found {absent}")
    return texts


def fingerprint(corpus: Corpus) -> str:
    """Hash the data that a model can see: labels, features, genres and splits; no paths.

    Returns
    -------
    str
        Hexadecimal digits.
    """
    songs = corpus.songs[["genre", "split"]].fillna("").astype(object)
    whole = hashlib.sha256()
    for frame in (corpus.labels, corpus.features, songs):
        whole.update(json.dumps(list(map(str, frame))).encode())
        whole.update(pd.util.hash_pandas_object(frame).to_numpy().tobytes())
    return whole.hexdigest()


@cache
def libraries() -> dict[str, str]:
    """Versions of Python and of the libraries that numbers come from; told, not hashed."""
    return {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES}


class _Source(NamedTuple):
    defined: dict[str, list[ast.stmt]]
    """Statements at the top of a module, by each name that they bind."""
    imported: dict[str, tuple[str, str]]
    """Name: the module that it comes from and its name there, "" for the module itself."""
    loose: list[ast.stmt]
    """Statements that bind nothing but may do something."""


def _follow(
    module: str, chain: tuple[str, ...], texts: dict[str, str], folder: Path
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Note the definition of a dotted name in a module; give the names that it leads to."""
    path = _path(module, folder)
    if path is None:
        return
    source = _source(path)
    if not chain:
        if path.name != "__init__.py":
            yield from ((module, (name,)) for name in source.defined)
        return
    first, *rest = chain
    if first.startswith("__"):  # __all__ lists neighbours, it needs none of them
        return
    if first in source.imported:
        target, name = source.imported[first]
        target = f"{module}{target}" if target.startswith(".") else target
        yield target, (*filter(None, [name]), *rest)
    elif first in source.defined:
        statements = [*source.defined[first], *source.loose]
        if f"{module}.{first}" not in texts:
            texts[f"{module}.{first}"] = " ".join(map(_canonical, statements))
            yield from _references(module, statements)
    else:
        yield f"{module}.{first}", tuple(rest)


def _references(module: str, statements: list[ast.stmt]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every dotted name in some statements, imports in them resolved."""
    imported = _imports(node for statement in statements for node in ast.walk(statement))
    for first, *rest in (chain for statement in statements for chain in _chains(statement)):
        target, name = imported.get(first, (module, first))
        yield target, (*filter(None, [name]), *rest)


def _chains(node: ast.AST) -> Iterator[list[str]]:
    """Dotted names in a tree, each as long as it is: `a.b.c` is one and not also `a.b` and `a`."""
    names: list[str] = []
    inner = node
    while isinstance(inner, ast.Attribute):
        names.append(inner.attr)
        inner = inner.value
    if isinstance(inner, ast.Name):
        if isinstance(inner.ctx, ast.Load):  # a variable or field may be named as a function is
            yield [inner.id, *reversed(names)]
    else:
        for child in ast.iter_child_nodes(inner):
            if not _is_check(child):
                yield from _chains(child)


@cache
def _path(module: str, folder: Path) -> Path | None:
    place = folder.joinpath(*module.split("."))
    for path in (place / "__init__.py", place.with_suffix(".py")):
        if path.is_file():
            return path
    if module.partition(".")[0] == "mer_core":
        return None
    try:
        found = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return None
    return Path(found.origin) if found and found.origin and found.origin.endswith(".py") else None


@cache
def _source(path: Path) -> _Source:
    tree = ast.parse(path.read_text(encoding="utf-8"), path)
    body = [statement for statement in tree.body if not _is_silent(statement)]
    source = _Source(
        {}, _imports(node for part in body if _runs(part) for node in ast.walk(part)), []
    )
    for statement in body:
        names = _bound(statement)
        for name in names:
            source.defined.setdefault(name, []).append(statement)
        if not names and not isinstance(statement, (ast.Import, ast.ImportFrom)):
            source.loose.append(statement)
    return source


def _runs(statement: ast.stmt) -> bool:
    """Whether a statement's inside is run when its module is imported."""
    return not isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))


def _bound(statement: ast.stmt) -> set[str]:
    if not _runs(statement):
        return {statement.name}
    inside = list(ast.walk(statement))
    stored = {
        node.id for node in inside if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    return stored | {node.name for node in inside if not _runs(node)}


def _imports(nodes: Iterable[ast.AST]) -> dict[str, tuple[str, str]]:
    """What import statements bind: each name's module and its name there, "" for a module."""
    names: dict[str, tuple[str, str]] = {}
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            if node.level or node.names[0].name == "*":
                raise ValueError(
                    f"imports: expected absolute ones by name, found {ast.unparse(node)}"
                )
            names |= {alias.asname or alias.name: (node.module, alias.name) for alias in node.names}
        elif isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                names[alias.asname or top] = (alias.name if alias.asname else top, "")
        elif isinstance(node, ast.keyword) and node.arg == "submod_attrs":  # lazy_loader's imports
            for module, attributes in ast.literal_eval(node.value).items():
                names |= {name: (f".{module}", name) for name in attributes}
    return names


def _canonical(node: object) -> str:
    """A tree as text, without docstrings, positions and what differs between Python versions."""
    if isinstance(node, list):
        return "[" + " ".join(_canonical(part) for part in node if not _is_silent(part)) + "]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = ((name, value) for name, value in ast.iter_fields(node) if name not in ("ctx", "kind"))
    inside = (f"{name}={_canonical(value)}" for name, value in fields if value not in (None, []))
    return f"{type(node).__name__}({' '.join(inside)})"


def _is_silent(node: object) -> bool:
    return _is_words(node) or _is_check(node)


def _is_check(node: object) -> bool:
    """Whether a statement calls a function of `mer_core.checks`, which may raise but no more."""
    call = node.value if isinstance(node, ast.Expr) else None
    named = call.func if isinstance(call, ast.Call) else None
    place = named.value if isinstance(named, ast.Attribute) else None
    return isinstance(place, ast.Name) and place.id == "checks"


def _is_words(node: object) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )
