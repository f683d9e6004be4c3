import { afterAll, expect } from 'vitest';
import { type Ended, Workspace } from './workspace.ts';

/** A workspace that is removed after the tests of the file or the `describe` that calls this. */
export function newWorkspace(env?: Record<string, string>): Workspace {
  const workspace = new Workspace(env);
  afterAll(() => workspace.remove());
  return workspace;
}

/** Expects that a command succeeds and prints no warning. Returns its output. */
export async function succeeds(command: Promise<Ended>): Promise<string> {
  const ended = await command;
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  return ended.stdout;
}

/** Expects that a command ends with an error of the user, with this in its message. */
export async function refuses(command: Promise<Ended>, message: string | RegExp): Promise<void> {
  expect(await command).toMatchObject({ code: 2, stderr: expect.stringMatching(message) });
}
