import { readdirSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { open, train } from '../src/index.ts';
import type { TrainEvent } from '../src/training/run/events.ts';
import { newWorkspace } from './support/commands.ts';
import { tinyRows, writeTinyData } from './support/tiny-data.ts';
import { writeTinyHead } from './support/tiny-head.ts';
import { trainHere } from './support/train-here.ts';

/* A run on thirty labeled rows, and sixty that only its teacher labels. */

const space = newWorkspace();
beforeAll(() => {
  writeTinyHead(space.path('model'), 'bert', 'SEQ_CLS');
  writeTinyData(space.path('rows.tsv'), 30, 0);
  writeTinyData(space.path('dev.tsv'), 40, 1);
  const texts = tinyRows(60, 2).map(({ text }) => `${text}\n`);
  space.write('texts.tsv', `sentence\n${texts.join('')}`);
  space.write('others.tsv', `sentence\n${texts.slice(1).join('')}`);
});
afterAll(trainHere());

const LABELS = {
  single_label_classification: 'label',
  multi_label_classification: 'tags',
  regression: 'score',
};

async function run(task: string, output: string, data: object, more: object = {}, resume = false) {
  const events: TrainEvent[] = [];
  const label = LABELS[task as keyof typeof LABELS];
  const files = { train: space.path('rows.tsv'), validation: space.path('dev.tsv') };
  const config = {
    model: space.path('model'),
    task,
    method: 'lora',
    data: { ...files, text: 'sentence', label, max_length: 32, pooling: 'none', ...data },
    output: space.path(output),
    training: { learning_rate: 5e-2, num_train_epochs: 4, eval_strategy: 'no' },
    ...more,
  };
  const finish = await train(config as Parameters<typeof train>[0], {
    resume,
    onEvent: (event) => void events.push(event),
  });
  const start = events.find((event) => event.type === 'start')!;
  return { finish, start, events };
}

it.each(Object.keys(LABELS))('%s: a teacher labels rows, and the verdict has its score', async (task) => {
  const teacher = space.path(`teacher-${task}`);
  const taught = `taught-${task}`;
  await run(task, `teacher-${task}`, {}, { training: { learning_rate: 5e-2, num_train_epochs: 12 } });
  const data = { teacher, unlabelled: space.path('texts.tsv'), temperature: 3 };
  const evaluated = { training: { learning_rate: 5e-2, num_train_epochs: 4 } };
  const { finish, start } = await run(task, taught, data, evaluated);
  expect(start.train_examples).toBe(90);
  const { verdict } = finish;
  const told = verdict!.to_beat.find(({ name }) => name === 'the teacher')!;
  const opened = await open(teacher);
  const scores: Record<string, number> = await opened.evaluate({ data: space.path('dev.tsv') });
  await opened.close();
  // Probabilities in answers have six digits.
  expect(told.value).toBeCloseTo(scores[`eval_${verdict!.score}`]!, 4);
  expect(
    readdirSync(space.path(`${taught}/checkpoints`)).filter((name) => /teacher/.test(name)),
  ).toHaveLength(2);
  // A run with another teacher or other texts is another run, whatever its task.
  if (task !== 'single_label_classification') return;
  const resumed = run(task, taught, data, evaluated, true);
  expect((await resumed).events.some(({ type }) => type === 'step')).toBe(false);
  const other = run(task, taught, { ...data, unlabelled: space.path('others.tsv') }, evaluated, true);
  await expect(other).rejects.toThrow('other settings: data.unlabelled');
  rmSync(teacher, { recursive: true });
  await run(task, `teacher-${task}`, {}, { training: { learning_rate: 2e-2, num_train_epochs: 12 } });
  await expect(run(task, taught, data, evaluated, true)).rejects.toThrow('other content');
});

it('cross-validates the labeled rows alone, and warns that the teacher may know them', async () => {
  const task = 'single_label_classification';
  const data = {
    teacher: space.path(`teacher-${task}`),
    unlabelled: space.path('texts.tsv'),
    validation: '3 folds',
  };
  const { finish, start, events } = await run(task, 'folds', data);
  expect(start.train_examples).toBe(90);
  expect(finish.verdict!.rows).toBe(30);
  expect(finish.verdict!.to_beat.map(({ name }) => name)).toContain('the teacher');
  const notices = events.flatMap((event) => (event.type === 'notice' ? [event.message] : []));
  expect(notices.join('\n')).toContain('If the teacher was trained on these rows');
});

it('is refused for another task, unknown labels and class weights', async () => {
  const teacher = space.path('teacher-regression');
  const task = 'single_label_classification';
  await expect(run(task, 'a', { teacher })).rejects.toThrow('data.teacher');
  const own = { teacher: space.path(`teacher-${task}`) };
  await expect(run(task, 'b', { ...own, label: 'pair' })).rejects.toThrow('does not know the label');
  const weighted = { training: { class_weights: 'balanced' } };
  await expect(run(task, 'c', own, weighted)).rejects.toThrow('class_weights');
});
