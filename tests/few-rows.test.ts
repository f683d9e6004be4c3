import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { newWorkspace, succeeds } from './support/commands.ts';
import { trainedOnCsv, writeCsv } from './support/few-rows.ts';
import { eventsOf } from './support/workspace.ts';

/* Cross-validated runs with the embedded encoder. tests/learns-few-rows.test.ts has larger files. */

const workspace = newWorkspace();

const DISHES = ['soup', 'pizza', 'service', 'steak', 'dessert', 'wine', 'waiter', 'salad'];

it('a file with 15 rows of 3 classes is learned, and the verdict says that the rows are too few', async () => {
  const topics = [
    [
      'The match ended after penalties',
      'The team won the cup',
      'A striker scored twice',
      'The coach praised his goalkeeper',
      'The league begins in August',
    ],
    [
      'The recipe needs two eggs',
      'Bake the cake for an hour',
      'Add salt and pepper to the soup',
      'Fry the onions in butter',
      'Serve the pasta with cheese',
    ],
    [
      'The parliament passed a law',
      'The minister resigned',
      'Voters elect a president',
      'The senate debates taxes',
      'The party lost the election',
    ],
  ];
  const names = ['sport', 'cooking', 'politics'];
  writeCsv(
    workspace,
    'tiny',
    ['text', 'label'],
    topics.flatMap((texts, i) => texts.map((text) => [text, names[i]!])),
  );
  writeCsv(
    workspace,
    'tiny-test',
    ['text', 'label'],
    [
      ['The goalkeeper saved a penalty in the match', 'sport'],
      ['Cook the rice with butter and salt', 'cooking'],
      ['The president signed the new law', 'politics'],
    ],
  );
  const { tested, verdict, printed } = await trainedOnCsv(workspace, 'tiny');
  expect(tested.eval_accuracy).toBeGreaterThan(0.6);
  expect(verdict!.rows).toBe(15);
  expect(printed).toContain('too few rows to tell');
});

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
    ...settings.flatMap((setting) => ['--set', setting]),
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
