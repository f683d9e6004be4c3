import { expect, it } from 'vitest';
import type { Value } from '../../engine/graph/graph.ts';
import { everyParameter } from '../../methods/tuners/full/definition.ts';
import { PIXELS } from '../../models/families/vision/tower.ts';
import { average } from '../../models/nn/losses.ts';
import { countParts } from '../../program/batch-part.ts';
import type { Engine } from '../../program/engine.ts';
import { nodeEngine } from '../../program/node/node-engine.ts';
import { classLoss, LABELS, sequenceModel } from '../../program/objectives/sequence-loss.ts';
import { Program } from '../../program/program.ts';
import { Random } from '../../support/random.ts';
import { openModel } from '../../use/trained/node/load-model.ts';
import { differentiateStep } from './differentiate-step.ts';

/** An image of this model has 10 tokens, so a part has at most 110 images. */
const FIXTURE = 'src/models/fixtures/models/dinov2-pictures';
const [EXAMPLES, PARTS] = [250, [84, 83, 83]];

it('differentiates many images in parts, with the result of the whole batch', async () => {
  const model = await openModel(FIXTURE, (family, config) =>
    sequenceModel(family, { ...config, numLabels: 3 }, classLoss),
  );
  const engine = nodeEngine(model, 'cpu');
  const computed: number[] = [];
  const counting: Engine = {
    async open(outputs, options) {
      const session = await engine.open(outputs, options);
      return {
        ...session,
        run(feeds, into) {
          computed.push(feeds[PIXELS]!.dims[0]!);
          return session.run(feeds, into);
        },
      };
    },
  };
  const tuner = everyParameter(model);
  const values = tuner.initialValues(0, model.reader(0));
  const program = new Program(counting, model, tuner);
  const dims = [EXAMPLES, 3, 12, 12];
  const feeds = {
    [PIXELS]: { data: new Random(0, 'images').normals(EXAMPLES * 3 * 12 * 12, 1), dims },
    [LABELS]: { data: Int32Array.from({ length: EXAMPLES }, (_, i) => (i * i) % 3), dims: [EXAMPLES] },
  };
  const whole = await program.differentiate(values, feeds, 0, 0);
  const expected = whole.gradient.slice();
  const size = { examples: EXAMPLES, tokens: EXAMPLES * 10 };
  const batches = [{ feeds, ...size, weight: 1, number: 0 }];
  const step = await differentiateStep(program, values, batches, 0);
  await program.release();
  const customLoss = (logits: Value) => average(logits);
  const own = new Program(counting, model, tuner, { customLoss });
  await differentiateStep(own, values, batches, 0);
  await own.release();
  model.close();
  // A user's loss gets the whole batch.
  expect(computed).toEqual([EXAMPLES, ...PARTS, EXAMPLES]);
  // Sums of absolute values over parts are not those over the batch.
  expect(countParts(model, { watches: 1 }, size)).toBe(1);
  expect(countParts(model, {}, size, { masks: 'graph' })).toBe(1);
  expect(countParts(model, {}, { examples: 32, tokens: 2048 })).toBe(1);
  // The parts sum the same float32 numbers in another order.
  expect(step.loss).toBeCloseTo(whole.loss, 5);
  const scale = Math.max(...expected.map(Math.abs));
  expect(Math.max(...expected.map((slope, i) => Math.abs(slope - step.gradient[i]!) / scale))).toBeLessThan(
    1e-5,
  );
});
