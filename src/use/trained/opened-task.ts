import { headLabels, type StoredAdapter } from '../../input/formats/adapters/stored-adapter.ts';
import { headOutputs } from '../../methods/tuners/adapter-kind.ts';
import { HEAD_KINDS, type HeadKind, headNamed, writesText } from '../../models/heads/registry.ts';
import { nameTaskType } from '../../models/heads/task-type.ts';
import type { TaskModel } from '../../program/objectives/task-model.ts';
import { tokenModel } from '../../program/objectives/token-model.ts';
import { UserError } from '../../support/user-error.ts';
import { recognizedTask, taskNamed, vectorTask } from '../../tasks/registry.ts';
import type { BuildTask, UnknownTrained } from '../../tasks/task-definition.ts';
import type { Family } from './bind-model.ts';
import { checkLayer } from './layer-file.ts';
import { fillInReading, type Notes } from './notes.ts';

/** The purpose for which a model is opened. All answers of a run depend on this, on the weights, and on the adapter's values. */
export interface OpenedTask {
  /** Undefined for unknown tasks. */
  notes: Notes | undefined;
  /** The model with the head of its task. Its config contains what the run changed, such as the pooling. */
  model: TaskModel;
}

/** Facts that determine the purpose of a trained model. */
interface TrainedPurpose {
  /** Family of the base model, with the fields of config.json that the run replaced. */
  family: Family;
  /** The base model's config.json. */
  json: Readonly<Record<string, unknown>>;
  /** The adapter. Undefined for a whole model. */
  stored?: StoredAdapter;
  /** adalora's notes in the folder of the adapter or the model. */
  notes: Notes | undefined;
}

/** The use that the user asks for, whatever the model was trained for: generate text, or make text vectors. */
type Asked = 'generate' | 'embed' | undefined;

/** The use that the options of an opened model ask for. */
export function askedBy({ generates, embeds }: { generates?: boolean; embeds?: boolean }): Asked {
  if (generates) return 'generate';
  return embeds ? 'embed' : undefined;
}

/**
 * The task of a trained model, from its notes or otherwise from its files, and the head that it needs.
 *
 * @param asked whether it should generate text or make vectors. It then gets a head for that instead of its own.
 * @param where its folder for messages
 * @throws UserError for a model that should generate text but cannot
 */
export function openedTask(trained: TrainedPurpose, asked: Asked, where: string): OpenedTask {
  const { family, stored } = trained;
  const { definition, config } = family;
  if (asked === 'generate') {
    const build = generating(trained, where);
    return { notes: trained.notes, model: build(definition, config) };
  }
  const embeds = asked === 'embed' && !stored && !trained.notes;
  const notes = trained.notes ?? (embeds ? embedding(family) : recognized(trained));
  const model = taskNamed(notes.task).build(notes.labels, notes.data)(definition, config);
  if (model.layer) checkLayer(notes.layer, { width: model.config.numLabels, ...model.layer }, where);
  return { notes, model };
}

/** The notes for a base model that should make vectors and has no notes. */
function embedding({ config }: Family): Notes {
  const task = vectorTask();
  return { task, labels: [], data: fillInReading(task, { max_length: config.sentence?.maxLength }) };
}

/** The notes for a model or an adapter without notes. */
function recognized({ family: { definition, config }, json: base, stored }: TrainedPurpose): Notes {
  const names = stored && headLabels(stored);
  const json = { ...base, ...(names && { id2label: names }) } as TrainedPurpose['json'];
  const [architecture] = Array.isArray(json.architectures) ? json.architectures : [];
  const model: UnknownTrained = {
    definition,
    config,
    json,
    taskType: stored && nameTaskType(stored),
    architecture,
    outputsOf: (build) => stored && headOutputs(build(definition, config), stored.tensors),
  };
  const { task, labels, data } = recognizedTask(model);
  const reading = fillInReading(task, data);
  // The task's default length is lowered to the model's positions, because the user did not ask for it.
  const max_length = reading.max_length && Math.min(reading.max_length, config.maxLength);
  return { task, labels, data: { ...reading, max_length } };
}

/**
 * The last kind comes first. So an encoder-decoder generates with both parts, even if its family can also be used as a
 * decoder.
 */
const GENERATING = HEAD_KINDS.filter(writesText).reverse();

/** The text generation head. An adapter's `task_type` decides if it has one. */
function generating({ family, stored, notes }: TrainedPurpose, where: string): BuildTask {
  const { heads, modelType } = family.definition;
  const taskType = (stored && nameTaskType(stored)) ?? null;
  const isAsked = (kind: HeadKind) => taskType === null || headNamed(kind).taskType === taskType;
  const head = GENERATING.find((kind) => heads[kind] && isAsked(kind));
  if (head) return tokenModel(head);
  throw new UserError({
    where,
    fault: `is ${notes ? `trained for ${taskNamed(notes.task).words.trainedFor(notes.data)}` : stored ? 'an adapter for another task' : `a model of type ${modelType}`}. generate needs a language model`,
    hint: stored ? 'Use adalora predict.' : undefined,
  });
}
