import { setTimeout } from 'node:timers/promises';
import { isAgreed } from '../../program/parallel/communicator.ts';
import { UserError } from '../../support/user-error.ts';

/** How long other processes wait for process 0 to report an error that all processes have, in milliseconds. */
const FIRST_MS = 3000;

/** Handles the failure of a process other than the first. Reports the error unless the first process has the same. */
export async function failQuietly(error: unknown, rank: number): Promise<void> {
  if (isAgreed(error)) return;
  await setTimeout(FIRST_MS);
  const named = `process ${rank}: ${(error as Error).message}`;
  throw error instanceof UserError ? new UserError(named) : Object.assign(error as Error, { message: named });
}
