import {
  add,
  divide,
  exp,
  gelu,
  greater,
  log,
  multiply,
  negate,
  normalCdf,
  relu,
  sigmoid,
  sqrt,
  subtract,
  tanh,
  where,
} from '../../engine/graph/build.ts';
import type { Value } from '../../engine/graph/graph.ts';
import { suggest } from '../../support/text.ts';
import { UserError } from '../../support/user-error.ts';

/** The tanh approximation of GELU (Hendrycks and Gimpel, 2016). */
function geluTanh(x: Value): Value {
  const inner = multiply(add(x, multiply(multiply(multiply(x, x), x), 0.044715)), Math.sqrt(2 / Math.PI));
  return multiply(multiply(x, 0.5), add(tanh(inner), 1));
}

/** Like PyTorch's hardtanh, it has no gradient at either limit. */
function relu6(x: Value): Value {
  const y = relu(x);
  return where(greater(6, y), y, 6);
}

/** GELU clipped to [-10, 10]. GELU itself never reaches -10. Like PyTorch's clip, it has a gradient at the limit. */
function clippedGelu(x: Value): Value {
  const y = gelu(x);
  return where(greater(y, 10), 10, y);
}

/** The normal distribution function of MEGA (Ma et al., 2023), with transformers' rounded μ = √½ and σ = √(1 / 4π). */
function laplace(x: Value): Value {
  // biome-ignore lint/suspicious/noApproximativeNumericConstant: it is transformers' own.
  return normalCdf(divide(subtract(x, 0.707107), 0.282095));
}

/**
 * Below this x, 1 + exp(x) loses digits of exp(x). Three terms of the series are accurate there to half a unit of
 * float32.
 */
const SERIES_BELOW = -5;

/** log(1 + exp(x)) without overflow and without loss of small values. Its derivative at 0 is ½. */
function softplus(x: Value): Value {
  const magnitude = where(greater(x, 0), x, negate(x));
  const e = exp(negate(magnitude));
  // The series of log(1 + e): e - e² / 2 + e³ / 3.
  const series = multiply(e, subtract(1, multiply(e, subtract(1 / 2, multiply(e, 1 / 3)))));
  return where(greater(x, SERIES_BELOW), add(relu(x), log(add(e, 1))), series);
}

/** All activations of transformers without parameters, by their `hidden_act` name in config.json. */
const activations = {
  gelu,
  gelu_python: gelu,
  gelu_10: clippedGelu,
  gelu_new: geluTanh,
  gelu_fast: geluTanh,
  gelu_accurate: geluTanh,
  gelu_pytorch_tanh: geluTanh,
  gelu_python_tanh: geluTanh,
  quick_gelu: (x) => multiply(x, sigmoid(multiply(x, 1.702))),
  relu,
  relu2: (x) => multiply(relu(x), relu(x)),
  relu6,
  leaky_relu: (x) => where(greater(x, 0), x, multiply(x, 0.01)),
  silu,
  swish: silu,
  hardswish: (x) => multiply(x, multiply(relu6(add(x, 3)), 1 / 6)),
  mish: (x) => multiply(x, tanh(softplus(x))),
  sqrtsoftplus: (x) => sqrt(softplus(x)),
  tanh,
  sigmoid,
  laplace,
  linear: (x) => x,
} satisfies Record<string, (x: Value) => Value>;

export const ACTIVATION_NAMES = Object.keys(activations) as [ActivationName, ...ActivationName[]];

export type ActivationName = keyof typeof activations;

function silu(x: Value): Value {
  return multiply(x, sigmoid(x));
}

/**
 * Returns the activation that config.json names under `key`.
 *
 * @throws UserError for an unknown name, with the nearest known names
 */
export function activation(name: string, key = 'hidden_act'): (x: Value) => Value {
  if (Object.hasOwn(activations, name)) return activations[name as ActivationName];
  throw new UserError({
    where: 'config.json',
    key,
    fault: `is ${JSON.stringify(name)}, which is not a known activation`,
    hint: suggest(name, Object.keys(activations)),
  });
}
