import { appendFileSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { folderFiles } from '../src/input/formats/node/folder-files.ts';
import { componentHistories } from '../src/training/run/component-history.ts';
import { readImportanceLog } from '../src/training/run/event-log.ts';
import { newWorkspace } from './support/commands.ts';
import { eventsOf } from './support/workspace.ts';

/* The log of every component's importance: `training.log_importance: all`. */

const workspace = newWorkspace();

const SETTINGS = ['training.max_steps=12', 'training.save_steps=6', 'training.log_importance=all'];
SETTINGS.push(
  'adalora.init_r=4',
  'adalora.target_r=2',
  'adalora.tinit=2',
  'adalora.tfinal=3',
  'adalora.deltaT=1',
);
const bytes = (run: string) => readFileSync(workspace.path(run, 'importance.f32'));

it('has each allocation, and continues after a kill', async () => {
  await workspace.train(...SETTINGS, 'output=whole');
  const histories = componentHistories(readImportanceLog(folderFiles(workspace.path('whole')))!);
  const history = histories[0]!;
  const allocations = eventsOf(workspace.events('whole'), 'allocation');
  // deltaT is 1, so every allocation is in the event log as well.
  expect(history.steps).toEqual(allocations.map(({ step }) => step));

  const rows = histories.filter(({ module }) => module === history.module);
  expect(rows).toHaveLength(4);
  allocations.forEach(({ ranks, scores }, i) => {
    expect(rows.filter(({ kept }) => kept[i])).toHaveLength(ranks[history.module]!);
    const largest = Math.max(...rows.map(({ importance }) => importance[i]!));
    // The event log has logarithms of two digits.
    expect(Math.log10(largest)).toBeCloseTo(
      scores?.[Object.keys(ranks).indexOf(history.module)]?.[0] as number,
      1,
    );
  });

  // As after a kill: rows that are later than the checkpoint, the last one incomplete.
  await workspace.train(...SETTINGS, 'training.stop_at_step=6', 'output=parts');
  appendFileSync(workspace.path('parts', 'importance.f32'), bytes('whole').subarray(-10));
  const resumed = SETTINGS.flatMap((setting) => ['--set', setting]);
  await workspace.run('train', 'run.yaml', '--resume', ...resumed, '--set', 'output=parts');
  expect(bytes('parts').equals(bytes('whole'))).toBe(true);
});
