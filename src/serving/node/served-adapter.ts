import { adapterConfigFile } from '../../formats/adapters/node/adapter-folder.ts';
import { folderFiles } from '../../formats/node/folder-files.ts';
import { HEAD_KINDS, headNamed, headOfClass } from '../../models/heads/registry.ts';
import { UserError } from '../../support/user-error.ts';
import type { Family } from '../../trained/bind-model.ts';
import { readNotes } from '../../trained/notes.ts';
import { type OpenedTask, openedTask } from '../../trained/opened-task.ts';
import type { DescribedModel } from '../../trained/read-model.ts';
import { TrainedModel } from '../../trained/trained-model.ts';
import { knownAdapter, tuneModel } from '../../trained/tune-model.ts';
import { packAdapter } from '../../tuners/bank/pack-adapter.ts';
import { NO_ADAPTER } from '../../tuners/bank/packed-adapter.ts';
import { FROZEN } from '../../tuners/frozen-tuner.ts';
import type { ServedModel } from '../served-model.ts';
import type { BaseFolder } from './base-folder.ts';
import type { FoundAdapter } from './find-adapters.ts';
import type { PackedCache } from './packed-cache.ts';
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
  let content: AdapterContent | undefined = await read(false);
  const { family, json } = base.described;
  const { notes, build } = openedTask({ family, json, ...content }, undefined, folder);
  const model = base.model(`${notes?.task} ${notes?.labels.length}`, build);
  const served: ServedModel = {
    ...{ name, folder, parent: base.name, created: Math.floor(Date.now() / 1000) },
    outputs: model.config.numLabels,
    trained: new TrainedModel({ ...base.parts(model, notes?.data.max_length), path: name, notes }),
    load: () => cache.get(served, async () => packAdapter(model, await served.tuned(), folder)),
    async tuned() {
      const { stored } = content ?? (await read(true));
      content = undefined;
      return tuneModel(model, knownAdapter(stored, adapterConfigFile(folder)), folder);
    },
  };
  return served;
}

/** Returns the base model under its own name. Undefined if it has no head or its task is unknown. */
export async function servedBase(base: BaseFolder): Promise<ServedModel | undefined> {
  const { folder, name } = base;
  const { family, json } = base.described;
  const generates = decodes(family) && !isForClasses(json);
  const notes = await readNotes(folderFiles(folder));
  const opened = taskIfKnown(() => {
    const task = openedTask({ family, json, notes }, generates ? 'generate' : undefined, folder);
    // By default a model is a classifier, but its family may not have a classification head.
    task.build(family.definition, family.config);
    return task;
  });
  if (!opened) return undefined;
  const { notes: notesOfTask, build } = opened;
  const model = base.model(generates ? 'base' : `${notesOfTask?.task} ${notesOfTask?.labels.length}`, build);
  if (model.initialised.length > 0 || !headNamed(model.headKind).served) return undefined;
  return {
    ...{ name, folder, created: Math.floor(Date.now() / 1000), outputs: model.config.numLabels },
    trained: new TrainedModel({
      ...base.parts(model, notesOfTask?.data.max_length),
      ...{ path: name, notes: notesOfTask },
    }),
    load: async () => NO_ADAPTER,
    tuned: async () => FROZEN,
  };
}

/** Returns undefined if the base does not say its task. Its adapters' notes then say theirs. */
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
