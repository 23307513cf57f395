"""Times in PyTorch what the program `bench` asks for, one request a line.

A request says a subject, a batch, a number of threads and how many calls to make; the answer is the mean
time of one call and its minor page faults. What a subject needs is made when it is first asked for.
Tensors are float32, images in the memory format channels-last. A model is made of the very list of layers
that our network is made of; a layer or a field that is not known here is an error.
"""

import json
import platform
import resource
import sys
import time

try:
    import torch
    from torch import nn
    from torch.nn import functional as F
except ImportError as error:
    print(json.dumps({"error": str(error)}))
    sys.exit(0)

CLASSES = 10
LEARNING_RATE = 1e-3
STEPS_FOR_PEAK_MEMORY = 3

ACTIVATIONS = {"linear": None, "relu": nn.ReLU, "gelu": nn.GELU}


class Rows(nn.Module):
    """Flattens images as they lie in memory, rows, columns, channels, which copies nothing."""

    def forward(self, x):
        return x.permute(0, 2, 3, 1).flatten(1)


def padding(pad, kernel):
    """Ours, a name, a number or a pair, as PyTorch's."""
    if pad == "valid":
        return 0
    if pad == "same":
        return tuple((side - 1) // 2 for side in kernel)
    return pad if isinstance(pad, int) else tuple(pad)


def known(layer, names, switch=None):
    """The fields of a layer, all of which have to be known; a switch is on unless the layer says otherwise."""
    unknown = set(layer) - {"layer", "activation", "weight_init", switch} - set(names)
    if unknown:
        raise ValueError(f"the layer {layer['layer']} has fields that are not known here: {sorted(unknown)}")
    values = [layer[name] for name in names]
    return values if switch is None else [*values, layer.get(switch, True)]


def network(layers, input_shape, frozen_first_weights):
    """The model of these layers."""
    modules, shape = [], tuple(input_shape)
    for layer in layers:
        kind = layer["layer"]
        if kind == "conv2d":
            names = ["n_out", "kernel_shape", "stride", "pad"]
            n_out, kernel, stride, pad, bias = known(layer, names, "bias")
            module = nn.Conv2d(shape[2], n_out, tuple(kernel), stride, padding(pad, kernel), bias=bias)
        elif kind == "fully_connected":
            n_out, bias = known(layer, ["n_out"], "bias")
            module = nn.Linear(shape[0], n_out, bias=bias)
        elif kind == "pool2d":
            mode, kernel, stride, pad = known(layer, ["mode", "kernel_shape", "stride", "pad"])
            if mode != "max":
                raise ValueError(f"expected max pooling, got {mode}")
            module = nn.MaxPool2d(tuple(kernel), stride, padding(pad, kernel))
        elif kind == "batch_norm":
            eps, momentum, scale = known(layer, ["eps", "momentum"], "scale")
            module = nn.BatchNorm2d(shape[2], eps=eps, momentum=momentum)
            # A scale that is 1 and stays so is how PyTorch has none.
            module.weight.requires_grad = scale
        elif kind == "flatten":
            known(layer, [])
            module = Rows()
        else:
            raise ValueError(f"the layer {kind} is not known here")
        modules.append(module)
        activation = ACTIVATIONS[layer.get("activation", "linear")]
        if activation is not None:
            modules.append(activation())
        shape = after(nn.Sequential(*modules), input_shape)
    model = nn.Sequential(*modules).to(memory_format=torch.channels_last)
    if frozen_first_weights:
        model[0].weight.requires_grad = False
    return model


def after(model, input_shape):
    """The shape of an example behind these modules: rows, columns, channels, or units."""
    model.eval()
    with torch.no_grad():
        shape = model(inputs(2, input_shape)).shape[1:]
    model.train()
    return (shape[1], shape[2], shape[0]) if len(shape) == 3 else tuple(shape)


def inputs(batch, shape):
    if len(shape) == 1:
        return torch.randn(batch, shape[0])
    rows, cols, channels = shape
    return torch.randn(batch, channels, rows, cols).contiguous(memory_format=torch.channels_last)


def step(request):
    """A training step. The gradient of the first input is not computed."""
    batch, shape = request["batch"], request["input_shape"]
    model = network(request["layers"], shape, request["frozen_first_weights"])
    model.train()
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser = torch.optim.SGD(trained, lr=LEARNING_RATE, momentum=0.9)
    x, target = inputs(batch, shape), torch.arange(batch) % CLASSES

    def run():
        optimiser.zero_grad()
        loss = F.cross_entropy(model(x), target)
        loss.backward()
        optimiser.step()
        # As ours: the loss is read.
        if not torch.isfinite(loss).item():
            raise ValueError("the loss is not finite")

    return run


def inference(request):
    batch, shape = request["batch"], request["input_shape"]
    model = network(request["layers"], shape, False).eval()
    x = inputs(batch, shape)

    def run():
        with torch.no_grad():
            torch.softmax(model(x), 1)

    return run


def convolution(request):
    subject, batch = request["subject"], request["batch"]
    side, kernel, channels = subject["side"], subject["kernel"], subject["channels"]
    pad = 1 if kernel == 3 else 0
    out = side + 2 * pad - kernel + 1
    x, dy = inputs(batch, (side, side, channels)), inputs(batch, (out, out, subject["filters"]))
    w = torch.randn(subject["filters"], channels, kernel, kernel).contiguous(memory_format=torch.channels_last)
    b = torch.zeros(subject["filters"])
    if subject["pass"] == "forward":
        return lambda: F.conv2d(x, w, b, padding=pad)
    mask = [subject["pass"] == "backward_data", subject["pass"] == "backward_weights", False]
    backward = torch.ops.aten.convolution_backward
    return lambda: backward(dy, x, w, None, [1, 1], [pad, pad], [1, 1], False, [0, 0], 1, mask)


def memory_bound(request):
    subject = request["subject"]
    layer, forward = subject["layer"], subject["pass"] == "forward"
    x = inputs(request["batch"], subject["shape"])
    aten = torch.ops.aten
    if layer == "GELU":
        return (lambda: F.gelu(x)) if forward else (lambda: aten.gelu_backward(x, x))
    if layer == "MaxPool":
        y, winner = aten.max_pool2d_with_indices(x, [2, 2], [2, 2])
        if forward:
            return lambda: aten.max_pool2d_with_indices(x, [2, 2], [2, 2])
        return lambda: aten.max_pool2d_with_indices_backward(
            y, x, [2, 2], [2, 2], [0, 0], [1, 1], False, winner
        )
    if layer == "BatchNorm":
        n = x.shape[1]
        weight, bias, mean, variance = torch.ones(n), torch.zeros(n), torch.zeros(n), torch.ones(n)

        def normalise():
            return aten.native_batch_norm(x, weight, bias, mean, variance, True, 0.1, 1e-5)

        if forward:
            return normalise
        _, saved_mean, saved_deviation = normalise()
        mask = [True, True, True]
        return lambda: aten.native_batch_norm_backward(
            x, x, weight, mean, variance, saved_mean, saved_deviation, True, 1e-5, mask
        )
    raise ValueError(f"the layer {layer} is not known here")


def product(request):
    subject = request["subject"]
    rows, inner, cols = subject["rows"], subject["inner"], subject["cols"]
    # Which factor is transposed in memory.
    a = torch.randn(inner, rows).t() if subject["pass"] == "backward_weights" else torch.randn(rows, inner)
    b = torch.randn(cols, inner).t() if subject["pass"] == "backward_data" else torch.randn(inner, cols)
    return lambda: a @ b


SUBJECTS = {
    "step": step,
    "inference": inference,
    "convolution": convolution,
    "memory_bound": memory_bound,
    "product": product,
}


def answer(request, cases):
    torch.set_num_threads(request["threads"])
    key = request["key"]
    if key not in cases:
        cases[key] = SUBJECTS[request["subject"]["kind"]](request)
    run = cases[key]
    if request["ask"] == "peak_memory":
        for _ in range(STEPS_FOR_PEAK_MEMORY):
            run()
        return {"bytes": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}
    calls = request["calls"]
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    start = time.perf_counter()
    for _ in range(calls):
        run()
    seconds = time.perf_counter() - start
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - faults
    return {"seconds": seconds / calls, "page_faults": faults / calls}


def main():
    print(json.dumps({"torch": torch.__version__, "python": platform.python_version()}))
    torch.manual_seed(0)
    cases = {}
    for line in sys.stdin:
        try:
            reply = answer(json.loads(line), cases)
        except Exception as error:
            reply = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply))


main()
