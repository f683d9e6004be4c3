import { expect, it } from 'vitest';
import { add, constant, input, layerNorm, matmul, reshape, softmax, sum, weight } from './build.ts';
import { multiplyDimensions, symbol } from './dimension.ts';
import { Graph } from './graph.ts';
import { printGraph } from './print.ts';

const batch = symbol('batch');
const rows = multiplyDimensions(batch, symbol('sequence'));

function program(graph: Graph) {
  const x = input(graph, 'x', 'float32', [batch, symbol('sequence'), 4]);
  const w = weight(graph, 'encoder.weight', [2, 4]);
  const flat = matmul(reshape(x, [rows, 4]), w, { transposeB: true, scale: 0.5 });
  const [y, mean] = layerNorm(add(flat, 1), constant(graph, [1, 1]), constant(graph, [0, 2]), 1e-5);
  return [softmax(y), sum(mean, [0, 1])];
}

it('prints one node per line, with types', () => {
  expect(printGraph(program(new Graph()))).toMatchInlineSnapshot(`
    "%0 = input() name=x : float32[batch,sequence,4]
    %1 = weight() name=encoder.weight : float32[2,4]
    %2 = reshape(%0) shape=[batch*sequence,4] : float32[batch*sequence,4]
    %3 = matmul(%2, %1) transposeA=false transposeB=true scale=0.5 : float32[batch*sequence,2]
    %4 = constant() data=[1] : float32[]
    %5 = add(%3, %4) : float32[batch*sequence,2]
    %6 = constant() data=[1,1] : float32[2]
    %7 = constant() data=[0,2] : float32[2]
    %8 = layerNorm(%5, %6, %7) epsilon=0.00001 : float32[batch*sequence,2], float32[batch*sequence,1], float32[batch*sequence,1]
    %9 = softmax(%8.0) : float32[batch*sequence,2]
    %10 = sum(%8.1) axes=[0,1] keepDims=false : float32[]
    return %9, %10"
  `);
});

it('marks second computations', () => {
  const graph = new Graph();
  const sum = add(constant(graph, [5]), constant(graph, [7]));
  const [second] = graph.again(sum.node);
  expect(printGraph([sum, second, ...graph.again(second.node)])).toMatchInlineSnapshot(`
    "%0 = constant() data=[5] : float32[1]
    %1 = constant() data=[7] : float32[1]
    %2 = add(%0, %1) : float32[1]
    %3 = add again(%0, %1) : float32[1]
    %4 = add again 2(%0, %1) : float32[1]
    return %2, %3, %4"
  `);
});

it('prints equal programs equally, whatever else is in their graphs', () => {
  const graph = new Graph();
  add(constant(graph, [5]), constant(graph, [7]));
  expect(printGraph(program(graph))).toBe(printGraph(program(new Graph())));
});
