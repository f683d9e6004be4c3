import { expect } from 'vitest';
import type { Ended } from './workspace.ts';

/** Expects that a command succeeds and prints no warning. Returns its output. */
export async function succeeds(command: Promise<Ended>): Promise<string> {
  const ended = await command;
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  return ended.stdout;
}
