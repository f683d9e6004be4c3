import { adapterConfigFile, readAdapter } from '../../../input/formats/adapters/node/adapter-folder.ts';
import type { StoredAdapter } from '../../../input/formats/adapters/stored-adapter.ts';
import { folderFiles } from '../../../input/formats/node/folder-files.ts';
import { NotMixed } from '../../../methods/tuners/bank/bank-form.ts';
import { packAdapter } from '../../../methods/tuners/bank/packed-adapter.ts';
import { UserError } from '../../../support/user-error.ts';
import { fittingBase } from '../../trained/fitting-base.ts';
import { baseOfRun } from '../../trained/node/locate-trained.ts';
import { type Notes, readNotes } from '../../trained/notes.ts';
import { openedTask } from '../../trained/opened-task.ts';
import { withChanges } from '../../trained/read-model.ts';
import { knownAdapter, tuneModel } from '../../trained/tune-model.ts';
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
  const described = withChanges(base.described, known?.model_config);
  const model = base.model(openedTask({ ...described, stored, notes: known }, undefined, folder).model);
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
    hint: 'Serve it with its own base model. A base model in another place is recognized by its folder name.',
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
  return new UserError({
    where: folder,
    fault: 'is being written',
    hint: 'Try again in a moment.',
    code: 'in_use',
  });
}
