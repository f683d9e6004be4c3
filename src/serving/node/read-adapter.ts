import { adapterConfigFile, readAdapter } from '../../formats/adapters/node/adapter-folder.ts';
import type { StoredAdapter } from '../../formats/adapters/stored-adapter.ts';
import { folderFiles } from '../../formats/node/folder-files.ts';
import { printGraph } from '../../graph/print.ts';
import { headNamed } from '../../models/heads/registry.ts';
import { PLAIN_SENTENCE } from '../../models/sentence-settings.ts';
import type { LoadedModel } from '../../program/model-weights.ts';
import { evaluationGraph } from '../../program/training-graph.ts';
import { UserError } from '../../support/user-error.ts';
import type { BuildTask } from '../../tasks/task-definition.ts';
import { fittingBase } from '../../trained/fitting-base.ts';
import type { ModelConfig } from '../../trained/model-config.ts';
import { baseOfRun } from '../../trained/node/locate-trained.ts';
import { type Notes, readNotes } from '../../trained/notes.ts';
import { openedTask } from '../../trained/opened-task.ts';
import { buildModel, withChanges } from '../../trained/read-model.ts';
import { knownAdapter, tuneModel } from '../../trained/tune-model.ts';
import { NotMixed } from '../../tuners/bank/not-mixed.ts';
import { packAdapter } from '../../tuners/bank/pack-adapter.ts';
import { FROZEN } from '../../tuners/frozen-tuner.ts';
import type { BaseFolder } from './base-folder.ts';
import { type FoundAdapter, stateOf } from './find-adapters.ts';

/** The files of an adapter, as plain data. */
export interface AdapterContent {
  stored: StoredAdapter;
  notes: Notes | undefined;
}

/** Maximum size of an adapter's tensors: with its head and embeddings, in float32 over a base in 16 bits. */
const MAX_BYTES = { least: 2 ** 26, ofBase: 4 };

/**
 * Reads an adapter, adalora's or PEFT's, and puts it on its base model, so that later errors are unlikely.
 *
 * @throws UserError for anything missing, damaged or made for another base, and for files that change meanwhile
 */
export async function readContent(
  { folder, run, state }: FoundAdapter,
  base: BaseFolder,
): Promise<AdapterContent> {
  const where = adapterConfigFile(folder);
  const stored = await readAdapter(folder, Math.max(MAX_BYTES.least, MAX_BYTES.ofBase * base.bytes));
  checkBase(base, (run && baseOfRun(run)) ?? stored.baseModel, where);
  const known = await readNotes(folderFiles(folder));
  if (stateOf(folder) !== state) throw isChanging(folder);
  if (known?.base_digest !== undefined) checkWeights(base, known.base_digest, where);
  fittingBase(known, base.baseDtype, where);
  const { family, json } = base.described;
  const { notes, build } = openedTask({ family, json, stored, notes: known }, undefined, folder);
  const model = base.model(`${notes?.task} ${notes?.labels.length}`, build);
  if (known?.model_config) checkSame(base, model, build, known.model_config, where);
  checkPooling(base, model, where);
  try {
    packAdapter(model, tuneModel(model, knownAdapter(stored, where), folder), folder);
  } catch (error) {
    if (!(error instanceof NotMixed)) throw error;
  }
  return { stored, notes: known };
}

function checkBase(base: BaseFolder, named: string | null | undefined, where: string): void {
  if (!named || base.isCalled(named)) return;
  throw new UserError({
    where,
    fault: `is an adapter of ${named}, but ${base.name} is served`,
    hint: 'Serve it with its own base model. A base model in another place is recognised by its folder name.',
  });
}

/** Throws if the adapter was trained on another model with the base's name. Their shapes may be equal. */
function checkWeights({ name, folder, digest }: BaseFolder, trainedOn: string, where: string): void {
  if (digest === trainedOn) return;
  throw new UserError({
    where,
    fault: `was trained with another ${name} than the one in ${folder} (fingerprint ${trainedOn.slice(0, 12)}, not ${digest.slice(0, 12)})`,
    hint: 'Serve it with the files it was trained on.',
  });
}

/** Throws if the adapter changes values of the base's config.json that affect the computation. */
function checkSame(
  base: BaseFolder,
  model: LoadedModel,
  build: BuildTask,
  changes: ModelConfig,
  where: string,
): void {
  const changed = buildModel(build, withChanges(base.described, changes));
  const [modelJson, other] = [model, changed].map((of) =>
    printGraph(Object.values(evaluationGraph(of, FROZEN.tuner, 'logits'))),
  );
  if (modelJson === other) return;
  throw new UserError({
    where,
    fault: `was trained with model_config ${JSON.stringify(changes)} and cannot be served`,
    hint: 'Use adalora predict.',
  });
}

/** Throws if an adapter pools differently from the base, because all rows of a batch are pooled in the same way. */
function checkPooling({ described: { family } }: BaseFolder, model: LoadedModel, where: string): void {
  if (headNamed(model.headKind).mainUse !== 'embed') return;
  const [modelPooling, basePooling] = [model.config, family.config].map(({ sentence = PLAIN_SENTENCE }) =>
    JSON.stringify(sentence.pooling),
  );
  if (modelPooling === basePooling) return;
  throw new UserError({
    where,
    fault: `pools vectors with ${modelPooling}, but the base model with ${basePooling}`,
    hint: 'Merge it into its base model (adalora merge) to serve it alone.',
  });
}

function isChanging(folder: string): UserError {
  return new UserError({ where: folder, fault: 'is being written', hint: 'Try again in a moment.' });
}
