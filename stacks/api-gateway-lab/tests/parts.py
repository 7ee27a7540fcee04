"""The lab's three functions under names of their own: each has its code in an ``app.py``."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

LAB = Path(__file__).resolve().parent.parent


def load(folder: str) -> ModuleType:
    """The module in one of the lab's folders."""
    spec = importlib.util.spec_from_file_location(f"lab_{folder}", LAB / folder / "app.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    # Before it is run: a data class looks its own module up.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
