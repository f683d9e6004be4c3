import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ComputationError, fileError, UserError } from '../../src/support/user-error.ts';
import type { Kind } from './kinds.ts';
import { mutated } from './mutated.ts';

/** How reading ended: with a value, a message, a stack trace, or a value that differs from the written one. */
export type Outcome = 'value' | 'refused' | 'stack' | 'other';

export interface Tried {
  outcome: Outcome;
  message: string;
}

/** Reads a mutated file. Afterwards, restores the sample. */
export function tryMutation(kind: Kind, folder: string, seed: number, index: number): Promise<Tried> {
  return tryContent(kind, folder, (sample) => mutated(sample, seed, index));
}

/** Reads a file with content made from the sample. Afterwards, restores the sample. */
export async function tryContent(
  kind: Kind,
  folder: string,
  content: (sample: Buffer) => string | Uint8Array,
): Promise<Tried> {
  const path = join(folder, kind.file);
  const sample = readFileSync(path);
  writeFileSync(path, content(sample));
  try {
    await kind.read(path, folder);
    return { outcome: 'value', message: '' };
  } catch (error) {
    if (error instanceof UserError || error instanceof ComputationError || fileError(error))
      return { outcome: 'refused', message: (error as Error).message };
    const { name, stack = String(error) } = error as Error;
    return { outcome: name === 'OtherResult' ? 'other' : 'stack', message: stack };
  } finally {
    writeFileSync(path, sample);
  }
}
