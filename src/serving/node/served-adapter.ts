import { adapterConfigFile, readAdapter } from '../../formats/adapters/node/adapter-folder.ts';
import { folderFiles } from '../../formats/node/folder-files.ts';
import { HEAD_KINDS, headNamed, headOfClass } from '../../models/heads/registry.ts';
import { UserError } from '../../support/user-error.ts';
import type { Family } from '../../trained/bind-model.ts';
import { fittingBase } from '../../trained/fitting-base.ts';
import { baseOfRun } from '../../trained/node/locate-trained.ts';
import { readNotes } from '../../trained/notes.ts';
import { type OpenedTask, openedTask } from '../../trained/opened-task.ts';
import { type DescribedModel, withChanges } from '../../trained/read-model.ts';
import { knownAdapter, tuneModel } from '../../trained/tune-model.ts';
import { packAdapter } from '../../tuners/bank/pack-adapter.ts';
import { NO_ADAPTER } from '../../tuners/bank/packed-adapter.ts';
import { FROZEN } from '../../tuners/frozen-tuner.ts';
import type { TunedValues } from '../../tuners/tuner.ts';
import type { ServedModel } from '../served-model.ts';
import type { BaseFolder } from './base-folder.ts';
import { type FoundAdapter, stateOf } from './find-adapters.ts';
import type { PackedCache } from './packed-cache.ts';

/**
 * Reads an adapter of a base model, adalora's or PEFT's.
 *
 * @param name the name under which it is served
 * @throws UserError for anything missing, damaged or made for another base, and for files that change meanwhile
 */
export async function servedAdapter(
  { folder, run, state }: FoundAdapter,
  name: string,
  base: BaseFolder,
  cache: PackedCache,
): Promise<ServedModel> {
  const read = async () => {
    const stored = await readAdapter(folder);
    if (stateOf(folder) !== state) throw isChanging(folder);
    return stored;
  };
  const stored = await read();
  const where = adapterConfigFile(folder);
  checkBase(base, (run && baseOfRun(run)) ?? stored.baseModel, where);
  const known = await readNotes(folderFiles(folder));
  if (known?.base_digest !== undefined) checkWeights(base, known.base_digest, where);
  fittingBase(known, base.baseDtype, where);
  const described = withChanges(base.described, known?.model_config);
  const opened = openedTask({ ...described, stored, notes: known }, undefined, folder);
  const model = base.model(opened.model);
  // The first load takes what the check has read.
  let checked: TunedValues | undefined = tuneModel(model, knownAdapter(stored, where), folder);
  const { virtualTokens } = checked.tuner;
  const served: ServedModel = {
    ...{ name, folder, parent: base.name, created: Math.floor(Date.now() / 1000) },
    outputs: model.config.numLabels,
    trained: base.trained(name, { ...opened, model }, virtualTokens),
    load: () => cache.get(served, async () => packAdapter(model, await served.tuned(), folder)),
    async tuned() {
      const tuned = checked;
      checked = undefined;
      return tuned ?? tuneModel(model, knownAdapter(await read(), where), folder);
    },
  };
  return served;
}

/** Returns the base model under its own name. Undefined if it has no head or its task is unknown. */
export async function servedBase(base: BaseFolder): Promise<ServedModel | undefined> {
  const { folder, name, described } = base;
  const generates = decodes(described.family) && !isForClasses(described.json);
  const notes = await readNotes(folderFiles(folder));
  const opened = taskIfKnown(() =>
    openedTask({ ...described, notes }, generates ? 'generate' : undefined, folder),
  );
  if (!opened) return undefined;
  const model = base.model(opened.model);
  if (model.initialised.length > 0 || !headNamed(model.headKind).served) return undefined;
  return {
    ...{ name, folder, created: Math.floor(Date.now() / 1000), outputs: model.config.numLabels },
    trained: base.trained(name, { ...opened, model }),
    load: async () => NO_ADAPTER,
    tuned: async () => FROZEN,
  };
}

/**
 * Returns undefined if the base does not say its task, or if its family has no head for it. Its adapters' notes then say
 * theirs.
 */
function taskIfKnown(find: () => OpenedTask): OpenedTask | undefined {
  try {
    return find();
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** Whether texts of the model can share a decoding loop. */
function decodes({ definition }: Family): boolean {
  return HEAD_KINDS.some((kind) => headNamed(kind).served === 'decoding' && definition.heads[kind]);
}

function isForClasses({ architectures }: DescribedModel['json']): boolean {
  const [architecture] = Array.isArray(architectures) ? architectures : [];
  return headOfClass(String(architecture))?.served === 'rows';
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

function isChanging(folder: string): UserError {
  return new UserError({ where: folder, fault: 'is being written', hint: 'Try again in a moment.' });
}
