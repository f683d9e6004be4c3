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

/** What a model is opened for. */
export interface Purpose {
  /** Undefined for tasks that are none here. */
  notes: Notes | undefined;
  build: BuildTask;
}

/** What tells the purpose of a trained model. */
export interface Trained {
  /** Of the base model. */
  family: Family;
  /** The base model's config.json. */
  json: Readonly<Record<string, unknown>>;
  /** The adapter, where it is not a whole model. */
  stored?: StoredAdapter;
  /** What this program noted beside the adapter or the model. */
  notes: Notes | undefined;
}

/** What a model may be asked to do, whatever it was trained for: to write text, or to make vectors of texts. */
export type Asked = 'generate' | 'embed' | undefined;

/** What the options of an opened model ask for. */
export function askedBy({ generates, embeds }: { generates?: boolean; embeds?: boolean }): Asked {
  if (generates) return 'generate';
  return embeds ? 'embed' : undefined;
}

/**
 * The task of a trained model, by its notes or else by what its files look like, and the head that it takes.
 *
 * @param asked whether it is to write text, or to make vectors: then it has a head for that, whatever else it has
 * @param where its folder for messages
 * @throws UserError for a model that cannot write text and is to
 */
export function purposeOf(trained: Trained, asked: Asked, where: string): Purpose {
  const { family, stored } = trained;
  if (asked === 'generate') {
    const build = generating(family, where, stored && taskTypeOf(stored));
    return { notes: trained.notes, build };
  }
  const embeds = asked === 'embed' && !stored && !trained.notes;
  const notes = trained.notes ?? (embeds ? embedding(family) : recognised(trained));
  return { notes, build: taskNamed(notes.task).build(notes.labels, notes.data) };
}

/** What a base model without notes is opened for that is to make vectors. */
function embedding({ config }: Family): Notes {
  const task = vectorTask();
  return { task, labels: [], data: readingOf(task, { max_length: config.sentence?.maxLength }) };
}

/** What a model or an adapter without notes was trained for. */
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
  // The task's default length is cut to the model's positions: nobody asked for it.
  const max_length = reading.max_length && Math.min(reading.max_length, config.maxLength);
  return { task, labels, data: { ...reading, max_length } };
}

/** The last kind first: an encoder-decoder that can be read as a decoder writes with both its parts. */
const GENERATING = HEAD_KINDS.filter(writesText).reverse();

/** The head that writes text, by an adapter's `task_type` where it has one. */
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
    expected: `a language model (${GENERATING.join(' or ')})`,
    got: taskType ? `an adapter of ${modelType} for ${taskType}` : `a model of type ${modelType}`,
    hint: taskType ? 'For classes and scores: adalora predict.' : undefined,
  });
}
