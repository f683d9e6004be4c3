import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, expect, it, vi } from 'vitest';
import { newFolder } from '../../../tests/support/new-folder.ts';
import { writeTinyTextModel } from '../../../tests/support/tiny-text-model.ts';
import type { Modality } from '../../program/modalities/modality.ts';
import { requireTexts } from '../../program/modalities/texts.ts';
import { plainModel } from '../../program/objectives/plain-model.ts';
import { models, readFolder } from '../trained/node/load-model.ts';
import { BaseModel } from './served-base.ts';

const folder = newFolder();
beforeAll(() => {
  writeTinyTextModel(folder, 'llama');
  writeFileSync(join(folder, 'chat_template.jinja'), '{{ strftime_now("%Y") }}');
});
afterEach(() => void vi.useRealTimers());

const year = (modality: Modality, now?: Date) => requireTexts(modality).at(now).render([], false);

it('a chat template gets the date of each rendering, or of the run', async () => {
  const described = await readFolder(folder);
  const text = described.modality(described.family.config);
  vi.useFakeTimers({ now: new Date('2030-06-01') });
  expect(year(text)).toBe('2030');
  vi.setSystemTime(new Date('2031-06-01'));
  expect(year(text)).toBe('2031');
  expect(year(text, new Date('2020-06-01'))).toBe('2020');
  expect(year(text)).toBe('2031');
});

it('so does that of a served base', async () => {
  const base = await BaseModel.open(models, folder, 'float32');
  const { definition, config } = base.described.family;
  const model = base.model(plainModel('CAUSAL_LM', 0)(definition, config));
  const { modality: text } = base.trained('base', { notes: undefined, model }).parts;
  vi.useFakeTimers({ now: new Date('2030-06-01') });
  expect(year(text)).toBe('2030');
  vi.setSystemTime(new Date('2031-06-01'));
  expect(year(text)).toBe('2031');
  model.close();
});
