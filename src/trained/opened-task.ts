import { headLabels } from '../formats/adapters/head-labels.ts';
import type { StoredAdapter } from '../formats/adapters/stored-adapter.ts';
import { HEAD_KINDS, type HeadKind, headNamed, writesText } from '../models/heads/registry.ts';
import { taskTypeOf } from '../models/heads/task-type-of.ts';
import { tokenModel } from '../objectives/token-model.ts';
import { UserError } from '../support/user-error.ts';
import { recognisedTask, taskNamed, vectorTask } from '../tasks/registry.ts';
import type { BuildTask, UnknownTrained } from '../tasks/task-definition.ts';
import { headOutputs } from '../tuners/head-outputs.ts';
import type { Family } from './bind-model.ts';
import { type Notes, readingOf } from './notes.ts';

/** The purpose that a model is opened for. */
export interface OpenedTask {
  /** Undefined for unknown tasks. */
  notes: Notes | undefined;
  build: BuildTask;
}

/** The data that determine the purpose of a trained model. */
export interface Trained {
  /** Family of the base model. */
  family: Family;
  /** The base model's config.json. */
  json: Readonly<Record<string, unknown>>;
  /** The adapter, unless it is a whole model. */
  stored?: StoredAdapter;
  /** This program's notes in the folder of the adapter or the model. */
  notes: Notes | undefined;
}

/** An explicit request, independent of the training: to generate text, or to make text vectors. */
export type Asked = 'generate' | 'embed' | undefined;

/** The request in the options of an opened model. */
export function askedBy({ generates, embeds }: { generates?: boolean; embeds?: boolean }): Asked {
  if (generates) return 'generate';
  return embeds ? 'embed' : undefined;
}

/**
 * The task of a trained model, from its notes or otherwise from its files, and the head that it needs.
 *
 * @param asked whether it should generate text or make vectors: then it gets a head for that, instead of its own
 * @param where its folder for messages
 * @throws UserError for a model that cannot generate text but should
 */
export function openedTask(trained: Trained, asked: Asked, where: string): OpenedTask {
  const { family, stored } = trained;
  if (asked === 'generate') {
    const build = generating(family, where, stored && taskTypeOf(stored));
    return { notes: trained.notes, build };
  }
  const embeds = asked === 'embed' && !stored && !trained.notes;
  const notes = trained.notes ?? (embeds ? embedding(family) : recognised(trained));
  return { notes, build: taskNamed(notes.task).build(notes.labels, notes.data) };
}

/** The purpose of a base model without notes that should make vectors. */
function embedding({ config }: Family): Notes {
  const task = vectorTask();
  return { task, labels: [], data: readingOf(task, { max_length: config.sentence?.maxLength }) };
}

/** The purpose of a model or an adapter without notes. */
function recognised({ family: { definition, config }, json: base, stored }: Trained): Notes {
  const names = stored && headLabels(stored);
  const json = { ...base, ...(names && { id2label: names }) } as Trained['json'];
  const [architecture] = Array.isArray(json.architectures) ? json.architectures : [];
  const model: UnknownTrained = {
    ...{ definition, config },
    json,
    taskType: stored && taskTypeOf(stored),
    architecture,
    outputsOf: (build) => stored && headOutputs(build(definition, config), stored.tensors),
  };
  const { task, labels, data } = recognisedTask(model);
  const reading = readingOf(task, data);
  // The task's default length is lowered to the model's positions, because the user did not ask for it.
  const max_length = reading.max_length && Math.min(reading.max_length, config.maxLength);
  return { task, labels, data: { ...reading, max_length } };
}

/**
 * The last kind comes first, so that an encoder-decoder generates with both parts, even if its family can also be used
 * as a decoder.
 */
const GENERATING = HEAD_KINDS.filter(writesText).reverse();

/** The text generation head, by an adapter's `task_type` if it has one. */
function generating(
  { definition: { heads, modelType } }: Family,
  where: string,
  taskType: string | null = null,
): BuildTask {
  const isAsked = (kind: HeadKind) => taskType === null || headNamed(kind).taskType === taskType;
  const head = GENERATING.find((kind) => heads[kind] && isAsked(kind));
  if (head) return tokenModel(head);
  throw new UserError({
    where,
    fault: `is ${taskType ? `an adapter of ${modelType} for ${taskType}` : `a model of type ${modelType}`}, not a language model (${GENERATING.join(' or ')})`,
    hint: taskType ? 'For classes and scores: adalora predict.' : undefined,
  });
}
