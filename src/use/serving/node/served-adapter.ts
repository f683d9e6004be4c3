import { adapterConfigFile } from '../../../input/formats/adapters/node/adapter-folder.ts';
import { folderFiles } from '../../../input/formats/node/folder-files.ts';
import { NO_ADAPTER, packAdapter } from '../../../methods/tuners/bank/packed-adapter.ts';
import { FROZEN, type TunedValues } from '../../../methods/tuners/tuner.ts';
import { HEAD_KINDS, headNamed, headOfClass } from '../../../models/heads/registry.ts';
import { UserError } from '../../../support/user-error.ts';
import type { Family } from '../../trained/bind-model.ts';
import { readNotes } from '../../trained/notes.ts';
import { type OpenedTask, openedTask } from '../../trained/opened-task.ts';
import { type DescribedModel, withChanges } from '../../trained/read-model.ts';
import { knownAdapter, tuneModel } from '../../trained/tune-model.ts';
import type { PackedCache } from '../packed-cache.ts';
import type { ServedModel } from '../served-model.ts';
import type { BaseFolder } from './base-folder.ts';
import type { FoundAdapter } from './find-adapters.ts';
import { type AdapterContent, readContent } from './read-adapter.ts';

/**
 * An adapter of a base model, adalora's or PEFT's.
 *
 * @param name the name under which it is served
 * @param read reads its content, now and again when its values have left the cache
 * @throws UserError for anything missing, damaged or made for another base, and for files that change meanwhile
 */
export async function servedAdapter(
  found: FoundAdapter,
  name: string,
  base: BaseFolder,
  cache: PackedCache,
  read: (isKnown: boolean) => Promise<AdapterContent> = () => readContent(found, base),
): Promise<ServedModel> {
  const { folder } = found;
  const content = await read(false);
  const described = withChanges(base.described, content.notes?.model_config);
  const opened = openedTask({ ...described, ...content }, undefined, folder);
  const model = base.model(opened.model);
  const tune = ({ stored }: AdapterContent) =>
    tuneModel(model, knownAdapter(stored, adapterConfigFile(folder)), folder);
  // The first load takes what the check has read.
  let checked: TunedValues | undefined = tune(content);
  const { virtualTokens } = checked.tuner;
  const served: ServedModel = {
    ...{ name, folder, parent: base.name, created: Math.floor(Date.now() / 1000) },
    outputs: model.config.numLabels,
    trained: base.trained(name, { ...opened, model }, virtualTokens),
    load: () => cache.get(served, async () => packAdapter(model, await served.tuned(), folder)),
    async tuned() {
      const tuned = checked;
      checked = undefined;
      return tuned ?? tune(await read(true));
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
