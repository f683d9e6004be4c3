import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { newWorkspace, set, succeeds } from './support/commands.ts';
import { writeCsv } from './support/few-rows.ts';
import { eventsOf } from './support/workspace.ts';

const workspace = newWorkspace();

const DISHES = ['soup', 'pizza', 'service', 'steak', 'dessert', 'wine', 'waiter', 'salad'];

it('a run that is killed between folds and inside of them ends like an uninterrupted one', async () => {
  const row = (i: number) => [
    `The ${DISHES[i % 8]} was ${i % 2 ? 'awful' : 'very good'}.`,
    i % 2 ? 'bad' : 'good',
  ];
  const rows = Array.from({ length: 24 }, (_, i) => row(i));
  writeCsv(workspace, 'resumed', ['text', 'label'], rows);
  const settings = ['training.save_steps=4', 'training.num_train_epochs=8'];
  const args = (output: string) => [
    ...['train', 'resumed.csv', '--set', 'model=model', '--set', `output=${output}`],
    ...set(settings),
  ];
  await succeeds(workspace.run(...args('whole')));
  // The files of the start come first, then checkpoints of three folds, and their outputs.
  for (const [i, operation] of [40, 30, 40].entries())
    await workspace.killAt(operation, [...args('killed'), ...(i > 0 ? ['--resume'] : [])]);
  expect(existsSync(workspace.path('killed', 'folds', 'folds.safetensors'))).toBe(true);
  await succeeds(workspace.run(...args('killed'), '--resume'));
  for (const file of ['adapter/adapter_model.safetensors', 'adapter/head.safetensors'])
    expect(workspace.read('killed', file).equals(workspace.read('whole', file)), file).toBe(true);
  const verdictOf = (run: string) => eventsOf(workspace.events(run), 'finish').at(-1)!.verdict;
  expect(verdictOf('killed')).toEqual(verdictOf('whole'));
});
