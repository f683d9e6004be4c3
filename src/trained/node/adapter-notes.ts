import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { LanguageTask, TaskName, TaskType } from '../../data/task-type.ts';
import { atomicWrite } from '../../formats/node/atomic-write.ts';
import { UserError } from '../../support/user-error.ts';
import { TASK_NAMES, TASK_SETTINGS } from '../../run/config/task-settings.ts';
import type { RunConfig } from '../../run/config/run-config.ts';
import type { ReadingOf } from '../../tasks/task-definition.ts';
import { readFamily, readModelConfig } from './load-model.ts';

/** Beside PEFT's files, which say nothing of labels or texts: what prediction needs. PEFT ignores it. */
const FILE = 'adalora.json';
/** Of adapters that say nothing. */
const DEFAULT_MAX_LENGTH = 128;

/** What an adapter was trained for, and on what. */
export interface AdapterNotes {
  task: TaskName;
  /** Class names by id; none for tasks without. */
  labels: readonly string[];
  /** How files are read, and how many tokens an example may have. */
  data: ReadingOf<TaskName> & { max_length?: number };
}

const beginning = z.object({ task: z.enum(TASK_NAMES), labels: z.array(z.string()) });

/** The `data` section of a task without its files; of labelled rows also without the label. */
function readingSchema(task: TaskName) {
  const { train: _, validation: __, ...shape } = TASK_SETTINGS[task].data.shape;
  return z.object({ ...shape, ...('label' in shape && { label: shape.label.optional() }) });
}

export function writeAdapterNotes(
  folder: string,
  { task, data }: Pick<RunConfig, 'task' | 'data'>,
  labels: readonly string[],
  maxLength: number,
): void {
  const { train: _, validation: __, ...reading } = data;
  const notes = { task, labels, data: { ...reading, max_length: maxLength } };
  atomicWrite(join(folder, FILE), `${JSON.stringify(notes, null, 2)}\n`);
}

/** For what is made of an adapter; does nothing where it has no notes. */
export function copyAdapterNotes(from: string, to: string): void {
  if (existsSync(join(from, FILE))) copyFileSync(join(from, FILE), join(to, FILE));
}

/** Undefined for an adapter that another program wrote. */
export function readAdapterNotes(folder: string): AdapterNotes | undefined {
  const path = join(folder, FILE);
  if (!existsSync(path)) return undefined;
  try {
    const json = JSON.parse(readFileSync(path, 'utf8'));
    const notes = beginning.parse(json);
    return { ...notes, data: readingSchema(notes.task).parse(json.data) as AdapterNotes['data'] };
  } catch (error) {
    throw new UserError({ where: path, expected: 'what this program wrote', got: (error as Error).message });
  }
}

/** What a model's config.json says of labels, for an adapter without notes; its head has `numLabels` outputs. */
export function notesOfModel(folder: string, numLabels?: number): AdapterNotes & { task: TaskType } {
  const { id2label, problem_type } = readModelConfig(folder) as {
    id2label?: Record<string, string>;
    problem_type?: TaskType;
  };
  const names = Object.values(id2label ?? {});
  const count = numLabels ?? (names.length || 2);
  const labels = names.length === count ? names : Array.from({ length: count }, (_, id) => `LABEL_${id}`);
  const task = problem_type ?? (count === 1 ? 'regression' : 'single_label_classification');
  const data = { text: 0, max_length: DEFAULT_MAX_LENGTH };
  return { task, labels: task === 'regression' ? [] : labels, data: data as AdapterNotes['data'] };
}

/** What to take a language model for that says nothing itself. */
export function notesOfLanguageModel(task: LanguageTask): AdapterNotes {
  return { task, labels: [], data: readingSchema(task).parse({}) as AdapterNotes['data'] };
}

/** The task of language models whose head a config.json names: `LlamaForCausalLM`. Undefined for other heads. */
export function languageTaskOf(folder: string): LanguageTask | undefined {
  const { heads } = readFamily(folder).definition;
  const { architectures } = readModelConfig(folder) as { architectures?: unknown };
  const [architecture] = Array.isArray(architectures) ? architectures : [];
  if (architecture === undefined) return undefined;
  if (architecture === heads.CAUSAL_LM?.architecture) return 'causal_lm';
  return architecture === heads.MASKED_LM?.architecture ? 'masked_lm' : undefined;
}
