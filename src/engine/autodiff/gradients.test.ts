import { describe, expect, it } from 'vitest';
import {
  add,
  cast,
  gather,
  greater,
  input,
  layerNorm,
  matmul,
  multiply,
  slice,
  stopGradient,
  sum,
  tanh,
  weight,
  where,
  window,
} from '../graph/build.ts';
import { symbol } from '../graph/dimension.ts';
import { Graph, type Value } from '../graph/graph.ts';
import { printGraph, reachable } from '../graph/print.ts';
import { gradients } from './gradients.ts';

function leaves() {
  const graph = new Graph();
  return {
    graph,
    x: input(graph, 'x', 'float32', [symbol('batch'), 4]),
    trained: input(graph, 'trained', 'float32', [3, 2]),
    bias: input(graph, 'bias', 'float32', [2]),
  };
}

function total(value: Value): Value {
  const axes = value.shape.map((_, axis) => axis);
  return sum(value, axes);
}

/* tests/ops.test.ts checks that each rule is right. This file checks which rules are applied. */
describe('gradients', () => {
  it('form nothing below the first trained layer', () => {
    const { graph, x, trained, bias } = leaves();
    const hidden = tanh(matmul(x, weight(graph, 'frozen', [4, 3])));
    const loss = total(add(matmul(hidden, trained), bias));
    expect(printGraph(gradients(loss, [trained, bias]))).toMatchInlineSnapshot(`
      "%0 = input() name=x : float32[batch,4]
      %1 = weight() name=frozen : float32[4,3]
      %2 = matmul(%0, %1) transposeA=false transposeB=false scale=1 : float32[batch,3]
      %3 = tanh(%2) : float32[batch,3]
      %4 = constant() data=[1] : float32[]
      %5 = reshape(%4) shape=[1,1] : float32[1,1]
      %6 = expand(%5) shape=[batch,2] : float32[batch,2]
      %7 = sum(%6) axes=[0] keepDims=true : float32[1,2]
      %8 = reshape(%7) shape=[2] : float32[2]
      %9 = matmul(%3, %6) transposeA=true transposeB=false scale=1 : float32[3,2]
      return %9, %8"
    `);
  });

  it("pass through a frozen layer to the trained one below it, without forming the frozen one's", () => {
    const { graph, trained } = leaves();
    const y = matmul(matmul(tanh(trained), weight(graph, 'upper', [2, 2])), weight(graph, 'top', [2, 1]));
    expect(printGraph(gradients(total(y), [trained]))).toMatchInlineSnapshot(`
      "%0 = input() name=trained : float32[3,2]
      %1 = tanh(%0) : float32[3,2]
      %2 = weight() name=upper : float32[2,2]
      %3 = weight() name=top : float32[2,1]
      %4 = constant() data=[1] : float32[]
      %5 = reshape(%4) shape=[1,1] : float32[1,1]
      %6 = expand(%5) shape=[3,1] : float32[3,1]
      %7 = matmul(%6, %3) transposeA=false transposeB=true scale=1 : float32[3,2]
      %8 = matmul(%7, %2) transposeA=false transposeB=true scale=1 : float32[3,2]
      %9 = multiply(%1, %1) : float32[3,2]
      %10 = subtract(%4, %9) : float32[3,2]
      %11 = multiply(%8, %10) : float32[3,2]
      return %11"
    `);
  });

  it('sum over all uses', () => {
    const { bias } = leaves();
    expect(printGraph(gradients(total(multiply(bias, tanh(bias))), [bias]))).toMatchInlineSnapshot(`
      "%0 = input() name=bias : float32[2]
      %1 = tanh(%0) : float32[2]
      %2 = constant() data=[1] : float32[]
      %3 = reshape(%2) shape=[1] : float32[1]
      %4 = expand(%3) shape=[2] : float32[2]
      %5 = multiply(%4, %1) : float32[2]
      %6 = multiply(%4, %0) : float32[2]
      %7 = multiply(%1, %1) : float32[2]
      %8 = subtract(%2, %7) : float32[2]
      %9 = multiply(%6, %8) : float32[2]
      %10 = add(%5, %9) : float32[2]
      return %10"
    `);
  });

  it('of adjacent slices are concatenated, with zeros only around them', () => {
    const { x } = leaves();
    const part = (start: number, end: number) => tanh(slice(x, 1, start, end));
    const texts = (parts: Value[]) => {
      const loss = parts.map(total).reduce((a, b) => add(a, b));
      return printGraph(gradients(loss, [x])).match(/ (pad|concat)\(.*|add\(.* : float32\[batch,4\]/g) ?? [];
    };
    expect(texts([part(2, 4), part(0, 1), part(1, 2)])).toEqual([
      expect.stringMatching(/ concat\(.*, .*, .*\) axis=1 : float32\[batch,4\]/),
    ]);
    expect(texts([part(1, 2), part(2, 3)])).toEqual([
      expect.stringMatching(/ concat\(.*, .*\) axis=1 : float32\[batch,2\]/),
      expect.stringMatching(/ pad\(.*\) axis=1 before=1 after=1 /),
    ]);
    // Overlapping slices are added.
    expect(texts([part(0, 3), part(1, 4)])).toEqual([
      expect.stringMatching(/ pad\(.*\) axis=1 before=1 after=0 /),
      expect.stringMatching(/ pad\(.*\) axis=1 before=0 after=1 /),
      expect.stringMatching(/^add/),
    ]);
  });

  it('of a product of a matrix with itself use one product', () => {
    const { trained } = leaves();
    const text = printGraph(
      gradients(total(tanh(matmul(trained, trained, { transposeB: true }))), [trained]),
    );
    expect(text.match(/matmul/g)).toHaveLength(2);
  });

  it('treat a wrt value as a leaf: nothing behind it is differentiated', () => {
    const { bias } = leaves();
    const hidden = tanh(bias);
    const loss = total(multiply(hidden, hidden));
    expect(printGraph(gradients(loss, [hidden]))).not.toContain('subtract');
    expect(() => gradients(loss, [hidden, bias])).toThrow(
      `the loss does not depend on %${bias.node.id} (input)`,
    );
    expect(gradients(loss, [loss])[0]!.shape).toEqual([]);
  });

  it('need a scalar', () => {
    const { bias } = leaves();
    expect(() => gradients(bias, [bias])).toThrow('the loss must be a scalar, not [2]');
  });

  it('reject a value that the loss does not depend on', () => {
    const { x, bias } = leaves();
    expect(() => gradients(total(x), [bias])).toThrow(`the loss does not depend on %${bias.node.id} (input)`);
    const choice = where(greater(bias, 0), 1, 2);
    expect(() => gradients(total(choice), [bias])).toThrow('the loss does not depend on');
  });

  it('reject an op without a derivative', () => {
    const { graph, x, bias } = leaves();
    expect(() => gradients(total(cast(greater(bias, 0), 'float32')), [bias])).toThrow(
      /^cast \(node %\d+\) has no derivative$/,
    );
    const start = input(graph, 'start', 'int32', []);
    expect(() => gradients(total(window(bias, start, [1])), [bias])).toThrow(
      /^window \(node %\d+\) has no derivative$/,
    );
    const [, mean] = layerNorm(
      x,
      input(graph, 'gain', 'float32', [4]),
      input(graph, 'shift', 'float32', [4]),
      1e-5,
    );
    expect(() => gradients(total(mean), [x])).toThrow(
      'layerNorm: only the normalized output is differentiable',
    );
  });

  it("leave out a table's padding row", () => {
    const { graph, trained } = leaves();
    const rows = gather(trained, input(graph, 'ids', 'int32', [5]), 1);
    expect(printGraph(gradients(total(rows), [trained]))).toMatchInlineSnapshot(`
      "%0 = input() name=ids : int32[5]
      %1 = constant() data=[1] : float32[]
      %2 = reshape(%1) shape=[1,1] : float32[1,1]
      %3 = expand(%2) shape=[5,2] : float32[5,2]
      %4 = reshape(%0) shape=[5,1] : int32[5,1]
      %5 = constant() data=[1] : int32[]
      %6 = equal(%4, %5) : bool[5,1]
      %7 = constant() data=[0] : float32[]
      %8 = where(%6, %7, %3) : float32[5,2]
      %9 = scatterAdd(%0, %8) rows=3 : float32[3,2]
      return %9"
    `);
  });

  it('have the shapes of their values', () => {
    const { graph, bias } = leaves();
    const ids = input(graph, 'ids', 'int32', [symbol('batch'), symbol('sequence')]);
    const table = input(graph, 'table', 'float32', [7, 2]);
    const loss = total(multiply(add(gather(table, ids), bias), 2));
    expect(gradients(loss, [table, bias]).map(({ shape }) => shape)).toEqual([[7, 2], [2]]);
  });

  it('read values between two cuts from a second computation, which waits for the first gradient there', () => {
    const { graph, x } = leaves();
    const square = input(graph, 'square', 'float32', [4, 4]);
    const layer = (hidden: Value) => tanh(matmul(hidden, square));
    const first = layer(x);
    const [slope] = gradients(total(layer(first)), [square], [x, first]);
    expect(printGraph([slope!])).toMatchInlineSnapshot(`
      "%0 = input() name=x : float32[batch,4]
      %1 = input() name=square : float32[4,4]
      %2 = matmul(%0, %1) transposeA=false transposeB=false scale=1 : float32[batch,4]
      %3 = tanh(%2) : float32[batch,4]
      %4 = matmul(%3, %1) transposeA=false transposeB=false scale=1 : float32[batch,4]
      %5 = tanh(%4) : float32[batch,4]
      %6 = constant() data=[1] : float32[]
      %7 = reshape(%6) shape=[1,1] : float32[1,1]
      %8 = expand(%7) shape=[batch,4] : float32[batch,4]
      %9 = multiply(%5, %5) : float32[batch,4]
      %10 = subtract(%6, %9) : float32[batch,4]
      %11 = multiply(%8, %10) : float32[batch,4]
      %12 = matmul(%11, %1) transposeA=false transposeB=true scale=1 : float32[batch,4]
      %13 = matmul(%3, %11) transposeA=true transposeB=false scale=1 : float32[4,4]
      %14 = after(%0, %12) : float32[batch,4]
      %15 = after(%1, %12) : float32[4,4]
      %16 = matmul again(%14, %15) transposeA=false transposeB=false scale=1 : float32[batch,4]
      %17 = tanh again(%16) : float32[batch,4]
      %18 = multiply(%17, %17) : float32[batch,4]
      %19 = subtract(%6, %18) : float32[batch,4]
      %20 = multiply(%12, %19) : float32[batch,4]
      %21 = matmul(%14, %20) transposeA=true transposeB=false scale=1 : float32[4,4]
      %22 = add(%13, %21) : float32[4,4]
      return %22"
    `);
  });

  it('end at stopGradient', () => {
    const { x } = leaves();
    const [slope] = gradients(total(multiply(x, stopGradient(multiply(x, x)))), [x]);
    const ops = reachable([slope!]).map(({ op }) => op);
    // The derivative of x · c is c: one product, with `c` itself.
    expect(ops.filter((op) => op === 'multiply')).toHaveLength(2);
    expect(ops).toContain('stopGradient');
  });

  it('recompute the output of a layer norm, unless its input is not kept', () => {
    const { graph, x } = leaves();
    const gain = input(graph, 'gain', 'float32', [4]);
    const norms = (before: Value, wrt: Value) => {
      const [y] = layerNorm(before, gain, gain, 1e-5);
      const [gradient] = gradients(total(matmul(y, wrt, { transposeB: true })), [wrt]);
      return reachable([gradient!]).flatMap(({ op, repeat }) => (op === 'layerNorm' ? [repeat] : []));
    };
    const square = input(graph, 'square', 'float32', [4, 4]);
    expect(norms(matmul(x, square), square)).toEqual([0, 1]);
    expect(norms(x, square)).toEqual([0]);
  });

  it('with cuts read a mask from a separate window after the gate, not from the second computation', () => {
    const { graph, x } = leaves();
    const pool = input(graph, 'pool', 'float32', [symbol('pool')]);
    const masked = multiply(x, window(pool, input(graph, 'start', 'int32', []), x.shape));
    const layer = tanh(masked);
    const [slope] = gradients(total(multiply(layer, layer)), [x], [layer]);
    const windows = reachable([slope!]).filter(({ op }) => op === 'window');
    expect(windows.map(({ inputs, repeat }) => [inputs[0].node.op, repeat])).toEqual([
      ['input', 0],
      ['after', 1],
      ['after', 2],
    ]);
  });
});
