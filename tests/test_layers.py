"""The rooms keep to their layers: who may import what."""

from __future__ import annotations

import ast
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.project_files import ROOT, project_files, relative

# What only `make demo-model` installs.
TRAINING_PACKAGES = {"torch", "sentencepiece"}
UPWARDS = ("django", "channels", "rest_framework", "apps", "backend")
TALKERS = ("views.py", "consumers.py", "admin.py")


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported_modules(source: str, package: str) -> set[str]:
    """Return the full names of all modules a source text imports, inside functions as well."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *([base] if base else [])])
            found.add(base)
            found |= {f"{base}.{alias.name}" for alias in node.names}
    return found


def imports_of(path: Path) -> set[str]:
    name = module_name(path)
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    return imported_modules(path.read_text(), package)


def is_below(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def offenders(paths: list[Path], *forbidden: str) -> dict[str, list[str]]:
    """Return the files among these that import something forbidden, with what they import."""
    found = {
        relative(path): sorted(name for name in imports_of(path) if is_below(name, *forbidden))
        for path in paths
    }
    return {path: names for path, names in found.items() if names}


def run_python(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=50,
    )


def test_finds_every_way_to_import() -> None:
    source = "import a.b\nfrom c import d\ndef f():\n    from . import e\n    from ..g import h\n"
    names = imported_modules(source, "pack.inner")
    assert {"a.b", "c", "c.d", "pack.inner.e", "pack.g.h"} <= names


def test_ai_model_runs_without_django() -> None:
    """Every module of ai_model imports in a Python that has no Django and none of our apps."""
    modules = [
        name
        for path in project_files(".py", below="ai_model")
        if not (name := module_name(path)).endswith("__main__")
    ]
    assert len(modules) > 20
    result = run_python(
        f"""
        import importlib, sys

        class Refuse:
            def find_spec(self, name, path=None, target=None):
                if name.split(".")[0] in {UPWARDS!r}:
                    raise ImportError(f"ai_model reaches up to {{name}}")

        sys.meta_path.insert(0, Refuse())
        for name in {modules!r}:
            try:
                importlib.import_module(name)
            except ModuleNotFoundError as error:
                if not (name.startswith("ai_model.demo.") and error.name in {TRAINING_PACKAGES!r}):
                    raise
        """
    )
    assert result.returncode == 0, result.stderr


def test_the_django_block_blocks() -> None:
    """The test above would notice: Django is really there to be imported."""
    assert run_python("import django, channels").returncode == 0


def test_ai_model_never_looks_up() -> None:
    files = list(project_files(".py", below="ai_model"))
    assert offenders(files, *UPWARDS) == {}


def test_the_engine_knows_no_pool() -> None:
    files = list(project_files(".py", below="ai_model/engine"))
    assert offenders(files, "ai_model.pool", "asyncio", "socket") == {}


def test_only_the_engine_imports_llama_cpp() -> None:
    allowed = ("ai_model/engine/", "ai_model/demo/", "benchmarks/", "tests/")
    files = [path for path in project_files(".py") if not relative(path).startswith(allowed)]
    # The installer only names the module, to see whether it loads.
    assert offenders(files, "llama_cpp") == {}


def test_who_talks_to_users_does_not_reach_into_the_engine() -> None:
    files = [
        path
        for path in project_files(".py", below="apps")
        if path.name in TALKERS or "commands" in path.parts
    ]
    assert len(files) >= 4
    assert offenders(files, "ai_model.engine", "llama_cpp") == {}


@pytest.mark.e2e
def test_the_web_process_never_loads_llama_cpp() -> None:
    """Urls and sockets of the site come up without the compiled library being touched."""
    result = run_python(
        """
        import os, sys
        os.environ["DJANGO_SETTINGS_MODULE"] = "backend.settings"
        import django
        django.setup()
        import backend.urls, apps.ai_chat.routing, apps.ai_chat.services, apps.ai_pool.lifecycle
        sys.exit("llama_cpp is loaded" if "llama_cpp" in sys.modules else 0)
        """
    )
    assert result.returncode == 0, result.stderr
