import { expect, it } from 'vitest';
import { newWorkspace, refuses } from './support/commands.ts';
import { tinyRows } from './support/tiny-data.ts';

const workspace = newWorkspace();

const MANY_STARTS = { timeout: 120_000 };
const ROWS = tinyRows(60, 7);
const args = ['label', 'texts.txt', '--labels', 'bad, good', '--model', 'model'];
const read = (name: string) => workspace.read('labels', 'texts', name).toString();
const kept = () => JSON.parse(read('answers.json')).answers as { text: string; labels?: string[] }[];

it('labels texts by keys, keeps them through a kill, and trains on them', MANY_STARTS, async () => {
  workspace.write('texts.txt', ROWS.map(({ text }) => `${text}\n`).join(''));
  await refuses(
    workspace.runWith('', 'label', 'texts.txt', '--model', 'model'),
    '`--labels` must name 2 to 9 labels',
  );
  // The input stays open, as in a terminal.
  const { process: child, ended } = workspace.start(args, { isOpen: true });
  let printed = '';
  child.stdout!.on('data', (text) => {
    printed += text;
  });
  child.stdin!.write('1212s1u');
  // The state is shown after it was saved: before the first key, after each of the seven.
  while (printed.split(' labeled.').length < 9) await new Promise((done) => setTimeout(done, 20));
  await refuses(workspace.runWith('1q', ...args), 'labels/texts is in use by process');
  child.kill('SIGKILL');
  expect(await ended).toMatchObject({ signal: 'SIGKILL' });
  expect(kept().map(({ labels }) => labels?.[0])).toEqual(['bad', 'good', 'bad', 'good', undefined]);

  const keys = Array.from({ length: 26 }, (_, i) => (i % 2) + 1).join('');
  const { stdout, code } = await workspace.runWith(
    `/${ROWS[0]!.text.slice(0, 6)}\n${keys}q`,
    ...args,
    '--jsonl',
  );
  expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('30 of ') });
  expect(stdout).toMatch(/Accuracy: \d+ %, estimated from \d+ random rows/);
  expect(stdout).toContain(
    '30 labels in labels/texts/rows.jsonl.\nNext: npx adalora train labels/texts/rows.jsonl\n',
  );
  expect(read('rows.jsonl').trim().split('\n')).toHaveLength(30);
  expect(read('rows.csv').trim().split('\n')).toHaveLength(5);

  const plan = await workspace.run('plan', 'labels/texts/rows.jsonl');
  expect(plan).toMatchObject({ code: 0, stdout: expect.stringContaining('30') });
});

it('labels pairs of a table', async () => {
  const table = ROWS.slice(0, 15).map(({ text, pair }) => `${text}\t${pair}\n`);
  workspace.write('pairs.tsv', `question\tanswer\n${table.join('')}`);
  const columns = ['--text', 'question', '--text-pair', 'answer', '--labels', 'no,yes', '--model', 'model'];
  const { stdout } = await workspace.runWith('12121212121212121212', 'label', 'pairs.tsv', ...columns);
  expect(stdout).toContain('All rows have an answer.');
  expect(workspace.read('labels', 'pairs', 'rows.csv').toString()).toMatch(/^text,text_pair,label\n/);
  const several = ['label', 'pairs.tsv', ...columns, '--several', '-o', 'labels/several'];
  const { stdout: said } = await workspace.runWith('12\n\n1\nq', ...several);
  expect(said).toContain(
    '3 labels in labels/several/rows.csv.\nNext: npx adalora train labels/several/rows.csv --task',
  );
  const lines = workspace.read('labels', 'several', 'rows.csv').toString().trim().split('\n');
  expect(lines.slice(1).map((line) => line.split(',').at(-1))).toEqual(['no;yes', '""', 'no']);
});
