import { describe, expect, it } from 'vitest';
import { add, input, layerNorm, negate, sum } from './build.ts';
import { symbol } from './dimension.ts';
import { Graph, type GraphNode, type Value } from './graph.ts';
import type { Op, Operands, Ops, TensorType } from './ops.ts';
import { verify } from './verify.ts';

/** Makes a node as a faulty pass might, without the checks of `Graph`. */
function forge<K extends Op>(
  graph: Graph,
  op: K,
  inputs: Value[],
  attributes: Ops[K],
  type: TensorType,
  id = graph.nodes.length,
): Value {
  const outputs: Value[] = [];
  const node: GraphNode<K> = {
    graph,
    id,
    op,
    inputs: inputs as readonly Value[] as Operands<Value>,
    attributes,
    repeat: 0,
    outputs: outputs as readonly Value[] as readonly [Value],
  };
  outputs.push({ ...type, node: node as GraphNode, index: 0 });
  return outputs[0]!;
}

describe('verify', () => {
  const graph = new Graph();
  const x = input(graph, 'x', 'float32', [symbol('batch'), 3]);
  const y = add(x, 1);
  const none = {};

  it('accepts graphs from the builder', () => {
    const gain = input(graph, 'gain', 'float32', [3]);
    const [normal, mean] = layerNorm(y, gain, gain, 1e-5);
    expect(() => verify([sum(normal, [0]), mean, negate(y)])).not.toThrow();
  });

  it.each<[string, Value, string]>([
    [
      'shape',
      forge(graph, 'negate', [x], none, { dtype: 'float32', shape: [3] }, 50),
      'bad node %50 = negate(%0): output 0 is float32[3], should be float32[batch,3]',
    ],
    [
      'type',
      forge(graph, 'greater', [x, x], none, x, 51),
      'bad node %51 = greater(%0, %0): output 0 is float32[batch,3], should be bool[batch,3]',
    ],
    [
      'operand',
      forge(graph, 'sum', [x], { axes: [7], keepDims: false }, x, 52),
      'sum(float32[batch,3]) axes=[7] keepDims=false: axis out of range',
    ],
    [
      'order',
      forge(graph, 'negate', [y], none, y, 1),
      `bad node %1 = negate(%${y.node.id}): operand %${y.node.id} comes later`,
    ],
    [
      'graph',
      forge(new Graph(), 'negate', [x], none, x, 53),
      'bad node %53 = negate(%0): operand %0 is of another graph',
    ],
    [
      'value',
      forge(graph, 'negate', [{ ...x }], none, x, 54),
      'bad node %54 = negate(%0): operand is not an output of its node',
    ],
    [
      'behind',
      negate(forge(graph, 'negate', [x], none, { dtype: 'float32', shape: [9] }, 1)),
      'bad node %1 = negate(%0): output 0 is float32[9]',
    ],
  ])('prints a node of the wrong %s', (_, value, message) => {
    expect(() => verify([value])).toThrow(message);
  });

  it.each([
    ['type', input(graph, 'x', 'float32', [3])],
    ['kind', graph.leaf('weight', { name: 'x' }, { dtype: 'float32', shape: [3] })],
  ])('rejects a second leaf with the same name and another %s', (_, leaf) => {
    expect(() => verify([add(x, leaf)])).toThrow(
      /bad node %\d+ = (input|weight)\(\) name=x: a second leaf named x/,
    );
  });
});
