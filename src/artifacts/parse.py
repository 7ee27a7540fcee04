# Parses Python sources and says what is wrong with them and which names they define. Nothing of them is run.
import ast
import json
import sys
import warnings

try:
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (268435456, 268435456))
    resource.setrlimit(resource.RLIMIT_CPU, (2, 2))
except (ImportError, ValueError, OSError):
    pass
warnings.simplefilter("ignore")


def names(tree):
    """The names at the top of a module, and whether there may be others."""
    found, open_, waiting = set(), False, list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.Import):
            found.update(alias.asname or alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            open_ = open_ or any(alias.name == "*" for alias in node.names)
            found.update(alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Store):
                found.add(node.id)
        elif isinstance(node, ast.Lambda):
            pass
        else:
            waiting.extend(ast.iter_child_nodes(node))
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            found.update(node.names)
        elif isinstance(node, ast.Name) and node.id in ("globals", "exec", "vars", "setattr", "__getattr__"):
            open_ = True
    return sorted(found)[:1000], open_ or "__getattr__" in found


answers = []
with open(sys.argv[1], encoding="utf-8") as file:
    sources = json.load(file)
for source in sources:
    try:
        tree = ast.parse(source, "<source>")
        defined, open_ = names(tree)
        answer = {"names": defined, "open": open_}
    except SyntaxError as error:
        answer = {"error": error.msg or "invalid syntax", "line": error.lineno or 1, "column": error.offset or 1}
    except ValueError as error:
        answer = {"error": str(error), "line": 1, "column": 1}
    except (MemoryError, RecursionError):
        answer = {"unknown": True}
    answers.append(answer)
print(json.dumps({"version": "%d.%d" % sys.version_info[:2], "answers": answers}))
