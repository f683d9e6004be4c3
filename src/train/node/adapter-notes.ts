import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { atomicWrite } from '../../formats/node/atomic-write.ts';
import { UserError } from '../../support/user-error.ts';
import type { RunConfig } from '../run-config.ts';

/** Beside PEFT's files, which say nothing of labels or texts: what prediction needs. PEFT ignores it. */
const FILE = 'adalora.json';

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
