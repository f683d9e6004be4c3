import { describe, expect, it } from 'vitest';
import { gradients } from '../src/engine/autodiff/gradients.ts';
import {
  add,
  cast,
  constant,
  equal,
  gather,
  gelu,
  input,
  layerNorm,
  log,
  matmul,
  multiply,
  reshape,
  softmax,
  sum,
  transpose,
} from '../src/engine/graph/build.ts';
import { multiplyDimensions, symbol } from '../src/engine/graph/dimension.ts';
import { Graph, type Value } from '../src/engine/graph/graph.ts';
import { reachable } from '../src/engine/graph/print.ts';
import { lower } from '../src/engine/onnx/lower.ts';
import type { Tensors } from '../src/engine/runtime/session.ts';
import { Random } from '../src/support/random.ts';
import { opCases } from './ops/cases.ts';
import { type Backend, cpu, webgpu } from './support/backends.ts';
import { checkOp } from './support/check-op.ts';
import { webgpuProblem } from './support/webgpu-problem.ts';

const VOCABULARY = 11;
const WIDTH = 8;
const CLASSES = 3;
const SHAPES = {
  table: [VOCABULARY, WIDTH],
  gain: [WIDTH],
  shift: [WIDTH],
  inner: [WIDTH, WIDTH],
  bias: [WIDTH],
  outer: [CLASSES, WIDTH],
};

/** Loss and gradients of a small text classifier: embedding, layer norm, a layer with GELU, softmax. */
function trainingStep(): Record<string, Value> {
  const graph = new Graph();
  const [batch, sequence] = [symbol('batch'), symbol('sequence')];
  const rows = multiplyDimensions(batch, sequence);
  const tokens = input(graph, 'tokens', 'int32', [batch, sequence]);
  const labels = input(graph, 'labels', 'int32', [batch, 1]);
  const parameters = Object.entries(SHAPES).map(([name, shape]) => input(graph, name, 'float32', shape));
  const [table, gain, shift, inner, bias, outer] = parameters as [Value, Value, Value, Value, Value, Value];

  const [normal] = layerNorm(gather(table, tokens), gain, shift, 1e-5);
  const hidden = add(matmul(reshape(normal, [rows, WIDTH]), inner), bias);
  const active = reshape(gelu(hidden), [batch, sequence, WIDTH]);
  const pooled = sum(transpose(active, [1, 0, 2]), [0]);
  const likelihood = log(softmax(matmul(pooled, outer, { transposeB: true })));
  const isLabel = cast(equal(labels, constant(graph, [0, 1, 2], [CLASSES], 'int32')), 'float32');
  const loss = multiply(sum(multiply(likelihood, isLabel), [0, 1]), -1);
  const slopes = gradients(loss, parameters);
  return {
    loss,
    ...Object.fromEntries(parameters.map((_, i) => [`d_${Object.keys(SHAPES)[i]}`, slopes[i]])),
  };
}

function batchAndParameters(): Tensors {
  const random = new Random(0, 'webgpu');
  const tokens = Int32Array.from({ length: 2 * 5 }, () => random.integer(VOCABULARY));
  const parameters = Object.entries(SHAPES).map(([name, dims]) => {
    const data = random.normals(
      dims.reduce((a, b) => a * b),
      0.5,
    );
    return [name, { data, dims }];
  });
  return {
    tokens: { data: tokens, dims: [2, 5] },
    labels: { data: Int32Array.of(2, 0), dims: [2, 1] },
    ...Object.fromEntries(parameters),
  };
}

async function results({ open, target }: Backend): Promise<Tensors> {
  const session = await open(lower(trainingStep(), { target }));
  const outputs = await session.run(batchAndParameters());
  await session.release();
  return outputs;
}

describe('WebGPU in Node', () => {
  const problem = webgpuProblem();

  it('computes loss and gradients as the cpu does', async ({ skip }) => {
    if (problem) skip(problem);
    const [expected, actual] = [await results(cpu), await results(webgpu)];
    expect(Object.keys(actual)).toEqual(Object.keys(expected));
    for (const [name, { data, dims }] of Object.entries(actual)) {
      expect(dims).toEqual(expected[name]!.dims);
      // Both in float32, summed in different orders.
      const distance = Math.max(...data.map((element, i) => Math.abs(element - expected[name]!.data[i]!)));
      expect(distance, name).toBeLessThan(1e-4);
    }
  });

  // The parts that the step lacks: products with leading axes, and a case of each op that is not in it. Not all
  // cases, because a software driver takes 0.1 s or more to compile a shader.
  const seen = new Set<string>(reachable(Object.values(trainingStep())).map(({ op }) => op));
  const unseen = Object.entries(opCases).flatMap(([op, [first]]) => (seen.has(op) ? [] : [first!]));
  it.for([opCases.matmul![1]!, ...unseen])('computes $name', (opCase, { skip }) =>
    problem ? skip(problem) : checkOp(opCase, webgpu),
  );
});
