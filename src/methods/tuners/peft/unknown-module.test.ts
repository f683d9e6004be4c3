import { expect, it } from 'vitest';
import type { TunableModel } from '../tuner.ts';
import { unknownModule } from './described-adapter.ts';

const WORDS = 'model.embed_tokens.weight';
const model = {
  parameters: new Map([[WORDS, [2, 1]]]),
  head: { modules: [], mayLack: ['lm_head'] },
  definition: { tiedNames: { [WORDS]: ['lm_head.weight'] } },
  wordTables: new Map([[WORDS, 1]]),
} as unknown as TunableModel;

it.each([
  ['lm_head', 'a: lm_head is the same parameter as model.embed_tokens.weight in the base model'],
  ['model.embed_tokens.lora_embedding_A', 'a: model.embed_tokens is not a linear layer'],
  ['model.layers.9.q', 'a: model.layers.9.q is not a module of the base model'],
])('reports %s', (name, message) => {
  expect(unknownModule(model, name, [], 'a').message).toContain(message);
});
