import { add, exp, greater, log, multiply, negate, relu, subtract, where } from '../graph/build.ts';
import type { Value } from '../graph/graph.ts';

/** Below, 1 + exp(x) rounds much of exp(x) away, and three terms of the series are exact to half a unit of f32. */
const SERIES_BELOW = -5;

/** log(1 + exp(x)), in a form that neither overflows nor loses small values, with the derivative ½ at 0. */
export function softplus(x: Value): Value {
  const magnitude = where(greater(x, 0), x, negate(x));
  const e = exp(negate(magnitude));
  // e - e² / 2 + e³ / 3
  const series = multiply(e, subtract(1, multiply(e, subtract(1 / 2, multiply(e, 1 / 3)))));
  return where(greater(x, SERIES_BELOW), add(relu(x), log(add(e, 1))), series);
}
