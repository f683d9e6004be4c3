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
  const { code, stderr } = await command;
  expect(stderr).toMatch(message);
  expect(code).toBe(2);
}

/** The flags for settings such as `seed=1`. */
export const set = (settings: readonly string[]) => settings.flatMap((setting) => ['--set', setting]);

/** Parses lines of JSON. */
// biome-ignore lint/suspicious/noExplicitAny: each test knows the output of its command
export const jsonLines = (text: string): any[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
