import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { newFolder } from '../../../../tests/support/new-folder.ts';
import { openForTask } from '../../../../tests/support/open-for-task.ts';
import { readSafetensors, writeSafetensors } from '../../../../tests/support/safetensors-file.ts';
import { writeTinyModel } from '../../../../tests/support/tiny-model.ts';

let folder: string;
beforeEach(() => {
  folder = newFolder();
  writeTinyModel(folder);
});

it('trains the head, and optional modules that the checkpoint lacks', () => {
  const whole = openForTask(folder, 'single_label_classification');
  expect(whole.head.modules).toEqual(['classifier']);
  whole.close();

  const path = join(folder, 'model.safetensors');
  const tensors = [...readSafetensors(path)].filter(([name]) => !name.startsWith('bert.pooler.'));
  writeSafetensors(path, new Map(tensors), { format: 'pt' });
  const model = openForTask(folder, 'single_label_classification');
  expect(model.head.modules).toEqual(['classifier', 'bert.pooler']);
  expect(model.initialized).toContain('bert.pooler.dense.weight');
  model.close();
});
