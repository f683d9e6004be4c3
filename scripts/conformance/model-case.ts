import { join } from 'node:path';
import { everyParameter } from '../../src/methods/tuners/full/definition.ts';
import { nodeEngine } from '../../src/program/node/node-engine.ts';
import type { TaskModel } from '../../src/program/objectives/task-model.ts';
import { Program } from '../../src/program/program.ts';
import { readSafetensors } from '../../tests/support/safetensors-file.ts';
import { Findings, largestMagnitude } from './compare.ts';
import { generatedChecks } from './generated-checks.ts';
import { loadCase } from './load-case.ts';
import {
  batchOf,
  feedsOf,
  floats,
  logitsOf,
  modelCaseSchema,
  named,
  readDescription,
  type StoredTensors,
} from './read-case.ts';
import { inTheirOrder, realLogits } from './real-logits.ts';

/** Checks the logits, the loss and the gradients of all parameters for one model on one batch. */
export async function modelCase(folder: string): Promise<Findings> {
  const { task_type } = readDescription(modelCaseSchema, join(folder, 'case.json'));
  const inputs = readSafetensors(join(folder, 'batch.safetensors'));
  const expected = readSafetensors(join(folder, 'expected.safetensors'));

  const model = loadCase(folder, task_type, inputs);
  const gradients = byOurNames(model, readSafetensors(join(folder, 'gradients.safetensors')));
  const tuner = everyParameter(model);
  const engine = nodeEngine(model, 'cpu');
  const program = new Program(engine, model, tuner);
  try {
    const values = tuner.initialValues(0, model.reader(0));
    const findings = new Findings();
    const batch = batchOf(inputs);
    const logits = realLogits(model, logitsOf(expected), batch);
    const feeds = feedsOf(model, inputs);
    const ours = realLogits(model, inTheirOrder(model, await program.predict(values, feeds), batch), batch);
    findings.tensor('logits', ours, logits, limitOf(logits), 'logits');

    const { loss, gradient } = await program.differentiate(values, feeds, 0, 1);
    const expectedLoss = floats(named(expected, 'loss'));
    findings.tensor('loss', [loss], expectedLoss, limitOf(expectedLoss), 'loss');
    findings.names('parameters', model.parameters.keys(), gradients.keys());
    for (const [name, tensor] of gradients) {
      if (!tuner.layout.find(name)) continue;
      findings.tensor(
        'gradients',
        tuner.layout.read(gradient, name),
        floats(tensor),
        limitOf(floats(tensor)),
        name,
      );
    }
    await generatedChecks(findings, folder, { engine, model, tuner, values }, inputs);
    return findings;
  } finally {
    await program.release();
    model.close();
  }
}

/** Renames tied parameters to our names, because transformers may list them under others. */
function byOurNames({ definition, parameters }: TaskModel, tensors: StoredTensors): StoredTensors {
  const names = Object.entries(definition.tiedNames ?? {}).flatMap(([ours, others]) =>
    others.filter((other) => !parameters.has(other)).map((other) => [other, ours] as const),
  );
  const ours = new Map(names);
  return new Map([...tensors].map(([name, tensor]) => [ours.get(name) ?? name, tensor]));
}

function limitOf(expected: Float32Array): number {
  return 1e-5 + 1e-4 * largestMagnitude(expected);
}
