import { expect, it } from 'vitest';
import type { TunableModel } from './tuner.ts';
import { joinTiedWords } from './whole-parameters.ts';

const [WORDS, OUTPUT] = ['model.embed_tokens.weight', 'lm_head.weight'];
const model = {
  parameters: new Map([[WORDS, [2, 1]]]),
  head: { modules: [], mayLack: ['lm_head'] },
  definition: { tiedNames: { [WORDS]: [OUTPUT] } },
  wordTables: new Map([[WORDS, 1]]),
} as unknown as TunableModel;
const tensor = { shape: [2, 1], data: Float32Array.of(1, 2) };

it('has tied word embeddings once, if PEFT wrote them under both names', () => {
  for (const names of [[WORDS, OUTPUT], [OUTPUT], [WORDS]]) {
    const saved = new Map(names.map((name) => [name, tensor] as const));
    joinTiedWords(model, saved, ['norm'], 'x');
    expect([...saved]).toEqual([[WORDS, tensor]]);
  }
});

it.each([['embed_tokens'], ['lm_head']])('rejects copies that PEFT trained of %s', (module) => {
  const saved = new Map([[module === 'lm_head' ? OUTPUT : WORDS, tensor]]);
  expect(() => joinTiedWords(model, saved, [module], 'x')).toThrow(
    'was trained as a copy, but model.embed_tokens.weight and lm_head.weight are one parameter of the base model',
  );
});
