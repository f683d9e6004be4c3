import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TaskModel } from '../../src/program/objectives/task-model.ts';
import type { LoadedModel } from '../../src/program/weight-memory.ts';
import { type Build, type Family, findFamily } from '../../src/use/trained/bind-model.ts';
import { openWeights } from '../../src/use/trained/node/load-model.ts';

/** The family of the model in a folder, and the content of its config.json. */
export function familyIn(folder: string): Family & { json: Record<string, unknown> } {
  const path = join(folder, 'config.json');
  const json = JSON.parse(readFileSync(path, 'utf8'));
  return { ...findFamily(json, path), json };
}

/** Describes the model in a folder, at once. */
export function describeIn<Model>(folder: string, build: Build<Model>): Model {
  const { definition, config } = familyIn(folder);
  return build(definition, config);
}

/** Opens the model in a folder, at once. */
export function openIn(folder: string, build: Build<TaskModel>): LoadedModel<TaskModel> {
  return openWeights(folder, describeIn(folder, build));
}
