import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { EMBEDDED_MODEL } from '../../data/hub/embedded-model.ts';
import { parseRows } from '../../data/parse-rows.ts';
import { CONFIG_NAME } from '../config-path.ts';
import { loadConfig } from '../load-config.ts';
import { STARTER_FILES } from './starter-files.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'starter-'));
  writeFileSync(join(folder, CONFIG_NAME), STARTER_FILES[CONFIG_NAME]);
});
afterAll(() => rmSync(folder, { recursive: true }));

it('is a config that takes the embedded model and reads the rows beside it', () => {
  const config = loadConfig(join(folder, CONFIG_NAME));
  expect(config.model).toBe(EMBEDDED_MODEL);
  const { data, task } = config;
  if (task !== 'single_label_classification') throw new Error(task);
  const rowsOf = (name = '') => parseRows(STARTER_FILES[name], name, { ...data, task, format: 'tsv' });
  const [train, validation] = [rowsOf(data.train), rowsOf(data.validation)];
  expect([train.length, validation.length]).toEqual([48, 18]);
  const labels = (rows: typeof train) => [...new Set(rows.map(({ label }) => label))];
  expect(labels(validation)).toEqual(labels(train));
  const texts = new Set(train.map(({ text }) => text));
  expect(validation.some(({ text }) => texts.has(text))).toBe(false);
});
