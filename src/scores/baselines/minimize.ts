/** A function to minimize: returns its value at `x` and writes its gradient into `gradient`. */
export type Objective = (x: Float64Array, gradient: Float64Array) => number | Promise<number>;

/** Number of stored pairs of step and gradient change; L-BFGS estimates the curvature from them. */
const MEMORY = 8;
/** A step is accepted if the function decreases by at least this share of the predicted decrease (Armijo). */
const SUFFICIENT = 1e-4;
const MAX_HALVINGS = 30;

/**
 * Minimizes a smooth convex function by L-BFGS (Liu and Nocedal 1989; Nocedal and Wright, algorithm 7.4) with a
 * backtracking line search.
 *
 * @param tolerance the search stops when no element of the gradient is larger
 */
export async function minimize(
  objective: Objective,
  start: Float64Array,
  { tolerance = 1e-4, mostIterations = 100 } = {},
): Promise<Float64Array> {
  const size = start.length;
  let [x, gradient] = [start, new Float64Array(size)];
  let value = await objective(x, gradient);
  const pairs: { step: Float64Array; change: Float64Array; product: number }[] = [];
  for (let iteration = 0; iteration < mostIterations; iteration++) {
    if (gradient.every((element) => Math.abs(element) <= tolerance)) break;
    const direction = descent(gradient, pairs);
    const slope = dot(direction, gradient);
    let length = pairs.length === 0 ? 1 / Math.max(1, Math.sqrt(dot(gradient, gradient))) : 1;
    let next = x;
    const nextGradient = new Float64Array(size);
    let nextValue = Number.POSITIVE_INFINITY;
    for (let halving = 0; halving < MAX_HALVINGS; halving++, length /= 2) {
      next = x.map((element, i) => element + length * direction[i]!);
      nextValue = await objective(next, nextGradient);
      if (nextValue <= value + SUFFICIENT * length * slope) break;
    }
    if (!(nextValue < value)) break;
    const step = next.map((element, i) => element - x[i]!);
    const change = nextGradient.map((element, i) => element - gradient[i]!);
    const product = dot(step, change);
    if (product > 0) pairs.push({ step, change, product });
    if (pairs.length > MEMORY) pairs.shift();
    [x, gradient, value] = [next, nextGradient, nextValue];
  }
  return x;
}

/**
 * The two-loop recursion of L-BFGS. Returns the descent direction -H g, where g is the gradient, and H
 * estimates the inverse Hessian.
 */
function descent(
  gradient: Float64Array,
  pairs: readonly { step: Float64Array; change: Float64Array; product: number }[],
): Float64Array {
  const direction = gradient.map((element) => -element);
  const add = (factor: number, vector: Float64Array) => {
    for (let i = 0; i < direction.length; i++) direction[i]! += factor * vector[i]!;
  };
  const shares = pairs.map(() => 0);
  for (let i = pairs.length - 1; i >= 0; i--) {
    const { step, change, product } = pairs[i]!;
    shares[i] = dot(step, direction) / product;
    add(-shares[i]!, change);
  }
  const last = pairs.at(-1);
  if (last) {
    const scale = last.product / dot(last.change, last.change);
    for (let i = 0; i < direction.length; i++) direction[i]! *= scale;
  }
  for (const [i, { step, change, product }] of pairs.entries())
    add(shares[i]! - dot(change, direction) / product, step);
  return direction;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
