import { setTimeout } from 'node:timers/promises';
import { isAgreed } from '../parallel/agreed.ts';
import { UserError } from '../support/user-error.ts';

/** How long process 0 has to tell a mistake that all make, before another that met it tells it. */
const FIRST_MS = 3000;

/** What a process that is not the first does with its failure: it tells only what the first cannot know. */
export async function failQuietly(error: unknown, rank: number): Promise<void> {
  if (isAgreed(error)) return;
  await setTimeout(FIRST_MS);
  const named = `process ${rank}: ${(error as Error).message}`;
  throw error instanceof UserError ? new UserError(named) : Object.assign(error as Error, { message: named });
}
