import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parseRows } from '../../../input/data/parse-rows.ts';
import type { DataOptions } from '../../../input/data/rows.ts';
import { EMBEDDED_MODEL } from '../../../input/hub/model-id.ts';
import { METHODS } from '../../../methods/tuners/registry.ts';
import { TASK_NAMES, taskNamed } from '../../../tasks/registry.ts';
import { loadConfig } from '../load-config.ts';
import { starterFiles } from './init.ts';

it('the starter files are a config with the embedded model, and the rows that it reads', () => {
  const files = starterFiles();
  expect(files.map(({ name }) => name)).toEqual(['adalora.yaml', 'train.tsv', 'validation.tsv']);
  const { model, data, task } = loadConfig('examples/starter/adalora.yaml');
  expect(model).toBe(EMBEDDED_MODEL);
  expect(task).toBe('single_label_classification');
  const rowsOf = (wanted = '') =>
    files.flatMap(({ name, content }) =>
      name === wanted ? parseRows(content, name, { ...(data as DataOptions), format: 'tsv' }) : [],
    );
  const [train, validation] = [rowsOf(data.train as string), rowsOf(data.validation as string)];
  expect([train.length, validation.length]).toEqual([48, 18]);
  const labels = (rows: typeof train) => [...new Set(rows.map(({ label }) => label))];
  expect(labels(validation)).toEqual(labels(train));
  const texts = new Set(train.map(({ text }) => text));
  expect(validation.some(({ text }) => texts.has(text))).toBe(false);
});

it('name every method', () => {
  const { content } = starterFiles()[0]!;
  const comment = /(# .*\n)+(?=method:)/.exec(content)?.[0] ?? '';
  for (const method of Object.keys(METHODS)) expect(comment).toMatch(new RegExp(`\\b${method}\\b`));
});

const own = TASK_NAMES.filter((task) => existsSync(`examples/starter/${task}`)).map((task) => [task, task]);
it.each([...own, ['tools', 'causal_lm']] as [string, (typeof TASK_NAMES)[number]][])(
  'the starter of %s is a config of %s, and rows that it can read',
  (name, expected) => {
    const files = starterFiles(name);
    const config = loadConfig(`examples/starter/${name}/adalora.yaml`);
    expect(config.task).toBe(expected);
    const task = taskNamed(expected);
    const rows = files.find((file) => file.name === config.data.train)!.content;
    expect(rows.trim().split('\n').length).toBeGreaterThan(20);
    const file = { name: 'rows', size: rows.length, read: () => rows };
    expect(() => task.files.read([file], config.data as never)).not.toThrow();
  },
);
