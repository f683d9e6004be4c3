import { expect } from 'vitest';
import type { FinishEvent } from '../../src/training/run/events.ts';
import { succeeds } from './commands.ts';
import { eventsOf, type Workspace } from './workspace.ts';

/** Writes `NAME.csv`. */
export function writeCsv(
  workspace: Workspace,
  name: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
): void {
  const cell = (text: string) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  workspace.write(`${name}.csv`, [head, ...rows].map((cells) => `${cells.map(cell).join(',')}\n`).join(''));
}

/** Trains on `NAME.csv` as a user would, with nothing set but the file, and scores `NAME-test.csv`. */
export async function trainedOnCsv(
  workspace: Workspace,
  name: string,
  ...flags: string[]
): Promise<FinishEvent & { tested: Record<string, number>; printed: string }> {
  const settings = [`output=run-${name}`, ...flags].flatMap((setting) => ['--set', setting]);
  const printed = await succeeds(workspace.run('train', `${name}.csv`, ...settings));
  const scored = await workspace.run('eval', `run-${name}`, `${name}-test.csv`, '--json');
  expect(scored).toMatchObject({ code: 0 });
  const finish = eventsOf(workspace.events(`run-${name}`), 'finish')[0]!;
  return { ...finish, tested: JSON.parse(scored.stdout), printed };
}
