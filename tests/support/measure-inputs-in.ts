import { loadCase } from '../../scripts/conformance/load-case.ts';
import { feedsOf, withPrefix } from '../../scripts/conformance/read-case.ts';
import type { MeasuredAllocation, MethodRun } from '../../src/methods/tuners/method-run.ts';
import { nodeEngine } from '../../src/program/node/node-engine.ts';
import type { LoadedModel } from '../../src/program/weight-memory.ts';
import { moduleInputs } from '../../src/training/train/measure-first.ts';
import { readSafetensors } from './safetensors-file.ts';

/** The models and batches on which inputs of modules are measured: `bert` (SEQ_CLS) and `gpt2` (CAUSAL_LM). */
const FIXTURES = 'src/methods/tuners/fixtures/eva';

/** A model of the fixtures and its batches. */
export function measuredModel(name: string) {
  const folder = `${FIXTURES}/${name}`;
  const batches = readSafetensors(`${folder}/batches.safetensors`);
  const count = new Set([...batches.keys()].map((key) => key.split('.')[0])).size;
  const parts = Array.from({ length: count }, (_, i) => withPrefix(batches, `${i}.`));
  const model = loadCase(`${folder}/base`, name === 'bert' ? 'SEQ_CLS' : 'CAUSAL_LM', parts[0]!);
  return { model, feeds: parts.map((part) => feedsOf(model, part)) };
}

/** Starts a method that needs the inputs of modules and no gradient, lets it measure, and returns its initial values. */
export async function measureInputsIn<Run extends MethodRun>(
  name: string,
  start: (model: LoadedModel) => Run,
): Promise<{ run: Run; found: MeasuredAllocation; values: Float32Array }> {
  const { model, feeds } = measuredModel(name);
  const run = start(model);
  function* cycled() {
    for (;;) yield* feeds;
  }
  const found = await run.measurement!.settle(
    0,
    new Float32Array(0),
    () => Promise.reject(new Error('not asked')),
    (paths) => moduleInputs({ model, engine: nodeEngine(model, 'cpu') }, paths, cycled()),
  );
  const values = run.tuner.initialValues(3, model.reader(3));
  found.begin!(values);
  model.close();
  return { run, found, values };
}
