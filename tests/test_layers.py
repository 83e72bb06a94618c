"""The architecture, held by reading the syntax tree of every module under ``fad/``.

Three rules, each a function on a source text, so that the tests below can also show that it bites:

1. *The ban.* JAX compiles kernels and does nothing else: none of its differentiation, batching or
   staging is named, no private name of it is used. A few names are allowed in one module each
   (``ALLOWED_IN``): its configuration in the one that starts its CPU backend.
2. *The layers.* A module imports from its own layer and from earlier ones, inside functions too.
3. *The length.* A module that a reader cannot take in at one sitting is two modules.

The checks see through aliases (``import jax as j``, ``j = jax``, ``from jax import grad as g``),
``getattr`` with a constant name and ``importlib.import_module``. They guard against slips, not
against somebody who means to hide a name.
"""

import ast
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted((ROOT / "fad").rglob("*.py"))

# Earlier layers first. A module may import from its own row and from the rows above it.
LAYERS = (
    ("core",),
    ("primitives",),
    ("forward",),
    ("reverse",),
    ("batching",),
    ("staging",),
    ("transforms",),
    ("numpy", "scipy", "random", "nn"),
    ("testing", "sparse", "profiler", "distributed"),
)
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
PACKAGE_ROOT = len(LAYERS)  # fad/__init__.py stands above all layers

# Names of JAX that appear nowhere, whatever module of it they are taken from.
BANNED = frozenset(
    """
    grad value_and_grad jvp vjp linearize linear_transpose fwd_and_bwd saved_input_vjp
    jacfwd jacrev jacobian hessian custom_jvp custom_vjp custom_gradient closure_convert
    checkpoint remat make_jaxpr vectorize custom_root custom_linear_solve
    """.split()
)
# Modules of JAX that appear nowhere, with all that they hold.
BANNED_MODULES = (
    "jax.ad",
    "jax.ad_checkpoint",
    "jax.api_util",
    "jax.core",
    "jax.custom_batching",
    "jax.custom_derivatives",
    "jax.custom_transpose",
    "jax.experimental.jet",
    "jax.extend",
    "jax.interpreters",
    "jax.test_util",
)
ALLOWED_IN = {
    "jax.config": "fad.core.kernels",
    "jax.tree": "fad.core.pytree",
    "jax.tree_util": "fad.core.pytree",
    "jax.vmap": "fad.core.kernels",
}
BANNED_STRINGS = frozenset({"jax_enable_x64", "JAX_ENABLE_X64"})
PUBLIC_DUNDERS = frozenset({"__version__", "__version_info__", "__name__"})

MAX_LINES = 400


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def absolute_base(node, module, is_package):
    """The absolute name of the module that an ``ast.ImportFrom`` imports from."""
    if not node.level:
        return node.module or ""
    package = module.split(".")
    package = package[: len(package) - node.level + is_package]
    return ".".join([*package, *([node.module] if node.module else [])])


def constant_argument(call, index):
    """The string at a position of a call, or None if there is none that can be read."""
    if len(call.args) > index and isinstance(call.args[index], ast.Constant):
        value = call.args[index].value
        return value if isinstance(value, str) else None
    return None


def is_import_call(node):
    """Whether a call is ``import_module(...)`` or ``__import__(...)``, however it is reached."""
    name = getattr(node.func, "id", None) or getattr(node.func, "attr", None)
    return name in ("import_module", "__import__")


# ----------------------------------------------------------------------------------- 1. the ban


class JaxNames:
    """Resolves expressions of one syntax tree to dotted names of JAX (``"jax.numpy.sin"``)."""

    def __init__(self, tree):
        # A module may hand on its own `jax`, so that name means JAX wherever it comes from.
        self.aliases = {"jax": "jax"}
        nodes = list(ast.walk(tree))
        for node in nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    if alias.asname and is_jax(alias.name):
                        self.aliases[alias.asname] = alias.name
            elif isinstance(node, ast.ImportFrom) and not node.level and is_jax(node.module or ""):
                for alias in node.names:
                    self.aliases[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        # `j = jax; lib = j.numpy`: repeat until an assignment adds nothing new.
        known = 0
        while known != len(self.aliases):
            known = len(self.aliases)
            for node in nodes:
                self._follow(node)

    def _follow(self, node):
        if isinstance(node, ast.Assign):
            targets, value = node.targets, node.value
        elif isinstance(node, ast.NamedExpr | ast.AnnAssign):
            targets, value = [node.target], node.value
        else:
            return
        for target in targets:
            pairs = [(target, value)]
            if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                pairs = list(zip(target.elts, value.elts, strict=False))
            for name, meaning in pairs:
                path = self.path(meaning) if isinstance(name, ast.Name) else None
                if path is not None:
                    self.aliases.setdefault(name.id, path)

    def path(self, node):
        """The dotted name of JAX that an expression stands for, or None."""
        if isinstance(node, ast.Name):
            return self.aliases.get(node.id)
        if isinstance(node, ast.Attribute):
            base = self.path(node.value)
            if base is not None:
                return f"{base}.{node.attr}"
            return "jax" if node.attr == "jax" else None  # kernels.jax.grad
        if isinstance(node, ast.NamedExpr):
            return self.path(node.value)
        if isinstance(node, ast.Call):
            if is_import_call(node):
                name = constant_argument(node, 0)
                return name if name and is_jax(name) else None
            if getattr(node.func, "id", None) == "getattr":
                base, name = self.path(node.args[0]), constant_argument(node, 1)
                return f"{base}.{name}" if base and name else None
        return None


def is_jax(name):
    return name == "jax" or name.startswith("jax.")


def why_banned(path, module):
    """Why a dotted name of JAX may not appear in a module, or None if it may."""
    parts = path.split(".")
    for count, part in enumerate(parts[1:], start=2):
        prefix = ".".join(parts[:count])
        home = ALLOWED_IN.get(prefix)
        if home is not None:
            return None if module == home else f"{prefix} belongs in {home} alone"
        if prefix in BANNED_MODULES or part in BANNED:
            return f"{prefix} is banned"
        if part == "*":
            return f"{prefix} hides which names are used"
        if part.startswith("_") and part not in PUBLIC_DUNDERS:
            return f"{prefix} is private to JAX"
    return None


def banned_names(source, module="fad.core.example"):
    """Every breach of the ban in a source text, as ``"line: reason"``."""
    tree = ast.parse(source)
    names = JaxNames(tree)
    found = {}

    def report(node, reason):
        if reason is not None:
            found.setdefault((node.lineno, reason), f"{node.lineno}: {reason}")

    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if is_jax(alias.name):
                    report(node, why_banned(alias.name, module))
        elif isinstance(node, ast.ImportFrom) and not node.level and is_jax(node.module or ""):
            for alias in node.names:
                report(node, why_banned(f"{node.module}.{alias.name}", module))
        elif isinstance(node, ast.Constant):
            if node.value in BANNED_STRINGS:
                report(node, f"{node.value} is the user's setting")
        elif isinstance(node, ast.Name | ast.Attribute | ast.Call):
            path = names.path(node)
            if path is not None:
                report(node, why_banned(path, module))
            if getattr(node, "attr", None) in BANNED_STRINGS:
                report(node, f"{node.attr} is the user's setting")
            if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "getattr":
                hidden = constant_argument(node, 1) is None
                if hidden and names.path(node.args[0]) == "jax":
                    report(node, "getattr(jax, ...) with a computed name cannot be checked")
    return [found[key] for key in sorted(found)]


# -------------------------------------------------------------------------------- 2. the layers


def runtime_nodes(tree):
    """All nodes of a tree except those that only a type checker sees."""
    pending = [tree]
    while pending:
        node = pending.pop()
        yield node
        if isinstance(node, ast.If):
            test = node.test
            name = getattr(test, "id", None) or getattr(test, "attr", None)
            if name == "TYPE_CHECKING":
                pending.extend(node.orelse)
                continue
        pending.extend(ast.iter_child_nodes(node))


def layer_of(module):
    """The name of a layer's folder or module, or None for the root of the package."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else None


def imported_modules(source, module, is_package):
    """``(line, absolute name)`` of every import of fad's own modules."""
    for node in runtime_nodes(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = absolute_base(node, module, is_package)
            # `from fad import core` names a layer, `from fad import grad` the root.
            whole = base == "fad"
            names = [f"fad.{a.name}" if whole and a.name in RANK else base for a in node.names]
        elif isinstance(node, ast.Call) and is_import_call(node):
            names = [constant_argument(node, 0) or ""]
        else:
            continue
        yield from ((node.lineno, n) for n in names if n == "fad" or n.startswith("fad."))


def layer_breaches(source, module, is_package=False):
    """Every import that goes up the list of layers, as ``"line: reason"``."""
    own = layer_of(module)
    if own is not None and own not in RANK and own != "__main__":
        return [f"1: fad/{own} stands in no layer: give it a place in LAYERS"]
    rank = RANK.get(own, PACKAGE_ROOT)
    found = set()
    for line, name in imported_modules(source, module, is_package):
        other = layer_of(name)
        if RANK.get(other, PACKAGE_ROOT) > rank:
            found.add((line, f"{line}: {module} (layer {own}) imports {name}, which is above it"))
    return [text for _, text in sorted(found)]


# -------------------------------------------------------------------------------- 3. the length


def too_long(source):
    lines = len(source.splitlines())
    return [f"{lines} lines; at most {MAX_LINES} are allowed"] if lines > MAX_LINES else []


# -------------------------------------------------------------------------- the rules, on fad/

each_source = pytest.mark.parametrize("path", SOURCES, ids=[module_name(p) for p in SOURCES])


def test_there_are_sources():
    assert SOURCES


@each_source
def test_jax_is_the_kernel_compiler_and_nothing_else(path):
    assert banned_names(path.read_text("utf-8"), module_name(path)) == []


@each_source
def test_a_layer_imports_only_from_earlier_ones(path):
    is_package = path.name == "__init__.py"
    assert layer_breaches(path.read_text("utf-8"), module_name(path), is_package) == []


@each_source
def test_modules_are_short(path):
    assert too_long(path.read_text("utf-8")) == []


# ------------------------------------------------------------------------ ... and that they bite


@pytest.mark.parametrize(
    "source",
    [
        "import jax\njax.grad(f)",
        "import jax as j\nj.vjp(f, 1.0)",
        "from jax import jacfwd",
        "from jax import jit, hessian as h",
        "from jax import *",
        "import jax.interpreters.ad",
        "from jax.interpreters import partial_eval",
        "from jax import interpreters",
        "import jax.extend as jex",
        "from jax._src import core",
        "import jax\njax._src.core.Primitive",
        "import jax\njax.core.Tracer",
        "from jax import core",
        "from jax.experimental import jet",
        "import jax.numpy as jnp\njnp.vectorize(f)",
        "from jax import numpy as jnp\njnp._private",
        "def f():\n    import jax\n    return jax.make_jaxpr(f)",
        "import jax\nj = jax\nk = j\nk.linearize(f)",
        "import jax\na, b = 1, jax\nb.jvp(f)",
        "import jax\n(j := jax).checkpoint(f)",
        "import jax\ng = getattr(jax, 'linear_transpose')",
        "import jax\ng = getattr(jax, 'gr' + 'ad')",
        "import jax\ng = jax.__dict__['grad']",
        "import importlib\nimportlib.import_module('jax.interpreters.ad')",
        "import importlib\nimportlib.import_module('jax').grad",
        "__import__('jax').jacrev",
        "from fad.core.kernels import jax\njax.custom_vjp(f)",
        "from fad.core import kernels\nkernels.jax.custom_jvp(f)",
        "@jax.custom_jvp\ndef f(x): return x",
        "import jax\njax.tree_util.tree_map(f, x)",
        "from jax import tree_util",
        "from jax.tree_util import tree_flatten",
        "import jax\njax.tree.map(f, x)",
        "import jax\njax.vmap(f)",
        "from jax import vmap",
        "import jax\njax.config.update('x', True)",
        "from jax import config",
        "import os\nos.environ['JAX_ENABLE_X64'] = '1'",
        "setting = 'jax_enable_x64'",
        "config.jax_enable_x64 = True",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from jax.core import Tracer",
    ],
)
def test_the_ban_bites(source):
    assert len(banned_names(source)) == 1


@pytest.mark.parametrize(
    "source",
    [
        "import jax\njax.jit(f)",
        "import jax\nwith jax.enable_x64(True):\n    pass",
        "from jax import lax\nlax.dot_general(x, y, dims)",
        "from jax import lax\nkernels = [getattr(lax, name) for name in names]",
        "import jax.numpy as jnp\nimport jax.scipy.special\njnp.gradient(x)",
        "import jax\nprint(jax.__version__)",
        "import fad\nfad.grad(f)",
        "from fad.transforms import grad, vjp, hessian",
        "from fad.core import kernels\nkernels.grad",
        "def vmap(f): return f\nvmap(1)",
        '"""Unlike jax.grad, and whatever jax_enable_x64 says."""',
    ],
)
def test_the_ban_leaves_the_rest_alone(source):
    assert banned_names(source) == []


@pytest.mark.parametrize(
    ("source", "home"),
    [
        ("import jax\njax.vmap(f)", "fad.core.kernels"),
        ("from jax import vmap", "fad.core.kernels"),
        ("import jax\njax.tree_util.tree_flatten(x)", "fad.core.pytree"),
        ("from jax.tree_util import tree_flatten", "fad.core.pytree"),
    ],
)
def test_two_names_of_jax_have_one_home_each(source, home):
    assert banned_names(source, home) == []
    assert len(banned_names(source, "fad.core.stream")) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("fad.core.tensor", "import fad.primitives"),
        ("fad.core.tensor", "from fad.primitives import unary"),
        ("fad.core.tensor", "from ..primitives.unary import sin"),
        ("fad.core.tensor", "from .. import transforms"),
        ("fad.core.tensor", "import fad"),
        ("fad.core.tensor", "from fad import grad"),
        ("fad.forward.dual", "def f():\n    from fad.reverse import tape"),
        ("fad.reverse.engine", "import importlib\nimportlib.import_module('fad.staging')"),
        ("fad.batching.level", "import numpy, fad.transforms.grad as g"),
        ("fad.transforms.hessian", "from fad.sparse import colouring"),
        ("fad.random", "from .testing import gradcheck"),
        ("fad.core.tensor", "if not TYPE_CHECKING:\n    import fad.numpy"),
        (
            "fad.core.tensor",
            "if TYPE_CHECKING:\n    import fad.nn\nelse:\n    import fad.numpy",
        ),
        ("fad.somewhere.else_", "import math"),
    ],
)
def test_an_import_from_a_later_layer_is_found(module, source):
    assert len(layer_breaches(source, module)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("fad.core.tensor", "from . import aval\nfrom .aval import Aval\nimport fad.core.errors"),
        ("fad.core.tensor", "import numpy\nfrom numpy import linalg\nimport jax.numpy"),
        ("fad.reverse.engine", "from ..forward import dual\nfrom fad import core"),
        ("fad.nn", "from fad.numpy import exp\nfrom fad import random, transforms"),
        ("fad.testing.check", "import fad.sparse, fad.transforms"),
        (
            "fad.core.tensor",
            "import typing\nif typing.TYPE_CHECKING:\n    from fad.reverse import Node",
        ),
        ("fad", "from fad.testing import gradcheck\nfrom .core import Tensor"),
    ],
)
def test_an_import_from_an_earlier_layer_is_allowed(module, source):
    assert layer_breaches(source, module, is_package=module == "fad") == []


def test_relative_imports_of_a_package_start_at_the_package():
    source = "from .aval import Aval\nfrom ..reverse import Node"
    breaches = layer_breaches(source, "fad.core", is_package=True)
    assert breaches == ["2: fad.core (layer core) imports fad.reverse, which is above it"]


def test_a_long_module_is_found():
    assert too_long("x = 1\n" * MAX_LINES) == []
    assert too_long("x = 1\n" * (MAX_LINES + 1)) == ["401 lines; at most 400 are allowed"]


def test_reports_say_line_and_reason():
    source = textwrap.dedent("""
        import jax

        def pullback(f, x):
            return jax.vjp(f, x)
    """)
    assert banned_names(source) == ["5: jax.vjp is banned"]
