import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readAdapter } from '../../src/formats/adapters/node/adapter-folder.ts';
import { readSafetensors } from '../../src/formats/node/safetensors-file.ts';
import type { TaskModel } from '../../src/objectives/task-model.ts';
import { nodeEngine } from '../../src/program/node/node-engine.ts';
import { Program } from '../../src/program/program.ts';
import type { LoadedModel } from '../../src/trained/node/load-model.ts';
import { FullTuner } from '../../src/tuners/full/full-tuner.ts';
import type { PeftAdapter } from '../../src/tuners/low-rank/export-adapter.ts';
import { type ImportedAdapter, importAdapter } from '../../src/tuners/low-rank/import-adapter.ts';
import { mergedReader } from '../../src/tuners/low-rank/merged-reader.ts';
import { formatAdapterConfig } from '../../src/tuners/low-rank/peft-config.ts';
import { plainLora } from '../../src/tuners/low-rank/plain-lora.ts';
import { type Findings, largestMagnitude } from './compare.ts';
import { batchOf, feedsOf, logitsOf, withPrefix } from './read-case.ts';
import { inTheirOrder, realLogits } from './real-logits.ts';
import { VOID_FOR_ADALORA } from './trajectory-method.ts';
import { ourName, type TrajectoryTensors } from './trajectory-tensors.ts';

/** Of the largest logit. */
const PROBE_LIMIT = 1e-5;

/**
 * Keys whose values PEFT does not write as they were given: it resolves `all-linear` to names, lists target modules in
 * no order, and always names the heads of all its architectures. The tensors show what is adapted and saved.
 */
const REWRITTEN = ['target_modules', 'modules_to_save'];

/**
 * Compares the adapter we export with the folder PEFT saved, and PEFT's adapter on our model, as it is, as plain LoRA
 * and merged, with PEFT's logits.
 */
export async function adapterChecks(
  findings: Findings,
  folder: string,
  model: LoadedModel<TaskModel>,
  exported: PeftAdapter | undefined,
  tensors: TrajectoryTensors,
): Promise<void> {
  const path = join(folder, 'adapter');
  const adapter = readAdapter(path);
  if (exported) {
    checkConfig(findings, exported, JSON.parse(readFileSync(join(path, 'adapter_config.json'), 'utf8')));
    checkTensors(findings, exported, adapter, tensors);
  }
  const probe = readSafetensors(join(folder, 'probe.safetensors'));
  const inputs = withPrefix(probe, 'batch.');
  const batch = batchOf(inputs);
  const [logits, mergedLogits] = [logitsOf(probe), logitsOf(probe, 'merged_')];
  const check = async (kind: string, adapted: ImportedAdapter, theirs: Float32Array) => {
    const program = new Program(nodeEngine(model, 'cpu'), model, adapted.tuner);
    const ours = inTheirOrder(model, await program.predict(adapted.values, feedsOf(model, inputs)), batch);
    await program.release();
    const [actual, expected] = [ours, theirs].map((values) => realLogits(model, values, batch));
    findings.tensor(kind, actual, expected, PROBE_LIMIT * largestMagnitude(expected), 'logits');
  };
  const imported = importAdapter(model, adapter, path);
  await check('probe', imported, logits);
  await check('as lora', importAdapter(model, plainLora(adapter, path), path), logits);
  await check('merged', merged(model, imported), mergedLogits);
}

/** The model with the adapter merged, all of whose parameters then are values. */
function merged(model: LoadedModel<TaskModel>, adapter: ImportedAdapter): ImportedAdapter {
  const tuner = new FullTuner(model);
  const read = mergedReader(adapter, model.readRange);
  const values = tuner.initialValues(0, (name, shape) =>
    read(
      name,
      0,
      shape.reduce((a, b) => a * b, 1),
    ),
  );
  return { tuner, values };
}

function checkConfig(findings: Findings, exported: PeftAdapter, expected: Record<string, unknown>): void {
  const ours = JSON.parse(formatAdapterConfig(exported.config));
  findings.names('adapter_config.json', Object.keys(ours), Object.keys(expected));
  const ignored = expected.peft_type === 'ADALORA' ? [...REWRITTEN, ...VOID_FOR_ADALORA] : REWRITTEN;
  for (const [key, value] of Object.entries(expected)) {
    if (!ignored.includes(key))
      findings.equal(`adapter_config.json: ${key}`, sortedKeys(ours[key]), sortedKeys(value));
  }
}

function checkTensors(
  findings: Findings,
  exported: PeftAdapter,
  expected: PeftAdapter,
  tensors: TrajectoryTensors,
): void {
  const keys = [...expected.tensors.keys()].filter((key) => ourName(key) !== undefined);
  findings.names('adapter', exported.tensors.keys(), keys);
  for (const [key, { shape, data }] of expected.tensors) {
    const name = ourName(key);
    if (name === undefined) continue;
    const ours = exported.tensors.get(key);
    if (!ours) continue;
    findings.equal(`shape of ${key}`, ours.shape, shape);
    if (!tensors.isNoise(name)) tensors.compare(findings, 'adapter', name, ours.data, data);
  }
}

function sortedKeys(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
}
