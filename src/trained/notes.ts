import { z } from 'zod';
import { UserError } from '../support/user-error.ts';
import { TASK_NAMES, type TaskName, taskNamed } from '../tasks/registry.ts';
import type { BaseData } from '../tasks/task-definition.ts';
import type { ModelConfig } from './model-config.ts';

/** Beside an adapter's files, which say nothing of labels or texts: what prediction needs. PEFT ignores it. */
export const NOTES_FILE = 'adalora.json';

/** What a model or an adapter was trained for, and on what. */
export interface Notes {
  task: TaskName;
  /** Class names by id; none for tasks without. */
  labels: readonly string[];
  /** How files are read, and how many tokens an example may have: a `data` section without files. */
  data: Record<string, unknown> & { max_length?: number };
  /** Fields of the base model's config.json that the run has replaced. */
  model_config?: ModelConfig;
  /** Tells the base model's weights from others; not of a base that was made at random or in a page. */
  base_digest?: string;
}

interface NotedTask {
  task: TaskName;
  data: BaseData;
}

const modelConfig = z.record(z.string(), z.unknown()).optional();
const beginning = z.object({
  task: z.enum(TASK_NAMES),
  labels: z.array(z.string()),
  model_config: modelConfig,
  base_digest: z.string().optional(),
});

/**
 * Reads what {@link formatNotes} wrote.
 *
 * @throws UserError for anything else
 */
export function parseNotes(json: unknown, where: string): Notes {
  const notes = beginning.safeParse(json);
  const data = notes.data && readingSchema(notes.data.task).safeParse(Object(json).data);
  if (notes.data && data?.data) return { ...notes.data, data: data.data };
  const error = notes.error ?? data?.error;
  throw new UserError({
    where,
    expected: 'what this program wrote',
    got: z.prettifyError(error as z.ZodError).replaceAll('\n', ' '),
  });
}

/** The text of the notes. `maxLength`: tokens that an example may have. */
export function formatNotes(
  { task, data, model_config, base_digest }: Pick<Notes, 'model_config' | 'base_digest'> & NotedTask,
  labels: readonly string[],
  maxLength: number,
): string {
  const { train: _, validation: __, ...reading } = data;
  const notes = { task, labels, data: { ...reading, max_length: maxLength }, model_config, base_digest };
  return `${JSON.stringify(notes, null, 2)}\n`;
}

/** A reading with every default of its task filled in. */
export function readingOf(task: TaskName, data: object): Notes['data'] {
  return readingSchema(task).parse(data);
}

/** The `data` section of a task without its files; of labelled rows also without the label. */
function readingSchema(task: TaskName) {
  const { train: _, validation: __, ...shape } = taskNamed(task).data.shape as Record<string, z.ZodType>;
  // Under this name whatever the section calls it.
  const max_length = z.int().min(1).optional();
  return z.object({ max_length, ...shape, ...(shape.label && { label: shape.label.optional() }) });
}
