"""Runs a student's NumPy solution of CS 189 homework 6 as a subject of the harness (protocol 1).

    python3 numpy_adapter.py DIR

finds the course's package under DIR, reads requests from standard input and answers them on standard output:
one line of JSON, then the raw elements of its arrays. It needs the standard library and NumPy, and writes no file.
"""

import os
import sys

# First of all, so that no copy.py or types.py in the current folder or beside this file is imported below.
if sys.path and sys.path[0] in ("", os.path.dirname(os.path.abspath(sys.argv[0]))):
    del sys.path[0]
sys.dont_write_bytecode = True
# One thread: the order of summation is always the same, and small arrays are faster.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import ast
import collections
import copy
import faulthandler
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import inspect
import json
import linecache
import platform
import re
import signal
import types

try:
    import numpy as np
    NUMPY = "NumPy " + np.__version__
except ImportError as error:
    np, NUMPY = None, str(error)

PYTHON = f"Python {platform.python_version()} ({sys.executable})"
MODULES = ("activations", "losses", "layers", "models")
OWN = MODULES + ("weights", "optimizers", "utils")
IMPORT_SECONDS = 8  # for a module; the harness waits for 20 until a program can say what it has
# The course's classes, and the strings by which its factories know them.
ACTIVATIONS = {"Linear": "linear", "Sigmoid": "sigmoid", "TanH": "tanh", "ReLU": "relu", "SoftMax": "softmax",
               "ArcTan": "arctan", "GELU": "gelu"}
LOSSES = {"CrossEntropy": "cross_entropy", "L2": "l2"}
LAYERS = {"FullyConnected": "fully_connected", "Flatten": "flatten", "Conv2D": "conv2d", "Pool2D": "pool2d"}
FALL_NAMES = {"Linear": "Identity", "linear": "identity"}  # of one semester

# Plots, progress bars, tables and logs change no gradient. They are replaced even where they are installed: they
# take seconds to import, and some want a display. turtle, tkinter and sunau come from an editor's completion.
ALWAYS_REPLACED = set("""
    matplotlib mpl_toolkits pylab seaborn plotly bokeh altair turtle tkinter sunau tqdm progressbar alive_progress
    rich pandas wandb tensorboard tensorboardX IPython ipywidgets ipdb loguru termcolor colorama""".split())
# These could take part in a computation: the real one is used if there is one. The substitute can be imported, and
# says what is missing when it is called. Those from aifc on were once in the standard library.
REPLACED_IF_MISSING = set("""
    scipy sklearn skimage cv2 PIL imageio torch torchvision tensorflow keras numba jax cupy h5py sympy networkx yaml
    requests aifc audioop chunk distutils imp lib2to3 parser pipes sndhdr symbol xdrlib""".split())


class Failure(Exception):
    """An error whose text is for the student as it stands."""


class Unsupported(Exception):
    """The implementation does not claim to have what was asked for."""


# ---- The channel ----

def take_channel():
    """Standard input and output for the protocol alone. Descriptors 0 and 1 become /dev/null and standard error,
    so that neither print() nor C code reaches the harness."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    sys.stdout = sys.__stdout__ = sys.stderr
    return requests, replies


def read_request(requests):
    """The next request and its arrays by name, or (None, None) at the end of input."""
    line = requests.readline()
    if not line:
        return None, None
    request, arrays = json.loads(line), {}
    for item in request.get("arrays", ()):
        count = 1
        for length in item["shape"]:
            count *= length
        data = requests.read(count * int(item["dtype"][1]))
        array = np.frombuffer(data, "<" + item["dtype"]) if count else np.zeros(0, "<" + item["dtype"])
        arrays[item["name"]] = array.reshape(item["shape"])
    return request, arrays


def write_reply(replies, reply, arrays):
    parts = []
    if arrays is not None:
        reply["arrays"] = [{"name": name, "dtype": array.dtype.str[1:], "shape": array.shape}
                           for name, array in arrays.items()]
        parts = [array.tobytes() for array in arrays.values()]
    replies.write(json.dumps(reply).encode() + b"\n" + b"".join(parts))
    replies.flush()


INTEGERS = []  # what has an integer dtype in the reply that is being made, as remarks


def as_result(value, what):
    """`value` as a little-endian f8 or f4 array. Its shape is left to the harness to judge."""
    if value is None or value is Ellipsis:
        raise Failure(f"{what} is {value}: nothing was returned or stored")
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise Failure(f"{what} is not an array of real numbers: {type(value).__name__}, dtype {array.dtype}")
    if array.dtype.kind in "iu" and array.ndim:
        INTEGERS.append(f"{what} is an array of {array.dtype}, which cuts off fractions (np.vectorize takes the dtype "
                        "of its first result, and np.array([0]) that of 0)")
    return np.array(array, "<f4" if array.dtype == np.float32 else "<f8", order="C")


# ---- Substitutes for modules that are not needed ----

class Substitute(types.ModuleType):
    """Stands for a module, for its attributes, and for theirs."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Substitute(f"{self.__name__}.{name}")

    def __call__(self, *args, **kwargs):
        root = self.__name__.split(".")[0]
        if root not in ALWAYS_REPLACED:
            raise ImportError(f"{self.__name__} is used, but {root} is not installed in {PYTHON}")
        if self.__name__.endswith("trange"):
            return range(*args)
        return args[0] if args else self  # what a progress bar or a decorator returns

    def __iter__(self):
        return iter(())

    def __getitem__(self, key):
        return self

    def __setitem__(self, key, value):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        return False

    def __mro_entries__(self, bases):
        return ()  # as a base class it adds nothing

    def __or__(self, other):
        return self  # in an annotation

    __ror__ = __or__


class SubstituteFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Answers for the modules listed above and all that is below them."""

    def __init__(self):
        self.used = set()

    def find_spec(self, name, path=None, target=None):
        root = name.split(".")[0]
        if root not in ALWAYS_REPLACED | self.used:
            if root not in REPLACED_IF_MISSING or importlib.machinery.PathFinder.find_spec(root):
                return None
        self.used.add(root)
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        return Substitute(spec.name)

    def exec_module(self, module):
        pass


# ---- The package ----

def text_of(*path):
    try:
        with open(os.path.join(*path), encoding="utf-8-sig", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def is_course_folder(folder):
    """Whether the folder holds the course's modules, as a package or flat."""
    return bool(re.search(r"^class FullyConnected\b", text_of(folder, "layers.py"), re.MULTILINE)
                or re.search(r"^class ReLU\b", text_of(folder, "activations.py"), re.MULTILINE))


def find_package(top):
    if not os.path.isdir(top):
        what = "is a file" if os.path.exists(top) else "does not exist"
        raise Failure(f"{top} {what}: name the folder that holds your neural_networks package")
    if is_course_folder(top):
        return top
    found = []
    for count, (folder, below, files) in enumerate(os.walk(top)):
        deep = os.path.relpath(folder, top).count(os.sep) >= 4
        virtual_environment = "pyvenv.cfg" in files
        ours = folder != top and "numpy_adapter.py" in files  # with an implementation that tests the harness
        below[:] = [] if deep or virtual_environment or ours or count > 5000 else sorted(
            name for name in below
            if not name.startswith((".", "__")) and name not in ("site-packages", "node_modules", "build", "dist"))
        if is_course_folder(folder):
            found.append(folder)
    if not found:
        raise Failure(f"no package was found under {top}: no folder there has a layers.py with FullyConnected or an "
                      "activations.py with ReLU; expected the folder that holds your neural_networks package")
    if len(found) > 1:
        raise Failure(f"{len(found)} packages were found under {top}: {', '.join(found)}. Name one of them")
    return found[0]


def name_of_package(package):
    """The name under which the modules import each other, None if they do so without a package."""
    modules = "|".join(OWN)
    text = "\n".join(text_of(package, name) for name in sorted(os.listdir(package)) if name.endswith(".py"))
    prefixes = re.findall(rf"^\s*(?:from|import)\s+(\w+)\.(?:{modules})\b", text, re.MULTILINE)
    if prefixes:
        return collections.Counter(prefixes).most_common(1)[0][0]
    return None if re.search(rf"^\s*(?:from|import)\s+(?:{modules})\b", text, re.MULTILINE) else "neural_networks"


class BrokenModules(dict, importlib.abc.MetaPathFinder):
    """Why modules cannot be imported. What imports one fails at once and for the same reason."""

    def __init__(self, prefix):
        super().__init__()
        self.prefix = prefix

    def find_spec(self, name, path=None, target=None):
        if name.startswith(self.prefix) and name[len(self.prefix):] in self:
            raise Failure(self[name[len(self.prefix):]])


def in_time(action, top, what):
    """Why an import failed, None if it did not. What a module does then can take for ever."""
    try:
        if hasattr(signal, "setitimer"):
            # Raises KeyboardInterrupt, which `except Exception` does not catch.
            signal.signal(signal.SIGALRM, signal.default_int_handler)
            signal.setitimer(signal.ITIMER_REAL, IMPORT_SECONDS)
        action()
    except KeyboardInterrupt as error:
        places = ["{}:{}: {}".format(*place) for place in places_of(error, top)[:1]]
        return f"the import of {what} did not end within {IMPORT_SECONDS} s" + "".join(f" ({at})" for at in places)
    except BaseException as error:
        return explain_import(error, top)
    finally:
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)


def import_package(top, package):
    """The course's modules by name, why others cannot be imported, and remarks."""
    name = name_of_package(package)
    # Last, so that a utils.py or datasets.py of the student's hides nothing; first if the modules lie flat.
    sys.path[len(sys.path) if name else 0:0] = [package]
    sys.path += [os.path.dirname(package), top]
    found, broken, remarks = {}, BrokenModules(name + "." if name else ""), []
    sys.meta_path.insert(0, broken)
    if name:
        # By its place, since a copy or an archive may have another name than its modules use.
        init = os.path.join(package, "__init__.py")
        parent = sys.modules[name] = types.ModuleType(name)
        parent.__path__, parent.__file__, parent.__package__ = [package], init, name
        failure = in_time(lambda: exec(compile(text_of(init), init, "exec"), vars(parent)), top, "__init__.py")
        if failure:
            remarks.append("__init__.py is left out: " + failure)
    for module in MODULES:
        if not os.path.exists(os.path.join(package, module + ".py")):
            remarks.append(f"{package} has no {module}.py")
            continue
        failure = in_time(lambda: importlib.import_module(broken.prefix + module), top, module + ".py")
        if failure:
            broken[module] = failure
            remarks.append(f"{module}.py cannot be imported: {failure}")
        else:
            found[module] = sys.modules[broken.prefix + module]
    return found, broken, remarks


# ---- Errors ----

def places_of(error, top):
    """(file, line, source line) of the frames in the student's own files, the innermost first."""
    places, trace = [], error.__traceback__
    while trace is not None:
        file = os.path.realpath(trace.tb_frame.f_code.co_filename)
        if file.startswith(top + os.sep) and "site-packages" not in file:
            places.insert(0, (os.path.relpath(file, top), trace.tb_lineno,
                              linecache.getline(file, trace.tb_lineno).strip()))
        trace = trace.tb_next
    return places


def explain(error, top):
    """Type, message and place of an exception, and what called that place: often the argument is wrong."""
    # NumPy's own MemoryError is called _ArrayMemoryError.
    kind = next(cls.__name__ for cls in type(error).__mro__ if not cls.__name__.startswith("_"))
    message = " ".join(str(error).split())
    message = message if len(message) < 400 else message[:400] + " …"
    places = ["{}:{}: {}".format(*place) for place in places_of(error, top)[:2]]
    if len(places) == 2 and places[0] == places[1]:
        del places[1]  # a recursion
    text = kind + (": " if message else "") + message + (f" ({', called from '.join(places)})" if places else "")
    # Which names and conversions there are depends on the version of NumPy.
    return text + (f"; this is {NUMPY}" if re.search("numpy|length-1|0-dimensional|sequence", message) else "")


def explain_import(error, top):
    if isinstance(error, Failure):
        return str(error)
    if isinstance(error, SyntaxError) and error.filename:
        file = os.path.relpath(os.path.realpath(error.filename), top)
        return f"{file} line {error.lineno} is not valid Python: {error.msg}: {(error.text or '').strip()}"
    places = places_of(error, top)
    if isinstance(error, ModuleNotFoundError) and error.name and places:
        file, line, source = places[0]
        if set(error.name.split(".")) & set(OWN):
            return f"{file} line {line} imports '{error.name}', which your package does not have ({source})"
        return (f"{file} line {line} imports '{error.name}', which {PYTHON} does not have ({source}). "
                "Install it for this Python, or remove the import if it is not used")
    return "an import failed: " + explain(error, top)


# ---- Reading the source ----

def tree_of(function, files={}):
    """The syntax tree of a method, None if there is no source."""
    code = getattr(inspect.unwrap(function), "__code__", None) if callable(function) else None
    if code is None:
        return None
    if code.co_filename not in files:
        files[code.co_filename] = [node for node in ast.walk(ast.parse(text_of(code.co_filename)))
                                   if isinstance(node, ast.FunctionDef)]
    for node in files[code.co_filename]:
        first = min([node.lineno] + [decorator.lineno for decorator in node.decorator_list])
        if (node.name, first) == (code.co_name, code.co_firstlineno):
            return node
    return None


def called(node):
    """The last name of a called function."""
    return getattr(node.func, "attr", getattr(node.func, "id", "")) if isinstance(node, ast.Call) else ""


def index_of(node):
    """The index of a subscript, which Python 3.8 wraps once more."""
    return node.slice.value if type(node.slice).__name__ == "Index" else node.slice


def is_blank(value):
    """Whether an expression is the starter's `...`, None or nothing."""
    if isinstance(value, ast.Tuple):
        return all(is_blank(element) for element in value.elts)
    return value is None or isinstance(value, ast.Constant) and value.value in (None, Ellipsis)


def is_starter(statement):
    """Whether a statement computes nothing, as those of the starter's bodies."""
    if isinstance(statement, (ast.Assign, ast.AnnAssign)):
        return not any(isinstance(node, (ast.Call, ast.BinOp)) for node in ast.walk(statement))
    if isinstance(statement, ast.If):
        return all(is_starter(inner) for inner in statement.body + statement.orelse)
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant) or called(statement.value) in ("_init_parameters", "print")
    if isinstance(statement, ast.Raise):
        return statement.exc is not None and "NotImplementedError" in ast.dump(statement.exc)
    return isinstance(statement, (ast.Pass, ast.Return))


def is_placeholder(function):
    """Whether a method is the starter's: it computes nothing, and returns `...`, None or a name without a value."""
    node = tree_of(function)
    if node is None:
        return False
    assignments = [item for item in ast.walk(node) if isinstance(item, (ast.Assign, ast.AnnAssign))]
    if node.name == "_init_parameters":
        # The student fills in W = self.init_weights(...) and b = ...; cache and gradients may stay `...`.
        return any(isinstance(part, ast.Constant) and part.value is Ellipsis
                   for item in assignments if isinstance(item, ast.Assign)
                   and getattr(item.targets[0], "attr", "") not in ("cache", "gradients")
                   for part in ast.walk(item.value))
    if not all(is_starter(statement) for statement in node.body):
        return False
    bound = {argument.arg for argument in node.args.args} | set(getattr(function, "__globals__", ()))
    bound |= {name.id for item in assignments if not is_blank(item.value) for name in ast.walk(item)
              if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)}
    returned = [item.value for item in ast.walk(node) if isinstance(item, ast.Return)]
    return all(is_blank(value) or isinstance(value, ast.Name) and value.id not in bound for value in returned)


def loops_over_examples(node):
    """Lines of a method with a loop over the first axis of its arguments, or of X and Z from the cache."""
    batches = {argument.arg for argument in node.args.args[1:]}
    counts = set()
    same_examples = {"pad", "pad2d", "copy", "array", "zeros_like", "empty_like", "exp", "forward", "backward",
                     "enumerate", "zip", "reversed"}

    def is_batch(value):
        if isinstance(value, ast.Name):
            return value.id in batches
        if called(value) in same_examples:
            return any(is_batch(argument) for argument in value.args)
        if isinstance(value, ast.Subscript):
            holder, key = value.value, index_of(value)
        elif called(value) == "get" and isinstance(value.func, ast.Attribute):
            holder, key = value.func.value, value.args[0]
        else:
            return False
        return getattr(holder, "attr", "") == "cache" and str(getattr(key, "value", "")).startswith(("X", "Z"))

    def is_count(value):
        if isinstance(value, ast.Name):
            return value.id in counts
        if isinstance(value, ast.Subscript) and getattr(value.value, "attr", "") == "shape":
            return getattr(index_of(value), "value", None) == 0 and is_batch(value.value.value)
        return called(value) == "len" and is_batch(value.args[0])

    for item in sorted((n for n in ast.walk(node) if isinstance(n, ast.Assign)), key=lambda n: n.lineno):
        target, value = item.targets[0], item.value
        pairs = [(target, value)]
        if isinstance(target, ast.Tuple):
            pairs = list(zip(target.elts, value.elts)) if isinstance(value, ast.Tuple) else []
            if getattr(value, "attr", "") == "shape" and is_batch(value.value):
                counts.add(getattr(target.elts[0], "id", ""))
        for left, right in pairs:
            if isinstance(left, ast.Name) and (is_count(right) or is_batch(right)):
                (counts if is_count(right) else batches).add(left.id)
    lines = []
    for loop in ast.walk(node):
        if isinstance(loop, (ast.For, ast.comprehension)):
            by_count = called(loop.iter) == "range" and any(is_count(part) for part in ast.walk(loop.iter))
            if by_count or is_batch(loop.iter):
                lines.append(loop.iter.lineno)
    return sorted(lines)


# ---- The subject ----

class Built:
    """A layer or a network, with its layers by prefix: "" for a layer, "0.", "1.", … for those of a network."""

    def __init__(self, subject, layers, names=()):
        self.subject, self.layers, self.names = subject, layers, list(names)
        self.initial = {prefix + key: gradient for prefix, layer in layers.items()
                        for key, gradient in (getattr(layer, "gradients", None) or {}).items()}

    def parameters(self):
        """Layer and key of each parameter by name. Other keys than W and b happen; they are none."""
        return {prefix + key: (layer, key) for prefix, layer in self.layers.items()
                for key in ("W", "b") if key in (getattr(layer, "parameters", None) or {})}

    def set(self, values):
        there = self.parameters()
        for name, value in values.items():
            if name not in there:
                raise Failure(f"there is no parameter {name}; the names are {quoted(there)}")
            layer, key = there[name]
            layer.parameters[key] = value.copy()

    def call(self, method, arrays):
        """The result of a method on copies of the arrays, and a reply that names what it has changed."""
        given = [array.copy() for array in arrays.values()]
        parameters = self.parameters()
        before = {name: np.array(layer.parameters[key]) for name, (layer, key) in parameters.items()}
        result = method(*given)
        changed = [name for name, array in zip(arrays, given) if not same_bits(arrays[name], array)]
        changed += [name for name, (layer, key) in parameters.items()
                    if not same_bits(before[name], np.asarray(layer.parameters.get(key)))]
        return result, {"changed": changed} if changed else {}


class Subject:
    def __init__(self, top):
        self.top = os.path.realpath(top)
        self.package = package = find_package(self.top)
        self.name = f"{os.path.basename(package)} in {os.path.dirname(package)}"
        self.finder = SubstituteFinder()
        sys.meta_path.insert(0, self.finder)
        self.modules, self.broken, self.remarks = import_package(self.top, package)
        self.failures = {}  # of the classes in modules that cannot be imported
        self.forward_only = []
        self.of_2020 = False  # when the course had recurrent layers and no pooling
        self.classes = {}  # all that are implemented, by the course's names
        self.activations, self.losses, self.layers = [
            self.implemented(module, names)
            for module, names in (("activations", ACTIVATIONS), ("losses", LOSSES), ("layers", LAYERS))]
        if self.of_2020 and "L2" in self.losses:
            self.losses.remove("L2")
            del self.classes["L2"]
        self.activation_names = self.known_activations()
        self.network = bool(self.implemented("models", ["NeuralNetwork"]))
        self.instances = {}  # one of each activation and loss, as a layer or a network keeps one
        self.built = {}

    # -- What there is --

    def implemented(self, module, names):
        """Those of the classes of a module whose forward is not the starter's, with remarks on the others.
        Those of a module that cannot be imported are claimed, so that each of their checks says why it fails."""
        if module in self.broken:
            text = text_of(self.package, module + ".py")
            named = [name for name in names if re.search(rf"^class {name}\b", text, re.MULTILINE | re.IGNORECASE)]
            self.failures.update(dict.fromkeys(named, self.broken[module]))
            return named
        there = {name.lower(): cls for name, cls in vars(self.modules.get(module, types)).items() if isinstance(cls, type)}
        found = []
        for name in names:
            cls = there.get(name.lower()) or there.get(FALL_NAMES.get(name, name).lower())
            if cls is None:
                continue
            methods = ["forward", "backward"] + [name for name in ("predict", "_init_parameters") if hasattr(cls, name)]
            blank = [method for method in methods
                     if not callable(getattr(cls, method, None)) or is_placeholder(getattr(cls, method))]
            if blank:
                self.remarks.append(f"{name} is not implemented yet: {', '.join(blank)}")
            if "forward" in blank or "_init_parameters" in blank:
                continue
            if "backward" in blank:
                self.forward_only.append(name)
            self.classes[name] = cls
            found.append(name)
            if name not in ("SoftMax", "NeuralNetwork"):  # question 4.3 allows the loop to softmax
                self.remark_loops(name, cls)
        if "batchnorm1d" in there:
            self.remarks.append("BatchNorm1D is there and is not checked")
        if "elman" in there:
            self.of_2020 = True
            self.remarks.append("this is the course's code of 2020: Elman and L2 (there without the half) are not "
                                "checked, nor is pad='same' of Conv2D with a stride or an even kernel")
        return found

    def remark_loops(self, name, cls):
        for method in vars(cls).values():
            node = tree_of(method)
            if node and not node.name.startswith(("__init", "_init")):
                for line in loops_over_examples(node):
                    file = method.__code__.co_filename
                    self.remarks.append(
                        f"{name}.{node.name} loops over the examples, which the assignment forbids "
                        f"({os.path.relpath(os.path.realpath(file), self.top)}:{line}: {linecache.getline(file, line).strip()})")

    def known_activations(self):
        """The string that the layers take, for each of the course's names of an implemented activation."""
        layers, activations = self.modules.get("layers"), self.modules.get("activations")
        factory = getattr(layers, "initialize_activation", getattr(activations, "initialize_activation", None))
        known = {}
        for name in (ACTIVATIONS[cls] for cls in self.activations if cls not in self.forward_only):
            for spelling in (FALL_NAMES.get(name, name), name):
                try:
                    if factory is None or factory(spelling) is not None:
                        known[name] = spelling
                except Exception:
                    pass  # not known by this name
        return known

    def describe(self, request, arrays):
        missing = sorted(self.finder.used - ALWAYS_REPLACED)
        remarks = [f"imported but not installed: {', '.join(missing)}"] if missing else []
        return {"protocol": 1, "name": self.name, "activations": self.activations, "losses": self.losses,
                "layers": self.layers, "network": self.network, "dtypes": ["f8", "f4"], "forward_only": self.forward_only,
                "remarks": [f"{PYTHON}, {NUMPY}"] + self.remarks + remarks}, None

    def require(self, name, method="forward"):
        if name in self.failures:
            raise Failure(self.failures[name])
        if name not in self.classes or method == "backward" and name in self.forward_only:
            raise Unsupported(f"{name}{'.backward' if method == 'backward' else ''} is not implemented")

    # -- Activations and losses --

    def stateless(self, request, arrays):
        name, method = request["class"], request["op"].split(".")[1]
        self.require(name, method)
        if name not in self.instances:
            self.instances[name] = construct(self.classes[name], name, {"name": LOSSES.get(name)})
        inputs, output = {"activation.forward": ("Z", "Y"), "activation.backward": ("Z dY", "dZ"),
                          "loss.forward": ("Y Y_hat", "L"), "loss.backward": ("Y Y_hat", "dY_hat")}[request["op"]]
        given = {key: arrays[key] for key in inputs.split()}
        result, reply = Built(None, {}).call(getattr(self.instances[name], method), given)
        return reply, {output: as_result(result, f"the result of {method}")}

    # -- Layers and networks --

    def arguments(self, name, config):
        """What the constructor of one of the course's layers takes for a configuration."""
        self.require(name)
        offered = {"weight_init": "xavier_uniform", "keep_dim": "first"}
        for key, value in config.items():
            if key == "bias" and value:
                continue
            if key == "activation":
                if value not in self.activation_names:
                    raise Unsupported(f"the activation {value} is not implemented")
                # Theirs runs over the second axis as often as over the last, or takes matrices only.
                if name == "Conv2D" and value == "softmax":
                    raise Unsupported("the course defines softmax for the rows of a matrix, not for a convolution")
                value = self.activation_names[value]
            elif key == "kernel_shape":
                value = tuple(value)
            elif key in ("pad", "stride") and isinstance(value, list):
                if value[0] != value[1]:
                    raise Unsupported(f"{name} takes one number as its {key}, not {value}")
                value = value[0]
            takes = inspect.signature(self.classes[name]).parameters
            if key not in takes and "kwargs" not in takes:
                raise Unsupported(f"{name} has no argument {key}")
            offered[key] = value
        if name == "Conv2D" and self.of_2020:
            even = any(length % 2 == 0 for length in offered["kernel_shape"])
            if offered["pad"] == "same" and (even or offered["stride"] != 1):
                raise Unsupported("pad='same' of 2020 is another one for a stride or an even kernel")
            if offered["pad"] == "valid":
                offered["pad"] = 0  # its pad2d does not know the name
        return offered

    def build_layer(self, request, arrays):
        name, shape = request["class"], request["input_shape"]
        self.built.pop(request["layer"], None)
        layer = construct(self.classes.get(name), name, dict(self.arguments(name, request["config"]), n_in=shape[-1]))
        return self.finish(request, layer, {"": layer}, [name])

    def build_network(self, request, arrays):
        self.require("NeuralNetwork")
        self.require(request["loss"])
        self.built.pop(request["layer"], None)
        models, names = self.modules["models"], [item["class"] for item in request["layers"]]
        dictionary = getattr(models, "AttrDict", dict)
        factory = getattr(models, "initialize_layer", None)
        layer_args = []
        for item in request["layers"]:
            offered = dict(self.arguments(item["class"], item["config"]), name=LAYERS[item["class"]])
            takes = inspect.signature(factory or self.classes[item["class"]]).parameters
            layer_args.append(dictionary({key: value for key, value in offered.items() if key in takes}))
        offered = {"name": "SGD", "lr": 0.01, "lr_scheduler": "constant", "lr_decay": 1.0, "stage_length": 1000,
                   "staircase": False, "clip_norm": None, "momentum": 0.0}
        takes = inspect.signature(getattr(models, "initialize_optimizer", dict)).parameters
        optimizer_args = dictionary({key: value for key, value in offered.items() if key in takes})
        network = construct(self.classes["NeuralNetwork"], "NeuralNetwork", {
            "loss": LOSSES[request["loss"]], "layer_args": layer_args, "optimizer_args": optimizer_args})
        # The course's network appends its last layer in train(), when the data set tells its width.
        for i in range(len(network.layers), len(names)):
            network.layers.append((factory or self.classes[names[i]])(**layer_args[i]))
        return self.finish(request, network, {f"{i}.": layer for i, layer in enumerate(network.layers)}, names)

    def finish(self, request, subject, layers, names):
        """Runs one forward pass on zeros, in which the course's layers initialise their parameters. They may do so
        only once, as Conv2D replaces its `pad` then. Two examples, since some implementations fail on one."""
        np.random.seed(0)
        subject.forward(np.zeros((2,) + tuple(request["input_shape"])))
        built = Built(subject, layers, names)
        for name, (prefix, layer) in zip(names, layers.items()):
            for key in ("W", "b") if name in ("FullyConnected", "Conv2D") else ():
                if prefix + key not in built.parameters():
                    raise Failure(f"{name}.parameters has no '{key}' after the first forward pass; "
                                  f"its keys are {quoted(layer.parameters)}")
        self.built[request["layer"]] = built
        return {}, {name: as_result(layer.parameters[key], f"parameters['{key}']")
                    for name, (layer, key) in built.parameters().items()}

    def get(self, request, arrays, *inputs):
        """What was built under the number of the request, with the parameters set that came with the inputs."""
        if request["layer"] not in self.built:
            raise Failure(f"nothing was built under the number {request['layer']}")
        built = self.built[request["layer"]]
        built.set({name: array for name, array in arrays.items() if name not in inputs})
        return built, {name: arrays[name] for name in inputs}

    def forward(self, request, arrays):
        built, inputs = self.get(request, arrays, "X")
        subject = built.subject
        if request["op"] == "layer.predict":
            # The course's layers have no predict: forward on a copy, which leaves the layer's cache as it is.
            subject = copy.deepcopy(subject)
            built = Built(subject, {"": subject})
        result, reply = built.call(subject.forward, inputs)
        return reply, {"Y_hat" if request["op"] == "network.forward" else "Y": as_result(result, "the result of forward")}

    def backward(self, request, arrays):
        is_layer = request["op"] == "layer.backward"
        built, inputs = self.get(request, arrays, *(["dY"] if is_layer else ["Y", "Y_hat"]))
        for name in built.names + ([] if is_layer else ["NeuralNetwork"]):
            self.require(name, "backward")
        result, reply = built.call(built.subject.backward, inputs)
        results = {}
        if not is_layer and isinstance(result, tuple) and len(result) == 2:
            result, results["dX"] = result[0], as_result(result[1], "the second result of backward")
        results["dX" if is_layer else "L"] = as_result(result, "the result of backward")
        remarks = []
        for name, (layer, key) in built.parameters().items():
            where = f"gradients of layer {name.split('.')[0]}" if "." in name else "gradients"
            gradients, cache = getattr(layer, "gradients", None) or {}, getattr(layer, "cache", None) or {}
            if key not in gradients:
                cached = [k for k in cache if str(k).lower().endswith(key.lower())]
                remarks.append(f"{where} has no '{key}'; its keys are {quoted(gradients)}"
                               + (f" (the cache has {quoted(cached)})" if cached else ""))
                continue
            try:
                results[name] = as_result(gradients[key], f"gradients['{key}']")
            except (Failure, ValueError, TypeError) as error:
                remarks.append(f"{where}: {error}")
                continue
            if gradients[key] is built.initial.get(name) and not results[name].any():
                remarks.append(f"{where}: '{key}' still holds the zeros it was initialised with")
        return dict(reply, remarks=remarks) if remarks else reply, results

    def predict_network(self, request, arrays):
        built, inputs = self.get(request, arrays, "X", "Y")
        if is_placeholder(type(built.subject).predict):
            raise Unsupported("NeuralNetwork.predict is not implemented")
        result, reply = built.call(built.subject.predict, inputs)
        if not isinstance(result, (tuple, list)) or len(result) != 2:
            raise Failure(f"predict returned {type(result).__name__}, not the pair of predictions and loss")
        return reply, {"Y_hat": as_result(result[0], "the first result of predict"),
                       "L": as_result(result[1], "the second result of predict")}

    OPERATIONS = {
        "describe": describe,
        "activation.forward": stateless, "activation.backward": stateless,
        "loss.forward": stateless, "loss.backward": stateless,
        "layer.build": build_layer, "layer.forward": forward, "layer.backward": backward, "layer.predict": forward,
        "network.build": build_network, "network.forward": forward, "network.backward": backward,
        "network.predict": predict_network}

    def answer(self, request, arrays):
        """A reply and its arrays, None if it has none."""
        operation = self.OPERATIONS.get(request["op"])
        if operation is None:
            return {"unsupported": f"this adapter does not know the operation {request['op']}"}, None
        INTEGERS.clear()
        try:
            reply, results = operation(self, request, arrays)
            remarks = reply.get("remarks", []) + INTEGERS
            return dict(reply, remarks=remarks) if remarks else reply, results
        except Unsupported as reason:
            return {"unsupported": str(reason)}, None
        except Failure as reason:
            return {"error": str(reason)}, None
        except BaseException as error:  # exit(), endless recursion and too little memory end this request only
            return {"error": explain(error, self.top)}, None


def quoted(names):
    return ", ".join(repr(name) for name in names) or "none"


def construct(cls, name, offered):
    """An object of the class, from those of the arguments that its constructor takes."""
    parameters = inspect.signature(cls).parameters
    missing = [key for key, parameter in parameters.items()
               if parameter.default is parameter.empty and parameter.kind is parameter.POSITIONAL_OR_KEYWORD
               and key not in offered]
    if missing:
        raise Unsupported(f"the constructor of {name} wants {quoted(missing)}, which the harness does not know")
    try:
        return cls(**{key: value for key, value in offered.items() if key in parameters})
    except (NotImplementedError, ValueError) as reason:
        raise Unsupported(f"the constructor of {name} does not know this configuration: {reason}")


def same_bits(before, after):
    """Whether an array still has its shape, dtype and elements; a NaN is equal to a NaN."""
    if before.shape != after.shape or before.dtype != after.dtype:
        return False
    if before.tobytes() == after.tobytes():
        return True
    if before.dtype.kind != "f":
        return False
    equal = (before == after) & (np.signbit(before) == np.signbit(after))
    return bool((equal | np.isnan(before) & np.isnan(after)).all())


# ---- The program ----

def prepare(arguments):
    """The subject; a Failure says what the student has to do."""
    if sys.version_info < (3, 8):
        raise Failure(f"{PYTHON} is too old: run this with Python 3.8 or later")
    if np is None:
        raise Failure(f"{PYTHON} has no NumPy ({NUMPY}): install it ({sys.executable} -m pip install numpy), or run "
                      "this with the Python that you use for the homework")
    if len(arguments) != 1:
        raise Failure("name one folder: the one that holds your neural_networks package")
    return Subject(arguments[0])


def main():
    requests, replies = take_channel()
    faulthandler.enable()  # a crash in C code leaves its line of Python on standard error
    try:
        subject, failure = prepare(sys.argv[1:]), None
    except Failure as reason:
        failure = str(reason)
    except BaseException as error:
        failure = "the adapter failed: " + explain(error, os.path.realpath(sys.argv[-1]))
    if failure:
        line = requests.readline()
        if line:
            write_reply(replies, {"id": json.loads(line).get("id"), "error": failure}, None)
        sys.exit(1)
    while True:
        request, arrays = read_request(requests)
        if request is None:
            return
        reply, results = subject.answer(request, arrays)
        write_reply(replies, dict(reply, id=request.get("id")), results)


if __name__ == "__main__":
    main()
