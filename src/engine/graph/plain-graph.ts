import { mapValues } from '../../support/options.ts';
import { type Dimension, Polynomial } from './dimension.ts';
import type { Value } from './graph.ts';
import type { Op, TensorType } from './ops.ts';
import { reachable } from './print.ts';

/* A graph as plain data, for another thread. */

type PlainDimension = number | { terms: readonly (readonly [string, number])[] };

/** The type of a value as plain data. */
export interface PlainType {
  dtype: Value['dtype'];
  shape: readonly PlainDimension[];
}

/** A node of the list, and the number of its output. */
type PlainValue = readonly [node: number, output: number];

interface PlainNode {
  op: Op;
  inputs: readonly PlainValue[];
  attributes: Readonly<Record<string, unknown>>;
  /** The type of a leaf. */
  type?: PlainType;
}

/** Nodes whose type cannot be inferred. */
const LEAVES: readonly Op[] = ['input', 'weight', 'constant'];

/** The computation of one value from some given ones. */
export interface PlainGraph {
  /** Inputs come before their uses. The given values come before all nodes. */
  nodes: readonly PlainNode[];
  result: PlainValue;
}

export function plainType({ dtype, shape }: TensorType): PlainType {
  return { dtype, shape: plain(shape) as PlainDimension[] };
}

/** The type that {@link plainType} has described. */
export function readType({ dtype, shape }: PlainType): TensorType {
  return { dtype, shape: revived(shape) as Dimension[] };
}

/**
 * Describes the computation of a value.
 *
 * @param given the values from which it is computed, which the other thread has
 * @throws Error that names an op with a function among its attributes, which cannot be sent
 */
export function plainGraph(result: Value, given: readonly Value[]): PlainGraph {
  const givenNodes = given.map(({ node }) => node);
  const all = [...givenNodes, ...reachable([result], givenNodes)];
  const numbers = new Map(all.map((node, i) => [node, i]));
  const placeOf = ({ node, index }: Value): PlainValue => [numbers.get(node)!, index];
  return {
    result: placeOf(result),
    nodes: all.slice(given.length).map(({ op, inputs, attributes, outputs }) => ({
      op,
      inputs: inputs.map(placeOf),
      attributes: plainAttributes(op, attributes),
      ...(LEAVES.includes(op) && { type: plainType(outputs[0]) }),
    })),
  };
}

/** Adds a computation to the graph of the given values. */
export function withPlainGraph({ nodes, result }: PlainGraph, given: readonly Value[]): Value {
  const { graph } = given[0]!.node;
  const made: (readonly Value[])[] = given.map((value) => [value]);
  const valueAt = ([node, output]: PlainValue) => made[node]![output]!;
  for (const { op, inputs, attributes, type } of nodes) {
    const own = mapValues(attributes, revived) as never;
    made.push(
      type ? [graph.leaf(op as 'constant', own, readType(type))] : graph.add(op, inputs.map(valueAt), own),
    );
  }
  return valueAt(result);
}

function plainAttributes(op: Op, attributes: object): Record<string, unknown> {
  const functional = Object.values(attributes).some((value) => typeof value === 'function');
  if (functional) throw new Error(`uses the operation ${op}, which cannot be sent to another thread`);
  return mapValues(attributes as Record<string, unknown>, plain);
}

/** A value with its dimensions as plain data. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  return value instanceof Polynomial ? { terms: [...value.terms] } : value;
}

/** The value that {@link plain} has described. */
function revived(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(revived);
  const isPolynomial = typeof value === 'object' && value !== null && 'terms' in value;
  return isPolynomial ? new Polynomial(new Map(value.terms as [])) : value;
}
