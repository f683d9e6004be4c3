import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Confusion } from '../src/program/example-set.ts';
import { classReport } from '../src/scores/metrics/classes.ts';
import { wilson } from '../src/scores/metrics/score-interval.ts';
import { newWorkspace, refuses, set, succeeds } from './support/commands.ts';
import { tinyRows } from './support/tiny-data.ts';
import { type Ended, eventsOf } from './support/workspace.ts';

/* The output for a first-time user of the command. */

const ROWS = tinyRows(48, 2);

const workspace = newWorkspace();
let trained: Ended;
beforeAll(async () => {
  const settings = ['training.num_train_epochs=2', 'method=lora'].flatMap((value) => ['--set', value]);
  trained = await workspace.run('train', 'run.yaml', '--resume', ...settings);
});

it('resuming without a run says that it starts from step 0', () => {
  expect(trained.code).toBe(0);
  expect(trained.stdout).toContain('note: No checkpoint in run. Starting from step 0.\n');
});

it('a small run ends with a table of its evaluations', () => {
  expect(trained.stdout).toMatch(/^epoch +step +training loss +loss +accuracy/m);
  expect(trained.stdout).toMatch(/^2 +20 +\d\.\d{4} +\d\.\d{4} +0\.\d{4} /m);
});

describe('predict', () => {
  const lines = async (...flags: string[]) => {
    const { code, stdout } = await workspace.run('predict', 'run', ...flags);
    expect(code).toBe(0);
    return stdout.trimEnd().split('\n');
  };

  it('gives each row its number or its id in the file, and each label its probability', async () => {
    const answers = (await lines('dev.tsv')).map((line) => JSON.parse(line));
    expect(answers.map(({ row }) => row)).toEqual(ROWS.map((_, i) => i + 1));
    const second = (await lines('dev.tsv', '--shard', '2/3')).map((line) => JSON.parse(line));
    expect(second.map(({ row }) => row)).toEqual(ROWS.flatMap((_, i) => (i % 3 === 1 ? [i + 1] : [])));
    for (const { label, probabilities } of answers) {
      expect(Object.keys(probabilities)).toEqual(['bad', 'good']);
      expect(probabilities[label]).toBeGreaterThanOrEqual(0.5);
    }
    workspace.write('named.csv', 'id,sentence\nx-7,a cat .\n');
    const [named] = await lines('named.csv');
    expect(JSON.parse(named!)).toMatchObject({ id: 'x-7' });
  });

  it('numbers rows as in the file even if some are skipped, for files and standard input', async () => {
    workspace.write('ragged.tsv', 'sentence\tlabel\na cat .\tgood\nragged\na dog .\tbad\n');
    const skip = ['--on-bad-row', 'skip'];
    const rows = (await lines('ragged.tsv', ...skip)).map((line) => JSON.parse(line).row);
    expect(rows).toEqual([1, 3]);
    const typed = await workspace.runWith(
      workspace.read('ragged.tsv').toString(),
      ...['predict', 'run', '--format', 'glue', ...skip],
    );
    expect(typed.stdout).toMatch(/^index\tprediction\n0\t\w+\n2\t\w+\n$/);
    expect(typed.stderr).toMatch(/^1 row is skipped\. standard input:3 .*\nGLUE's server takes only files/);
  });

  it('reads compressed and parquet data also from standard input', async () => {
    const parquet = readFileSync('src/input/data/parquet/fixtures/rows-v2.parquet');
    workspace.write('rows.parquet', parquet);
    const skip = ['--on-bad-row', 'skip'];
    const answered = await workspace.run('predict', 'run', 'rows.parquet', ...skip);
    expect(answered.code).toBe(0);
    const typed = await workspace.runWith(parquet, 'predict', 'run', ...skip);
    expect(typed.stdout).toBe(answered.stdout);
    const packed = gzipSync(workspace.read('dev.tsv'));
    const scored = await workspace.runWith(packed, 'eval', 'run', '-');
    expect(scored).toEqual(await workspace.run('eval', 'run', 'dev.tsv'));
  });

  it('predicts a text given instead of a file, with the text beside the answer', async () => {
    const { code, stdout } = await workspace.run('predict', 'run', 'where is it');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ row: 1, text: 'where is it', label: expect.any(String) });
    const short = await workspace.run('predict', 'run', 'where is it', '--no-text');
    expect(Object.keys(JSON.parse(short.stdout))).toEqual(['row', 'label', 'probabilities']);
    const { stderr } = await workspace.run('predict', 'run', 'missing.tsv');
    expect(stderr).toContain('missing.tsv does not exist');
  });

  it('writes CSV with an id or a number for each row', async () => {
    workspace.write('some.jsonl', '{"sentence":"a cat ."}\n{"sentence":"a dog .","id":"x-7"}\n');
    const rows = await lines('some.jsonl', '--format', 'csv');
    expect(rows.map((line) => line.split(',')[0])).toEqual(['id', '1', 'x-7']);
  });

  it('accepts --json like the other commands, and eval reads standard input too', async () => {
    expect(await lines('dev.tsv', '--json')).toEqual(await lines('dev.tsv'));
    const { code } = await workspace.run('predict', 'run', 'dev.tsv', '--json', '--format', 'csv');
    expect(code).toBe(2);
    const typed = await workspace.runWith(workspace.read('dev.tsv').toString(), 'eval', 'run', '-');
    expect(typed).toEqual(await workspace.run('eval', 'run', 'dev.tsv'));
    const merged = await workspace.run('export', 'run', '--as', 'merged', '-o', 'as-merged', '--json');
    expect(JSON.parse(merged.stdout)).toEqual({ output: 'as-merged' });
    const exported = await workspace.run('export', 'run', '--as', 'lora', '-o', 'as-lora', '--json');
    expect(JSON.parse(exported.stdout)).toEqual({ output: 'as-lora' });
  });

  it('writes CSV', async () => {
    const [header, ...rows] = await lines('dev.tsv', '--format', 'csv', '--no-text');
    expect(header).toBe('row,label,probabilities.bad,probabilities.good');
    const answers = (await lines('dev.tsv')).map((line) => JSON.parse(line));
    expect(rows).toEqual(
      answers.map(({ row, label, probabilities: { bad, good } }) => `${row},${label},${bad},${good}`),
    );
  });
});

it('the card of a run on pairs shows how to predict', async () => {
  const more = [
    'output=pairs',
    `model=${workspace.path('model')}`,
    'training.max_steps=2',
    'data.text_pair=pair',
  ];
  await succeeds(workspace.train('method=lora', ...more));
  const rows = '{"sentence":"a cat .","pair":"a dog ."}\n{"sentence":"a","pair":"b"}\n';
  workspace.write('pairs/pairs.jsonl', rows);
  const [, command] = /```sh\n(.+)\n```/.exec(workspace.read('pairs', 'README.md').toString()) ?? [];
  const line = command!.replace('adalora', `"${process.execPath}" "${resolve('dist/cli/main.js')}"`);
  const { status, stdout } = spawnSync(line, {
    cwd: workspace.path('pairs'),
    shell: true,
    encoding: 'utf8',
  });
  expect(status).toBe(0);
  expect(
    stdout
      .trimEnd()
      .split('\n')
      .map((answer) => JSON.parse(answer).row),
  ).toEqual([1, 2]);
});

describe('the confusion matrix', () => {
  const counted = async () => {
    const { stdout } = await workspace.run('predict', 'run', 'dev.tsv');
    const found = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).label as string);
    const count = (is: string, taken: string) =>
      ROWS.filter(({ label }, i) => label === is && found[i] === taken).length;
    return ['bad', 'good'].map((is) => ['bad', 'good'].map((taken) => count(is, taken)));
  };

  it('is printed by eval', async () => {
    const counts = await counted();
    const { stdout } = await workspace.run('eval', 'run', 'dev.tsv', '--json');
    const { confusion_matrix, verdict } = JSON.parse(stdout) as {
      confusion_matrix: Confusion;
      verdict: unknown;
    };
    expect(verdict).toEqual(eventsOf(workspace.events('run'), 'finish').at(-1)!.verdict);
    expect(confusion_matrix).toEqual({ labels: ['bad', 'good'], counts });
    const text = (await workspace.run('eval', 'run', 'dev.tsv')).stdout;
    expect(text).toMatch(/^When trained: .*accuracy [0-9.]+/m);
    const [bad] = classReport(counts);
    const numbers = [bad!.precision, bad!.recall, bad!.f1].map((share) => share.toFixed(4)).join(' +');
    expect(text).toMatch(/^ +precision +recall +F1 +rows +as bad +as good$/m);
    expect(text).toMatch(new RegExp(`^bad +${numbers} +${bad!.support} +${counts[0]!.join(' +')}$`, 'm'));
  });

  it('is in the log, and in the report', async () => {
    const [last] = eventsOf(workspace.events('run'), 'confusion').reverse();
    expect(last!.counts).toEqual(await counted());
    await succeeds(workspace.run('report', 'run', '-o', 'report.html'));
    const page = workspace.read('report.html').toString();
    const row = `<tr><th scope="row">bad</th>`;
    expect(page.slice(page.indexOf('<section id="classes"'))).toContain(row);
    expect(page).toContain(`<td>${last!.counts[0]![0]}</td><td>${last!.counts[0]![1]}</td></tr>`);
  });
});

it('a mean over more than two classes is labeled as one everywhere', async () => {
  const { code, stdout } = await workspace.train(
    ...['output=scores', 'method=lora', 'data.label=score', 'training.max_steps=4'],
    ...['training.logging_steps=1', 'training.eval_steps=2', 'training.eval_strategy=steps'],
    'training.metric_for_best_model=f1',
  );
  expect(code).toBe(0);
  expect(stdout).toMatch(/^epoch +step +training loss +loss +accuracy +f1 \(macro\) /m);
  expect(workspace.read('scores', 'README.md').toString()).toMatch(/^\| F1 \(macro\) \| 0\.\d+ \|$/m);
  await workspace.run('report', 'scores', '-o', 'scores.html');
  const page = workspace.read('scores.html').toString();
  expect(page).toMatch(/: F1 \(macro\) 0\.\d/);
  expect(page).toContain('<tr><th scope="row">mean of classes (macro)</th>');
});

it('scores of classes equal scikit-learn', () => {
  // classification_report([0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 1, 1])
  expect(
    classReport([
      [2, 1, 0],
      [0, 2, 0],
      [0, 1, 0],
    ]),
  ).toEqual([
    { precision: 1, recall: 2 / 3, f1: 0.8, support: 3 },
    { precision: 0.5, recall: 1, f1: 2 / 3, support: 2 },
    { precision: 0, recall: 0, f1: 0, support: 1 },
  ]);
});

it('the base model of an adapter is also searched from its own folder, and --model suggested if it is missing', async () => {
  const path = workspace.path('run', 'adapter', 'adapter_config.json');
  const config = JSON.parse(readFileSync(path, 'utf8'));
  const named = async (base: string) => {
    writeFileSync(path, JSON.stringify({ ...config, base_model_name_or_path: base }));
    return workspace.run('predict', 'run/adapter', 'dev.tsv');
  };
  await succeeds(named('../../model'));
  const { code, stderr } = await named('../model');
  expect(code).toBe(2);
  expect(stderr).toContain('run/adapter names it as its base model. If it is elsewhere, pass --model.');
});

it('a file with two repeated texts is trained on whole, and plan and run say so', async () => {
  const rows = Array.from({ length: 40 }, (_, i) => `${i % 2 ? 'a good film,yes' : 'a bad film,no'}\n`);
  workspace.write('alike.csv', `text,label\n${rows.join('')}`);
  const settings = ['defaults=chosen', 'data={train: alike.csv, text: text, label: label}'];
  const sets = settings.flatMap((setting) => ['--set', setting]);
  const { code, stdout } = await workspace.run('plan', 'run.yaml', ...sets);
  expect(code).toBe(0);
  const reason = 'too few of the 40 rows differ to hold some out';
  expect(stdout).toContain(`eval_strategy no (${reason})`);
  const still = ['learning_rate=1e-12', 'max_steps=4', 'logging_steps=1'];
  settings.push('output=alike', ...still.map((setting) => `training.${setting}`));
  const trained = await workspace.train(...settings);
  expect(trained).toMatchObject({ code: 0, stderr: '' });
  expect(trained.stdout.match(/^note: .*(scored|fell).*$/gm)).toEqual([
    `note: The model will not be scored, because ${reason}. Set data.validation to a file of labeled rows, or label more rows.`,
    expect.stringMatching(
      /The training loss (hardly fell, from [\d.]+ to|stayed at) [\d.]+\. Raise training\.learning_rate/,
    ),
    `note: The model was not scored, because ${reason}. Set data.validation to a file of labeled rows, or label more rows.`,
  ]);
  const refused = await workspace.run('plan', 'run.yaml', ...sets, '--set', 'data.validation=10%');
  expect(refused.stderr).toContain(
    'The 40 rows are 2 groups with texts in common, and a group stays on one side. Set data.validation to a larger share or a file of labeled rows.',
  );
});

it('a run ends with a linear probe that is better', async () => {
  const still = ['learning_rate=1e-12', 'num_train_epochs=1', 'logging_steps=1'];
  const finishOf = async (output: string, ...settings: string[]) => {
    const training = [...still, ...settings].map((setting) => `training.${setting}`);
    await succeeds(workspace.train('method=lora', `output=${output}`, ...training));
    return eventsOf(workspace.events(output), 'finish')[0]!;
  };
  const plain = await finishOf('unprobed');
  expect(plain.metrics.eval_loss).toBeCloseTo(Math.log(2), 1);
  expect(plain.verdict!.kept).toBe('tuned');
  const probed = await finishOf('probed', 'floor=true');
  expect(probed.metrics.eval_loss).toBeLessThan(0.8 * plain.metrics.eval_loss!);
  expect(probed.verdict!.kept).toBe('probe');
  const { target_modules } = JSON.parse(`${workspace.read('probed', 'adapter', 'adapter_config.json')}`);
  expect(target_modules).toBe('dummy-target-modules');
  const scored = await workspace.run('eval', 'probed', 'dev.tsv', '--json');
  expect(JSON.parse(scored.stdout).eval_loss).toBeCloseTo(probed.metrics.eval_loss!, 5);
});

it('a run that is no better than the majority class ends with it', async () => {
  // A share of rows is rounded to an integer: a few rows change with it.
  const rows = Array.from({ length: 60 }, (_, i) => `film ${i}\t${i % 3 ? 'most' : 'some'}\n`);
  workspace.write('shuffled.tsv', `sentence\tlabel\n${rows.join('')}`);
  const data = 'data={train: shuffled.tsv, validation: 30%, text: sentence, label: label}';
  const settings = ['defaults=chosen', data, 'method=lora', 'output=majority'];
  const { code, stdout } = await workspace.train(...settings);
  expect(code).toBe(0);
  expect(stdout).toContain('chosen: floor true');
  const { metrics, verdict } = eventsOf(workspace.events('majority'), 'finish')[0]!;
  expect(metrics.eval_accuracy).toBeCloseTo(2 / 3, 1);
  expect(verdict?.learnt).toBe(false);
  workspace.write('other.tsv', 'sentence\nfilm 0\nfilm 1\n');
  const predicted = await workspace.run('predict', 'majority', 'other.tsv');
  expect(predicted.stdout.match(/"label":"most"/g)).toHaveLength(2);
});

describe('data.validation: 25%', () => {
  const settings = ['data.validation=25%', 'method=lora', 'training.max_steps=4', 'output=held'];
  const args = ['train', 'run.yaml', ...set(settings)];

  it('holds rows out from training, and cannot change when the run is resumed', async () => {
    await succeeds(workspace.run(...args));
    const { train_examples, eval_examples } = eventsOf(workspace.events('held'), 'start')[0]!;
    expect(train_examples + eval_examples).toBe(160);
    expect(eval_examples).toBeGreaterThan(20);
    expect(eval_examples).toBeLessThan(60);
    await refuses(
      workspace.run(...args, '--set', 'data.validation=30%', '--resume'),
      'data.validation is "30%" (was "25%")',
    );
  });

  it('counts copies of a text once in the interval', async () => {
    const copies = Array.from({ length: 40 }, (_, i) => `film ${i % 10}\t${i % 2 === 0 ? 'good' : 'bad'}`);
    workspace.write('copies.tsv', ['sentence\tlabel', ...copies, ''].join('\n'));
    const trained = await workspace.run(
      ...args,
      '--set',
      'data.validation=copies.tsv',
      '--set',
      'output=copies',
    );
    expect(trained).toMatchObject({ code: 0, stdout: expect.stringContaining(' on 40 rows (10 different)') });
    const { metrics, verdict } = eventsOf(workspace.events('copies'), 'finish')[0]!;
    const { value, rows, groups, interval } = verdict!;
    expect({ rows, groups }).toEqual({ rows: 40, groups: 10 });
    // The interval moves with the correction for the choice.
    const scoredAs = metrics.eval_accuracy!;
    const moved = Array.from(wilson(scoredAs, 10), (bound) => bound + value - scoredAs);
    expect(interval).toEqual(moved.map((bound) => expect.closeTo(bound, 9)));
  });

  it('must be between nothing and all, and of rows', async () => {
    const said = async (...changes: string[]) => {
      const words = changes.flatMap((change) => ['--set', change]);
      const { code, stderr } = await workspace.run('plan', 'run.yaml', ...words);
      expect(code).toBe(2);
      return stderr;
    };
    expect(await said('data.validation=0%')).toContain(
      'must be a share of more than 0% and less than 100%, got "0%"',
    );
  });
});
