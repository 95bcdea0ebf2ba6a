"""Pure core, thin adapter: who imports whom, and what importing costs."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import aicc_hooks

ROOT = Path(aicc_hooks.__file__).parent
FILES = sorted(p for p in ROOT.rglob("*.py") if "_shipped" not in p.parts)


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path, *, top_level: bool = False) -> Iterator[str]:
    """Absolute names of imported modules; `top_level`: only those that run when the module is imported."""
    todo: list[ast.AST] = [parsed(path)]
    while todo:
        node = todo.pop()
        if top_level and isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        if top_level and isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = ast.unparse(node.func)
            if called.endswith(("import_module", "__import__")) and isinstance(node.args[0].value, str):
                yield node.args[0].value
        todo.extend(ast.iter_child_nodes(node))


def importers(package: str, *, top_level: bool = False) -> set[str]:
    """Files (relative to the package) that import `package`."""
    return {
        path.relative_to(ROOT).as_posix()
        for path in FILES
        if any(name.partition(".")[0] == package for name in imports(path, top_level=top_level))
    }


def test_only_the_adapter_imports_litellm() -> None:
    found = importers("litellm")
    assert found, "the search finds nothing at all"
    assert {name for name in found if not name.startswith("adapter/")} == set()


def test_the_core_does_not_import_the_adapter() -> None:
    outside = {
        path.relative_to(ROOT).as_posix()
        for path in FILES
        if any(name.startswith("aicc_hooks.adapter") for name in imports(path, top_level=True))
    }
    assert {name for name in outside if not name.startswith("adapter/")} == set()


def test_redis_and_langfuse_stay_with_their_own_modules() -> None:
    redis = {
        n
        for n in importers("redis", top_level=True)
        if n not in ("redis_client.py", "redis_link.py") and not n.startswith("cache/")
    }
    assert redis == set()
    assert importers("langfuse", top_level=True) <= {"record/langfuse.py"}


def test_all_is_sorted_and_exactly_what_is_public() -> None:
    assert aicc_hooks.__all__ == sorted(aicc_hooks.__all__)
    loaded = {p.name.removesuffix(".py") for p in ROOT.iterdir()}  # submodules appear once imported
    visible = {n for n in dir(aicc_hooks) if not n.startswith("_")} - loaded
    assert visible == set(aicc_hooks.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(aicc_hooks, "no_such_hook")


_HEAVY = ("litellm", "fastapi", "langfuse", "redis", "aicc_hooks.adapter")


def _loads(code: str) -> list[str]:
    probe = f"import sys\n{code}\nprint(*[m for m in {_HEAVY!r} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, timeout=60, check=True)  # fmt: skip
    return out.stdout.splitlines()[-1].split()


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert _loads("import aicc_hooks") == []


def test_help_and_scan_load_nothing_heavy() -> None:
    run = "import aicc_hooks.cli as c\ntry: c.group(['--help'])\nexcept SystemExit: pass\nimport aicc_hooks.commands.scan"
    assert _loads(run) == []
