import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { atomicWrite } from '../../formats/node/atomic-write.ts';
import { UserError } from '../../support/user-error.ts';
import type { RunConfig } from '../run-config.ts';
import { readModelConfig } from './load-model.ts';

/** Beside PEFT's files, which say nothing of labels or texts: what prediction needs. PEFT ignores it. */
const FILE = 'adalora.json';
const DEFAULT_MAX_LENGTH = 128;

const column = z.union([z.string(), z.int()]);
const schema = z.object({
  task: z.enum(['single_label_classification', 'regression', 'multi_label_classification']),
  /** Class names by id; none for regression. */
  labels: z.array(z.string()),
  data: z.object({
    text: column,
    text_pair: column.optional(),
    label: column.optional(),
    header: z.boolean().optional(),
    quote: z.boolean().optional(),
    label_separator: z.string().optional(),
    max_length: z.int().positive(),
  }),
});

export type AdapterNotes = z.infer<typeof schema>;

export function writeAdapterNotes(
  folder: string,
  { task, data }: RunConfig,
  labels: readonly string[],
): void {
  const { train: _, validation: __, ...columns } = data;
  atomicWrite(join(folder, FILE), `${JSON.stringify({ task, labels, data: columns }, null, 2)}\n`);
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
    return schema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    throw new UserError({ where: path, expected: 'what this program wrote', got: (error as Error).message });
  }
}

/** What a model's config.json says of labels, for an adapter without notes; its head has `numLabels` outputs. */
export function notesOfModel(folder: string, numLabels?: number): AdapterNotes {
  const { id2label, problem_type } = readModelConfig(folder) as {
    id2label?: Record<string, string>;
    problem_type?: AdapterNotes['task'];
  };
  const names = Object.values(id2label ?? {});
  const count = numLabels ?? (names.length || 2);
  const labels = names.length === count ? names : Array.from({ length: count }, (_, id) => `LABEL_${id}`);
  const task = problem_type ?? (count === 1 ? 'regression' : 'single_label_classification');
  const data = { text: 0, max_length: DEFAULT_MAX_LENGTH };
  return { task, labels: task === 'regression' ? [] : labels, data };
}
