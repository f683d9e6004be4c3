import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ComputationError } from '../../src/support/computation-error.ts';
import { fileError } from '../../src/support/file-error.ts';
import { UserError } from '../../src/support/user-error.ts';
import type { Kind } from './kinds.ts';
import { mutated } from './mutated.ts';

/** How a reader ended: with a value, a message, a stack trace, or a value other than the written one. */
export type Outcome = 'value' | 'refused' | 'stack' | 'other';

/** Reads a changed file, and restores the sample afterwards. */
export async function tryMutation(
  kind: Kind,
  folder: string,
  seed: number,
  index: number,
): Promise<{ outcome: Outcome; message: string }> {
  const path = join(folder, kind.file);
  const sample = readFileSync(path);
  writeFileSync(path, mutated(sample, seed, index));
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
