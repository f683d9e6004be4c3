import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { StoredAdapter } from '../../src/input/formats/adapters/stored-adapter.ts';
import { everyParameter } from '../../src/methods/tuners/full/definition.ts';
import { weightStart } from '../../src/methods/tuners/lora/start-factors.ts';
import type { MethodRun } from '../../src/methods/tuners/method-run.ts';
import { findKind } from '../../src/methods/tuners/registry.ts';
import type { ReadRange, TunedValues } from '../../src/methods/tuners/tuner.ts';
import type { BaseDtype } from '../../src/program/bases/base-dtype.ts';
import { nodeEngine } from '../../src/program/node/node-engine.ts';
import type { TaskModel } from '../../src/program/objectives/task-model.ts';
import { Program } from '../../src/program/program.ts';
import type { LoadedModel } from '../../src/program/weight-memory.ts';
import { elementCount } from '../../src/support/arrays.ts';
import { fittingReader } from '../../src/use/trained/fitting-base.ts';
import type { Notes } from '../../src/use/trained/notes.ts';
import { readAdapter } from '../../tests/support/adapter-folder.ts';
import { readSafetensors } from '../../tests/support/safetensors-file.ts';
import { type Findings, largestMagnitude } from './compare.ts';
import { batchOf, feedsOf, logitsOf, withPrefix } from './read-case.ts';
import { inTheirOrder, realLogits } from './real-logits.ts';
import type { TrajectoryKind } from './trajectory-kinds.ts';
import type { TrajectoryTensors } from './trajectory-tensors.ts';

/** Limit relative to the largest logit. */
const PROBE_LIMIT = 1e-5;

/** A trajectory that was replayed to its end. */
export interface Replayed {
  model: LoadedModel<TaskModel>;
  /** The model with weights in float32, and the type of the weights on which it was trained. */
  plain: LoadedModel<TaskModel>;
  baseDtype: BaseDtype;
  run: MethodRun;
  /** The final values. */
  values: Float32Array;
  kind: TrajectoryKind;
  tensors: TrajectoryTensors;
}

/**
 * Compares our adapter with the reference's. Then runs the reference's adapter on our model (unchanged, in
 * its other formats, and merged), and compares the logits with the reference's. If the reference saved no
 * adapter, one is made from its values.
 */
export async function adapterChecks(findings: Findings, folder: string, replayed: Replayed): Promise<void> {
  const { model, plain, baseDtype, run, values, tensors } = replayed;
  const path = join(folder, 'adapter');
  const isSaved = existsSync(path);
  const adapter = isSaved ? await readAdapter(path) : run.store?.(tensors.finalValues(), '../base');
  if (!adapter) return;
  const made = isSaved && run.store?.(values, '../base');
  // PEFT's adapter may be relative to weights that its initialization changed. Ours is a plain LoRA, so they
  // differ.
  const isCompact = replayed.kind.isCompact || weightStart(adapter.config.init_lora_weights) !== undefined;
  if (made && !isCompact) compareAdapters(findings, made, adapter, replayed);

  const probe = readSafetensors(join(folder, 'probe.safetensors'));
  const inputs = withPrefix(probe, 'batch.');
  const batch = batchOf(inputs);
  const check = async (what: string, { tuner, values }: TunedValues, prefix = '', over = model) => {
    const program = new Program(nodeEngine(over, 'cpu'), over, tuner);
    const ours = inTheirOrder(model, await program.predict(values, feedsOf(model, inputs)), batch);
    await program.release();
    const [actual, expected] = [ours, logitsOf(probe, prefix)].map((all) =>
      realLogits(model, all, batch),
    ) as [Float32Array, Float32Array];
    findings.tensor(what, actual, expected, PROBE_LIMIT * largestMagnitude(expected), 'logits');
  };
  if (isCompact) {
    const ours = run.store?.(tensors.finalValues(), '../base');
    if (ours) await check('ours', findKind(ours, path).import(model, ours, path));
  }
  const stored = findKind(adapter, path);
  const imported = stored.import(model, adapter, path);
  await check('probe', imported);
  for (const [form, convert] of Object.entries(stored.exports ?? {})) {
    const converted = convert(adapter, path);
    await check(`as ${form}`, findKind(converted, path).import(model, converted, path));
  }
  const notes = baseDtype === 'float32' ? undefined : ({ base_dtype: baseDtype } as Notes);
  const read = imported.tuner.merged?.(imported.values, fittingReader({ model: plain, notes }));
  // Without recorded logits after merging, the unmerged logits are compared.
  const prefix = [...probe.keys()].some((name) => name.startsWith('merged_')) ? 'merged_' : '';
  if (read) await check('merged', wholeModel(plain, read), prefix, plain);
}

/** A tuned model in which all parameters are trained values, taken from `read`. */
function wholeModel(model: LoadedModel<TaskModel>, read: ReadRange): TunedValues {
  const tuner = everyParameter(model);
  return { tuner, values: tuner.initialValues(0, (name, shape) => read(name, 0, elementCount(shape))) };
}

function compareAdapters(
  findings: Findings,
  made: StoredAdapter,
  expected: StoredAdapter,
  { kind, tensors }: Replayed,
): void {
  findings.names('adapter_config.json', Object.keys(made.config), Object.keys(expected.config));
  for (const [key, value] of Object.entries(expected.config)) {
    if (kind.notCompared.includes(key)) continue;
    findings.equal(`adapter_config.json: ${key}`, sortedKeys(made.config[key]), sortedKeys(value));
  }
  const named = [...expected.tensors].flatMap(([key, tensor]) => {
    const name = kind.ourName(key);
    return name === undefined ? [] : [{ key, name, ...tensor }];
  });
  findings.names(
    'adapter',
    made.tensors.keys(),
    named.map(({ key }) => key),
  );
  for (const { key, name, shape, data } of named) {
    const ours = made.tensors.get(key);
    if (!ours) continue;
    findings.equal(`shape of ${key}`, ours.shape, shape);
    if (!tensors.isNoise(name)) tensors.compare(findings, 'adapter', name, ours.data, data);
  }
}

function sortedKeys(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
}
