import { z } from 'zod';
import { weightsDigest } from '../../input/formats/byte-source.ts';
import { type Files, pathIn, readJsonFile } from '../../input/formats/files.ts';
import { CHAT_TEMPLATE_FILE, spelledTemplate } from '../../input/text/chat/chat-template.ts';
import type { LinearLayer } from '../../program/objectives/sentence-classifier.ts';
import { InvalidFile } from '../../support/user-error.ts';
import type { BaseData } from '../../tasks/prediction.ts';
import { TASK_NAMES, type TaskName, taskNamed } from '../../tasks/registry.ts';
import { readLayer } from './layer-file.ts';
import type { ModelConfig } from './model-config.ts';
import type { DescribedModel } from './read-model.ts';

/**
 * A file that is added to an adapter's folder, with the labels and columns that prediction needs. PEFT's files do not
 * contain them, and PEFT ignores it.
 */
export const NOTES_FILE = 'adalora.json';

/** The task and data for which a model or an adapter was trained. */
export interface Notes {
  task: TaskName;
  /** Class names by id; empty for tasks without classes. */
  labels: readonly string[];
  /** How files are read, and the maximum number of tokens of an example: a `data` section without files. */
  data: Record<string, unknown> & { max_length?: number };
  /** Fields of the base model's config.json that the run replaced. */
  model_config?: ModelConfig;
  /** Identifies the base model's weights. Missing for a base with random weights. */
  base_digest?: string;
  /** The type of base that the adapter fits, if it fits only one. */
  base_dtype?: 'int4';
  /** The linear layer on the vectors of a model of sentence vectors. It is in a file of its own: `LAYER_FILE`. */
  layer?: LinearLayer;
}

interface NotedTask {
  task: TaskName;
  data: BaseData;
}

const modelConfig = z.record(z.string(), z.unknown()).optional();
/** Built for each call, because a program may define more tasks at any time. */
const beginning = () =>
  z.object({
    task: z.enum(TASK_NAMES),
    labels: z.array(z.string()),
    model_config: modelConfig,
    base_digest: z.string().optional(),
    base_dtype: z.literal('int4').optional(),
  });

/** Reads the notes among the files of an adapter or a model. Undefined if another program wrote it. */
export async function readNotes(files: Files): Promise<Notes | undefined> {
  const json = await readJsonFile(files, NOTES_FILE);
  if (json === undefined) return undefined;
  const layer = await readLayer(files);
  return { ...parseNotes(json, pathIn(files.name, NOTES_FILE)), ...(layer && { layer }) };
}

/**
 * Parses the text of {@link formatNotes}.
 *
 * @throws UserError for anything else
 */
export function parseNotes(json: unknown, where: string): Notes {
  const notes = beginning().safeParse(json);
  const data = notes.data && readingSchema(notes.data.task).safeParse(Object(json).data);
  if (notes.data && data?.data) return { ...notes.data, data: data.data };
  const error = notes.error ?? data?.error;
  throw new InvalidFile({
    where,
    fault: `was not written by this program: ${z.prettifyError(error as z.ZodError).replaceAll('\n', ' ')}`,
  });
}

/**
 * Says that an adapter was trained on other weights than those of its base. Undefined if it was not.
 *
 * @param trainedOn the `base_digest` of its notes
 * @param digests of the base's weight files, in order
 */
export function otherWeights(
  trainedOn: string,
  digests: readonly string[],
  { folder, baseFolder }: { folder: string; baseFolder: string },
): string | undefined {
  if (trainedOn === weightsDigest(digests)) return undefined;
  return `${folder}: its adapter was trained on other weights than those in ${baseFolder}.`;
}

/** The text of the notes. `maxLength` is the maximum number of tokens of an example. */
export function formatNotes(
  {
    task,
    data,
    model_config,
    base_digest,
    base_dtype,
  }: Pick<Notes, 'model_config' | 'base_digest' | 'base_dtype'> & NotedTask,
  labels: readonly string[],
  maxLength: number,
): string {
  const { train: _, validation: __, ...reading } = data;
  const read = { ...reading, max_length: maxLength };
  const notes = { task, labels, data: read, model_config, base_digest, base_dtype };
  return `${JSON.stringify(notes, null, 2)}\n`;
}

/**
 * The chat template that a model was trained with, if its base has one that drops tools. Empty for other models.
 *
 * @param base its files
 */
export function templateFiles(
  { small, files }: Pick<DescribedModel, 'files' | 'small'>,
  notes: Pick<Notes, 'data'> | undefined,
): [name: string, text: string][] {
  if (notes?.data.messages === undefined) return [];
  const spelled = spelledTemplate(small, (name) => pathIn(files.name, name));
  return spelled === undefined ? [] : [[CHAT_TEMPLATE_FILE, spelled]];
}

/** Fills in the defaults of a task for the keys that say how a file is read. */
export function fillInReading(task: TaskName, data: object): Notes['data'] {
  return readingSchema(task).parse(data);
}

/** The `data` section of a task without its files. For labeled rows, the label is optional. */
export function readingSchema(task: TaskName) {
  const { train: _, validation: __, ...shape } = taskNamed(task).data.shape as Record<string, z.ZodType>;
  // The notes always use the name `max_length`, even if the section has another name for it.
  const max_length = z.int().min(1).optional();
  const optional: Record<string, z.ZodType> = shape.label ? { label: shape.label.optional() } : {};
  return z.object({ max_length, ...shape, ...optional });
}
