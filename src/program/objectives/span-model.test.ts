import { expect, it } from 'vitest';
import { cpu } from '../../../tests/support/backends.ts';
import { gradients } from '../../engine/autodiff/gradients.ts';
import { input } from '../../engine/graph/build.ts';
import { symbol } from '../../engine/graph/dimension.ts';
import { Graph } from '../../engine/graph/graph.ts';
import { lower } from '../../engine/onnx/lower.ts';
import { spanLoss } from './span-model.ts';

// biome-ignore format: a row of positions a line.
const LOGITS = [
  0.5, -1, 2, 0.25,
  0, 1, -0.5, 3,
  1.5, 0.5, 0.25, -2,

  -0.5, 1, 0.75, 0,
  2, -1, 0.5, 0.125,
  1, 1, -3, 0.5,
];
/** The loss of these logits, from transformers 5.24.0 (`ForQuestionAnsweringLoss`) in float64. */
const LOSS = 1.92155429;
// biome-ignore format: as the logits.
const GRADIENT = [
  0.03855871, 0.00860361, -0.07719187, 0.03002955,
  -0.23975844, 0.02783944, 0.00621182, 0.20570718,
  0, 0, 0, 0,
  0.01569255, 0.07032911, 0.05477237, -0.14079403,
  0.11685474, -0.16084881, 0.02607382, 0.01792025,
  -0.10317089, 0.06349578, 0.00116297, 0.03851214,
];

it("the loss of spans equals transformers': positions past the sequence are ignored, below 0 count as 0", async () => {
  const graph = new Graph();
  const logits = input(graph, 'logits', 'float32', [2, symbol('batch'), symbol('sequence')]);
  const loss = spanLoss(logits);
  const [gradient] = gradients(loss, [logits]);
  const session = await cpu.open(lower({ loss, gradient: gradient! }, { target: 'cpu' }));
  const actual = await session.run({
    logits: { data: Float32Array.from(LOGITS), dims: [2, 3, 4] },
    start_positions: { data: Int32Array.of(2, -100, 4), dims: [3] },
    end_positions: { data: Int32Array.of(3, 1, 0), dims: [3] },
  });
  await session.release();
  expect(actual.loss!.data[0]).toBeCloseTo(LOSS, 6);
  GRADIENT.forEach((slope, i) => {
    expect(actual.gradient!.data[i]).toBeCloseTo(slope, 6);
  });
});
