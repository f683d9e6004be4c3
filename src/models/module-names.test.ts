import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { plainModel } from '../program/objectives/plain-model.ts';
import type { HeadKind } from './heads/registry.ts';
import { modelFamily, modelTypes } from './registry.ts';
import { PLAIN_SENTENCE } from './sentence-settings.ts';

/* PEFT names modules as transformers does in memory, which is not always the name in files. */

interface Case {
  head: HeadKind;
  config: { model_type: string; tie_word_embeddings: boolean };
  linears: Record<string, [outFeatures: number, inFeatures: number]>;
}

const { cases } = JSON.parse(
  readFileSync(new URL('./fixtures/module-names.json', import.meta.url), 'utf8'),
) as { cases: Case[] };
const CASES = cases.map(({ head, config, linears }) => ({
  name: `${config.model_type} ${head}${config.tie_word_embeddings ? '' : ' with output weights of its own'}`,
  kind: head,
  config,
  linears,
}));

it('the cases have every family', () => {
  expect([...new Set(CASES.map(({ config }) => config.model_type))].sort()).toEqual(modelTypes().sort());
});

it.each(CASES)('$name has the linear modules of transformers', ({ kind, config: json, linears }) => {
  const definition = modelFamily(json, 'config.json');
  const head = definition.heads[kind];
  if (!head) return;
  const config = definition.parseConfig(json, 'config.json');
  // For some families, the checkpoint decides. Without one, transformers ties the weights.
  const tied = definition.alwaysTies ? { ...config, tie_word_embeddings: true } : config;
  // With the pooling of the base model, all of its modules are read.
  const pooled = { ...PLAIN_SENTENCE, pooling: { ...PLAIN_SENTENCE.pooling, mode: 'cls' as const } };
  const read = config.content ? { ...tied, sentence: pooled } : tied;
  const model = plainModel(kind, config.numLabels)(definition, read);
  const unread = (path: string) => head.unread?.some((module) => `${path}.`.startsWith(`${module}.`));
  const expected = Object.entries(linears).filter(([path]) => !unread(path));
  const found = model.linears.map(({ path, outFeatures, inFeatures }) => [path, [outFeatures, inFeatures]]);
  expect(Object.fromEntries(found)).toEqual(Object.fromEntries(expected));
});
