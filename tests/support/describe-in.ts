import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TaskModel } from '../../src/objectives/task-model.ts';
import type { LoadedModel } from '../../src/program/model-weights.ts';
import { type Build, familyOf } from '../../src/trained/bind-model.ts';
import { openWeights } from '../../src/trained/node/load-model.ts';

/** Describes the model in a folder, at once. */
export function describeIn<Model>(folder: string, build: Build<Model>): Model {
  const path = join(folder, 'config.json');
  const { definition, config } = familyOf(JSON.parse(readFileSync(path, 'utf8')), path);
  return build(definition, config);
}

/** Opens the model in a folder, at once. */
export function openIn(folder: string, build: Build<TaskModel>): LoadedModel<TaskModel> {
  return openWeights(folder, describeIn(folder, build));
}
