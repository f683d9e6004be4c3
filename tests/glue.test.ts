import { expect, it } from 'vitest';
import { newWorkspace } from './support/commands.ts';
import { tinyRows } from './support/tiny-data.ts';
import { eventsOf } from './support/workspace.ts';

const workspace = newWorkspace();

const text = (name: string) => workspace.read(name).toString();

it('scores several sets separately, selects by one, and reports skipped rows', async () => {
  const [header, ...rows] = text('dev.tsv').trimEnd().split('\n');
  workspace.write(
    'ragged.tsv',
    `${[header, ...rows.slice(0, 20), 'ragged', ...rows.slice(20)].join('\n')}\n`,
  );
  const sets = 'data.validation={matched: dev.tsv, mismatched: ragged.tsv}';
  const settings = [sets, 'training.num_train_epochs=2', 'method=lora'];
  const refused = await workspace.train('output=sets', ...settings);
  expect(refused).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('ragged.tsv:22 has 1 field instead of 5'),
  });

  const best = 'training.metric_for_best_model=mismatched_combined_score';
  const skip = ['data.on_bad_row=skip', 'training.load_best_model_at_end=true', best];
  const ended = await workspace.train('output=sets', ...settings, ...skip);
  expect(ended).toMatchObject({ code: 0 });
  const events = workspace.events('sets');
  expect(eventsOf(events, 'start')[0]).toMatchObject({ eval_examples: 96 });
  expect(eventsOf(events, 'notice')[0]!.message).toMatch(
    /^1 row is skipped\. ragged\.tsv:22 has 1 field instead of 5/,
  );
  const [first] = eventsOf(events, 'evaluation');
  expect(first!.eval_matched_accuracy).toBe(first!.eval_mismatched_accuracy);
  const { metrics } = eventsOf(events, 'finish')[0]!;
  const { eval_matched_accuracy: accuracy, eval_matched_f1: f1 } = metrics;
  expect(metrics.eval_mismatched_combined_score).toBe((accuracy! + f1!) / 2);
  expect(text('sets/README.md')).toContain('| Accuracy |');
  expect(text('sets/README.md')).toContain('| matched | mismatched |');
});

it('writes predictions as a submission to GLUE', async () => {
  const sentences = tinyRows(3, 5).map(({ text }) => text);
  const lines = sentences.map((sentence, i) => `${i + 10}\t${sentence}`);
  workspace.write('test.tsv', `index\tsentence\n${lines.join('\n')}\n`);
  const args = ['predict', 'sets', 'test.tsv', '--format'];
  const { stdout } = await workspace.run(...args, 'glue');
  expect(stdout).toMatch(/^index\tprediction\n10\t\w+\n11\t\w+\n12\t\w+\n$/);
  const answers = (await workspace.run(...args, 'jsonl')).stdout.trim().split('\n');
  const labels = answers.map((answer, i) => `${i + 10}\t${JSON.parse(answer).label}`);
  expect(stdout.trimEnd().split('\n').slice(1)).toEqual(labels);
  const unknown = await workspace.run(...args, 'csw');
  expect(unknown).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('`--format` must be one of jsonl, csv, glue'),
  });
});

it('accepts JSON arrays and compressed files as any file', async () => {
  const rows = text('dev.tsv')
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'));
  const named = text('dev.tsv').split('\n')[0]!.split('\t');
  const objects = rows.map((row) => Object.fromEntries(row.map((field, i) => [named[i], field])));
  workspace.write('dev.json', JSON.stringify(objects, null, 1));
  const plain = await workspace.run('eval', 'sets', 'dev.tsv', '--json');
  const listed = await workspace.run('eval', 'sets', 'dev.json', '--json');
  expect(listed.stdout).toBe(plain.stdout);
});
