import { gradients } from '../../src/engine/autodiff/gradients.ts';
import { cast, input, multiply, sum } from '../../src/engine/graph/build.ts';
import { symbol } from '../../src/engine/graph/dimension.ts';
import { Graph, type GraphNode, type Value } from '../../src/engine/graph/graph.ts';
import type { DataType } from '../../src/engine/graph/ops.ts';
import { printNode, reachable } from '../../src/engine/graph/print.ts';
import { type InlineWeight, lower } from '../../src/engine/onnx/lower.ts';
import type { HostTensor } from '../../src/engine/runtime/session.ts';
import { bytesSaturate } from '../../src/program/node/node-engine.ts';
import { Random } from '../../src/support/random.ts';
import type { Backend } from './backends.ts';
import { type Table, table, tableOf } from './table.ts';

/** The values of symbolic sizes in the cases. */
const SIZES: Record<string, number> = { batch: 2, sequence: 3 };

/** Names of the operands, by position. */
const NAMES = 'abcd';

/** The engines compute in float32 with their own exp, erf and tanh, and sum a few dozen terms of order 1. */
const TOLERANCE = 2e-5;

/**
 * Step of central differences in float64. Their truncation error is about 1e-10, their cancellation error about 1e-11.
 */
const STEP = 1e-5;

/** An operand of a case: its type, and the distribution of its elements. */
interface Spec {
  dtype: DataType;
  shape: readonly (number | string)[];
  draw: (random: Random, count: number) => ArrayLike<number>;
}

type Shape = (number | string)[];

/** Standard normal elements. A name in the shape is a symbolic size. */
export const real = (...shape: Shape): Spec => ({
  dtype: 'float32',
  shape,
  draw: (random, count) => random.normals(count, 1),
});

/** Elements in [0.5, 2). */
export const positive = (...shape: Shape): Spec => ({
  dtype: 'float32',
  shape,
  draw: (random, count) => Array.from({ length: count }, () => 0.5 + 1.5 * random.uniform()),
});

/** Elements of both signs, at least 0.5 from zero and 0.25 from each other. So no kink or pole is within a step. */
export const apart = (...shape: Shape): Spec => ({
  dtype: 'float32',
  shape,
  draw: (random, count) => [...random.permutation(count)].map((k) => (0.5 + k / 4) * (k % 2 ? 1 : -1)),
});

export const int = (shape: Shape, elements: readonly number[]): Spec => ({
  dtype: 'int32',
  shape,
  draw: () => elements,
});

/**
 * The elements of a frozen tensor. They depend only on the arguments, so that a case and its reference have the same.
 */
export const frozenBytes = (seed: number, count: number) =>
  new Uint8Array(count).map((_, i) => (i * i * 89 + i * 37 + seed * 11) % 256);
export const frozenFloats = (seed: number, count: number) => new Random(seed, 'frozen').normals(count, 1);

function locate(name: string): InlineWeight {
  const [kind, seed, count] = name.split(' ');
  const make = kind === 'bytes' ? frozenBytes : frozenFloats;
  return { data: make(Number(seed), Number(count)) };
}

/** A small program around an op, a reference in plain loops, and the operands to differentiate by. */
export interface OpCase {
  /** The program, as text. */
  name: string;
  /** The ops that the program uses. */
  ops: ReadonlySet<string>;
  inputs: readonly Spec[];
  build: (...values: Value[]) => Value;
  reference: (...tables: Table[]) => Table;
  /** Positions of the operands to differentiate by. */
  wrt: readonly number[];
}

/**
 * Defines a case: its operands, its program, and its reference, which returns the element of the result at an index.
 *
 * @param wrt positions of the operands to differentiate by; by default all of float32
 */
export function op(
  inputs: readonly Spec[],
  build: (...values: Value[]) => Value,
  shape: readonly number[],
  element: (...tables: Table[]) => (...index: number[]) => number,
  wrt: readonly number[] = inputs.flatMap(({ dtype }, i) => (dtype === 'float32' ? [i] : [])),
): OpCase {
  const result = build(...declare(inputs));
  const ops = new Set(reachable([result]).map((node) => node.op));
  const reference = (...tables: Table[]) => table(shape, element(...tables));
  return { name: describeValue(result), ops, inputs, build, reference, wrt };
}

/** Checks a case's value on a backend, and the gradients of a randomly weighted sum of it. */
export async function checkOp(
  { name, inputs, build, reference, wrt }: OpCase,
  backend: Backend,
): Promise<void> {
  const values = declare(inputs);
  const result = build(...values);
  const weights = input(result.node.graph, 'weights', 'float32', result.shape);
  const y = cast(result, 'float32');
  const loss = sum(
    multiply(y, weights),
    y.shape.map((_, axis) => axis),
  );
  const slopes = gradients(
    loss,
    wrt.map((i) => values[i]!),
  );
  const outputs = { y, ...Object.fromEntries(wrt.map((i, k) => [`d${NAMES[i]}`, slopes[k]])) };

  const random = new Random(0, name);
  const operands = inputs.map((spec) => drawTensor(spec, random));
  const tables = operands.map(({ data, dims }) => tableOf(dims, Float64Array.from(data)));
  const expected = reference(...tables);
  const factors: HostTensor = { data: random.normals(expected.data.length, 1), dims: expected.shape };
  const feeds = Object.fromEntries(operands.map((tensor, i) => [NAMES[i], tensor]));
  if (wrt.length > 0) feeds.weights = factors;

  const { target } = backend;
  const session = await backend.open(
    lower(outputs, { target, locate, saturates: target === 'cpu' && bytesSaturate() }),
  );
  const actual = await session.run(feeds);
  await session.release();
  expectClose('value', actual.y!, expected);
  const weighted = () =>
    reference(...tables).data.reduce((loss, element, i) => loss + element * factors.data[i]!, 0);
  for (const i of wrt) {
    expectClose(`gradient by ${NAMES[i]}`, actual[`d${NAMES[i]}`]!, slope(weighted, tables[i]!));
  }
}

/** Computes d loss / d operand by central differences. */
function slope(loss: () => number, { shape, data }: Table): Table {
  const result = data.map((element, i) => {
    data[i] = element + STEP;
    const after = loss();
    data[i] = element - STEP;
    const before = loss();
    data[i] = element;
    return (after - before) / (2 * STEP);
  });
  return tableOf(shape, result);
}

function expectClose(what: string, { data, dims }: HostTensor, { shape, data: expected }: Table): void {
  if (String(dims) !== String(shape)) throw new Error(`${what}: shape [${dims}], should be [${shape}]`);
  expected.forEach((element, i) => {
    if (!(Math.abs(data[i]! - element) <= TOLERANCE * Math.max(1, Math.abs(element)))) {
      throw new Error(`${what}: element ${i} of [${shape}] is ${data[i]}, should be ${element}`);
    }
  });
}

function declare(inputs: readonly Spec[]): Value[] {
  const graph = new Graph();
  return inputs.map(({ dtype, shape }, i) => {
    const dimensions = shape.map((size) => (typeof size === 'string' ? symbol(size) : size));
    return input(graph, NAMES[i]!, dtype, dimensions);
  });
}

function drawTensor({ dtype, shape, draw }: Spec, random: Random): HostTensor {
  const dims = shape.map((size) => (typeof size === 'string' ? SIZES[size]! : size));
  const elements = draw(
    random,
    dims.reduce((a, b) => a * b, 1),
  );
  return { data: dtype === 'int32' ? Int32Array.from(elements) : Float32Array.from(elements), dims };
}

function describeValue(value: Value): string {
  const { node, shape } = value;
  if (node.op === 'input') return `${(node as GraphNode<'input'>).attributes.name}[${shape}]`;
  if (node.op === 'constant') return `${(node as GraphNode<'constant'>).attributes.data}`;
  return printNode(node, describeValue) + (value.index > 0 ? ` output ${value.index}` : '');
}
