import { expect, it } from 'vitest';
import { add, input, multiply, reshape, slice, stopGradient, sum } from '../engine/graph/build.ts';
import { Graph, type Value } from '../engine/graph/graph.ts';
import { ParameterLayout, stackValue } from '../methods/tuners/parameter-layout.ts';
import type { Tuner } from '../methods/tuners/tuner.ts';
import type { Network } from '../models/nn/network.ts';
import { assertCutByLayout, trainingGraph } from './training-graph.ts';

/** `a` and `b` are one stack, `c` is alone. */
const layout = new ParameterLayout([
  [
    { name: 'a', shape: [2, 3] },
    { name: 'b', shape: [1, 3] },
  ],
  { name: 'c', shape: [4] },
]);
const total = (x: Value) =>
  sum(
    x,
    x.shape.map((_, axis) => axis),
  );

function check(lossOf: (flat: Value) => Value): void {
  const flat = input(new Graph(), 'trained', 'float32', [layout.length]);
  const stacks = layout.stacks.map((stack) => stackValue(flat, stack));
  assertCutByLayout(lossOf(flat), flat, layout, stacks);
}
const whole = (flat: Value) =>
  ['a', 'b', 'c'].map((name) => total(layout.value(flat, name))).reduce((one, other) => add(one, other));
const byHand = (flat: Value) => total(reshape(slice(flat, 0, 6, 9), [3, 1]));

it('accepts every way through the layout', () => {
  expect(() => check(whole)).not.toThrow();
  // The same slice is the same node.
  const alone = (flat: Value) => total(reshape(slice(flat, 0, 9, 13), [4]));
  expect(() => check((flat) => add(total(layout.value(flat, 'a')), alone(flat)))).not.toThrow();
  // It takes no part in the gradient.
  expect(() => check((flat) => multiply(whole(flat), stopGradient(byHand(flat))))).not.toThrow();
});

it('names a parameter that is cut manually, beside the layout or instead of it', () => {
  const message =
    'the loss reads b from the trained vector manually, so it gets no gradient. Read it with layout.value(flat, name), where layout is the one that inject is given.';
  expect(() => check(byHand)).toThrow(message);
  expect(() => check((flat) => add(whole(flat), byHand(flat)))).toThrow(message);
});

it('names all parameters that a slice or another op covers', () => {
  expect(() => check((flat) => add(whole(flat), total(slice(flat, 0, 2, 9))))).toThrow(
    'the loss reads a, b from',
  );
  expect(() => check((flat) => add(whole(flat), total(multiply(flat, flat))))).toThrow(
    'the loss reads a, b, c from',
  );
});

it('names the parameters of a stack that is not read', () => {
  expect(() => check((flat) => total(layout.value(flat, 'c')))).toThrow(
    'the loss does not depend on a, b. Read it',
  );
});

it('is checked for every training, also with gradient checkpointing', () => {
  const tuner: Tuner = {
    layout,
    sites: [],
    initialValues: () => new Float32Array(layout.length),
    inject: (flat) => ({
      parameter: (name) => (name === 'b' ? slice(flat, 0, 6, 9) : layout.value(flat, name)),
      increments: (paths) => paths.map(() => undefined),
    }),
  };
  const buildLoss = (network: Network) =>
    ['a', 'b', 'c']
      .map((name) => total(network.parameter(name, [1])))
      .reduce((one, other) => add(one, other));
  expect(() => trainingGraph(buildLoss, tuner)).toThrow('the loss reads b from the trained vector manually');
  // Its own layout, not the one that it is given, has the stack.
  expect(() => trainingGraph(buildLoss, tuner, { gradientCheckpointing: true })).toThrow(
    'the loss reads a, b from the trained vector manually',
  );
});
