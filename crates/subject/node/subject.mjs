// Three classes of the homework in JavaScript, as a program that the harness verifies:
// cargo xtask test --subject 'node crates/subject/node/subject.mjs'
import { readSync, writeSync } from "node:fs";

// ANCHOR: protocol
const STDIN = 0, STDOUT = 1;
let pending = Buffer.alloc(0);

// Buffers at least so many bytes of standard input; false where it ends before.
function fill(bytes) {
  while (pending.length < bytes) {
    const chunk = Buffer.alloc(1 << 16);
    const got = readSync(STDIN, chunk);
    if (got === 0) return false;
    pending = Buffer.concat([pending, chunk.subarray(0, got)]);
  }
  return true;
}

function take(bytes) {
  if (!fill(bytes)) throw new Error("the request is incomplete");
  const taken = pending.subarray(0, bytes);
  pending = pending.subarray(bytes);
  return taken;
}

// The next request, with its arrays by name; null at the end.
function read() {
  let end;
  while ((end = pending.indexOf(10)) < 0) if (!fill(pending.length + 1)) return null;
  const request = JSON.parse(take(end + 1).toString());
  const arrays = {};
  for (const { name, shape } of request.arrays ?? []) {
    const size = shape.reduce((product, n) => product * n, 1);
    // Copied, so that it is aligned as a Float64Array has to be.
    const bytes = Uint8Array.from(take(8 * size));
    arrays[name] = { shape, data: new Float64Array(bytes.buffer) };
  }
  return { ...request, arrays };
}

function write(id, fields, arrays = {}) {
  const listed = Object.entries(arrays).map(([name, { shape }]) => ({ name, dtype: "f8", shape }));
  const line = Buffer.from(JSON.stringify({ id, ...fields, arrays: listed }) + "\n");
  const data = Object.values(arrays).map(({ data }) => Buffer.from(data.buffer));
  let message = Buffer.concat([line, ...data]);
  while (message.length > 0) message = message.subarray(writeSync(STDOUT, message));
}
// ANCHOR_END: protocol

const map = ({ shape, data }, f) => ({ shape, data: data.map(f) });
const zeros = (...shape) => ({ shape, data: new Float64Array(shape.reduce((p, n) => p * n, 1)) });

const activations = {
  linear: { forward: (Z) => Z, backward: (Z, dY) => dY },
  relu: {
    forward: (Z) => map(Z, (z) => (z < 0 ? 0 : z)),
    backward: (Z, dY) => map(dY, (g, i) => (Z.data[i] < 0 ? 0 : g)),
  },
};

// A times B, either of them transposed if asked.
function product(A, B, transposeA = false, transposeB = false) {
  const [rows, inner] = transposeA ? [A.shape[1], A.shape[0]] : A.shape;
  const cols = transposeB ? B.shape[0] : B.shape[1];
  const C = zeros(rows, cols);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < cols; j++)
      for (let k = 0; k < inner; k++)
        C.data[i * cols + j] +=
          A.data[transposeA ? k * rows + i : i * inner + k] *
          B.data[transposeB ? j * inner + k : k * cols + j];
  return C;
}

class FullyConnected {
  constructor({ n_out, activation, bias = true }, [n_in]) {
    this.activation = activations[activation];
    if (!this.activation || !bias) throw { unsupported: `activation ${activation}, bias ${bias}` };
    this.parameters = { W: zeros(n_in, n_out), b: zeros(1, n_out) };
  }
  forward(X) {
    const { W, b } = this.parameters;
    const Z = map(product(X, W), (z, i) => z + b.data[i % b.shape[1]]);
    this.cache = { X, Z };
    return this.activation.forward(Z);
  }
  backward(dY) {
    const { X, Z } = this.cache;
    const dZ = this.activation.backward(Z, dY);
    const db = zeros(...this.parameters.b.shape);
    dZ.data.forEach((g, i) => (db.data[i % db.data.length] += g));
    return { dX: product(dZ, this.parameters.W, false, true), W: product(X, dZ, true), b: db };
  }
}

const layers = new Map();

const operations = {
  "activation.forward": (_, { Z }) => ({ Y: activations.relu.forward(Z) }),
  "activation.backward": (_, { Z, dY }) => ({ dZ: activations.relu.backward(Z, dY) }),
  "loss.forward": (_, { Y, Y_hat }) => {
    const squares = Y.data.reduce((sum, y, i) => sum + (Y_hat.data[i] - y) ** 2, 0);
    return { L: { shape: [], data: Float64Array.of(squares / (2 * Y.shape[0])) } };
  },
  "loss.backward": (_, { Y, Y_hat }) => ({
    dY_hat: map(Y_hat, (p, i) => (p - Y.data[i]) / Y.shape[0]),
  }),
  "layer.build": ({ layer, config, input_shape }) => {
    layers.set(layer, new FullyConnected(config, input_shape));
    return layers.get(layer).parameters;
  },
  "layer.forward": ({ layer }, { X, ...parameters }) => {
    Object.assign(layers.get(layer).parameters, parameters);
    return { Y: layers.get(layer).forward(X) };
  },
  "layer.backward": ({ layer }, { dY }) => layers.get(layer).backward(dY),
  "layer.predict": ({ layer }, { X, ...parameters }) => {
    const copy = Object.assign(Object.create(FullyConnected.prototype), layers.get(layer));
    Object.assign(copy.parameters, parameters);
    return { Y: copy.forward(X) };
  },
};

for (let request; (request = read()); ) {
  const { id, op, arrays } = request;
  if (op === "describe") {
    const classes = { activations: ["ReLU"], losses: ["L2"], layers: ["FullyConnected"] };
    write(id, { protocol: 1, name: "three classes in JavaScript", ...classes, dtypes: ["f8"] });
    continue;
  }
  try {
    write(id, {}, operations[op](request, arrays));
  } catch (error) {
    write(id, error.unsupported ? { unsupported: error.unsupported } : { error: String(error) });
  }
}
