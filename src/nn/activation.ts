import { add, multiply, normalCdf, relu, sigmoid, tanh } from '../graph/build.ts';
import type { Value } from '../graph/graph.ts';
import { suggest } from '../support/nearest.ts';
import { UserError } from '../support/user-error.ts';

/** x Φ(x); its derivative Φ(x) + x φ(x) follows from the product rule and that of `normalCdf`. */
function gelu(x: Value): Value {
  return multiply(x, normalCdf(x));
}

/** The tanh approximation of GELU (Hendrycks and Gimpel, 2016). */
function geluTanh(x: Value): Value {
  const inner = multiply(add(x, multiply(multiply(multiply(x, x), x), 0.044715)), Math.sqrt(2 / Math.PI));
  return multiply(multiply(x, 0.5), add(tanh(inner), 1));
}

/** Activations by the names that `hidden_act` takes in a config.json. */
const activations: Record<string, (x: Value) => Value> = {
  gelu,
  gelu_python: gelu,
  gelu_new: geluTanh,
  gelu_fast: geluTanh,
  gelu_accurate: geluTanh,
  gelu_pytorch_tanh: geluTanh,
  gelu_python_tanh: geluTanh,
  quick_gelu: (x) => multiply(x, sigmoid(multiply(x, 1.702))),
  relu,
  relu2: (x) => multiply(relu(x), relu(x)),
  silu: silu,
  swish: silu,
  tanh,
  sigmoid,
  linear: (x) => x,
};

function silu(x: Value): Value {
  return multiply(x, sigmoid(x));
}

/** The activation of that name; a UserError names the nearest known ones. */
export function activation(name: string): (x: Value) => Value {
  if (Object.hasOwn(activations, name)) return activations[name];
  throw new UserError({
    where: 'config.json, hidden_act',
    expected: 'a known activation',
    got: JSON.stringify(name),
    hint: suggest(name, Object.keys(activations)),
  });
}
