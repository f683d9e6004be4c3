import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { TableModel } from '../../../tests/support/table-model.ts';
import { TextStream } from '../../input/text/text-stream.ts';
import { Turns } from '../../support/turns.ts';
import { generate } from './generate.ts';
import { generationSettings } from './generation-settings.ts';
import { type GenerateTextOptions, type GenerationInput, newTokens } from './prompt.ts';
import { WritingQueue } from './text-generator.ts';

const { table, scale, vocab } = JSON.parse(
  readFileSync('src/program/generation/fixtures/oracle.json', 'utf8'),
);
const logits = table.map((value: number) => value / scale);
const TOKENIZER = {
  specialIds: new Set<number>(),
  decode: (ids: ArrayLike<number>) => Array.from(ids, (id) => `<${id}>`).join(''),
};
const TEXTS = { stream: () => new TextStream(TOKENIZER) };

const SAMPLED = { do_sample: true, max_new_tokens: 12, pad_token_id: 0, eos_token_id: 2 };
const PROMPTS = [[1, 4], [3], [5, 6, 7]];

/** A queue whose model reads logits from a table, so its texts do not depend on batching. */
function queue(positions?: number) {
  const model = new TableModel(logits, vocab, false, positions);
  const writing = new WritingQueue(model, TEXTS, new Turns());
  const write = (prompt: number[], user: GenerationInput = SAMPLED, options: GenerateTextOptions = {}) =>
    writing.write(Int32Array.from(prompt), generationSettings({ user }), options);
  return { model, write };
}

async function alone(prompt: number[], seed: number, user: GenerationInput = SAMPLED) {
  const settings = generationSettings({ user });
  const [row] = await generate(new TableModel(logits, vocab), [prompt], settings, { seed });
  const { ids, finish } = newTokens(row!, prompt.length, [2]);
  return { text: TOKENIZER.decode(ids), ids, finish };
}

it('writes requests of one moment as one batch, each as alone with its own seed, and streams each', async () => {
  const { model, write } = queue();
  const streamed = PROMPTS.map(() => '');
  const onText = (i: number) => (piece: string) => {
    streamed[i] += piece;
  };
  const written = await Promise.all(
    PROMPTS.map((prompt, i) => write(prompt, SAMPLED, { seed: 10 + i, onText: onText(i) })),
  );
  expect(model.reads[0]).toBe(3);
  expect(written).toEqual(await Promise.all(PROMPTS.map((prompt, i) => alone(prompt, 10 + i))));
  expect(streamed).toEqual(written.map(({ text }) => text));
});

it('batches what arrives while another batch is written', async () => {
  const { model, write } = queue();
  const first = write(PROMPTS[0]!);
  await expect.poll(() => model.reads.length).toBeGreaterThan(0);
  await Promise.all([first, write(PROMPTS[1]!), write(PROMPTS[2]!)]);
  expect(model.reads[0]).toBe(1);
  expect(model.reads).toContain(2);
});

it('keeps apart what would be written otherwise together', async () => {
  for (const [other, positions] of [
    [{ ...SAMPLED, temperature: 2 }, undefined],
    // With padding to the longest prompt, the other prompt could get fewer new tokens.
    [SAMPLED, 14],
  ] as const) {
    const { model, write } = queue(positions);
    await Promise.all([write([3], SAMPLED), write([5, 6, 7], other)]);
    expect(Math.max(...model.reads)).toBe(1);
  }
  const { model, write } = queue();
  const { max_new_tokens: _, ...open } = { ...SAMPLED, max_length: 12 };
  await Promise.all([write([3], open), write([5, 6, 7], open)]);
  expect(Math.max(...model.reads)).toBe(1);
});

it('lets go of a caller that leaves, also while it is written, and writes nothing for callers that have all left', async () => {
  const { model, write } = queue();
  const long = { do_sample: false, max_new_tokens: 400, pad_token_id: 0 };
  const leaving = new AbortController();
  const onText = () => leaving.abort(new Error('gone'));
  const [gone, stays] = await Promise.allSettled([
    write([1, 4], long, { signal: leaving.signal, onText }),
    write([3], long),
  ]);
  expect(gone).toMatchObject({ reason: { message: 'gone' } });
  expect(stays).toMatchObject({ value: { finish: 'length' } });
  // Both prompts are read together; then only one row continues.
  expect(model.reads.slice(0, 3)).toEqual([2, 1, 1]);

  const before = model.reads.length;
  const waiting = new AbortController();
  const all = [write([1, 4], long, { signal: waiting.signal }), write([3], long, { signal: waiting.signal })];
  waiting.abort(new Error('all gone'));
  for (const one of all) await expect(one).rejects.toThrow('all gone');
  expect((await write([3], SAMPLED)).ids.length).toBeGreaterThan(0);
  expect(Math.max(...model.reads.slice(before))).toBe(1);
});

it('fails a request alone, for its prompt or its listener', async () => {
  const { write } = queue(14);
  const mistake = new Error('mine');
  const onText = () => {
    throw mistake;
  };
  const short = { ...SAMPLED, max_new_tokens: 4 };
  const [good, long, broken] = await Promise.allSettled([
    write([3], short),
    write(Array(15).fill(3), short),
    write([5, 6], short, { onText }),
  ]);
  expect(good).toMatchObject({ status: 'fulfilled' });
  expect(long).toMatchObject({ reason: { message: expect.stringContaining('the prompt') } });
  expect(broken).toMatchObject({ reason: mistake });
});

it('ends every waiting request with an error of the queue, and continues with the next', async () => {
  const { write, model } = queue();
  const get = () => {
    throw new Error('no positions');
  };
  Object.defineProperty(model, 'maxPositions', { get, configurable: true });
  const ends = await Promise.allSettled(PROMPTS.map((prompt) => write(prompt)));
  expect(ends).toMatchObject(Array(3).fill({ reason: new Error('no positions') }));
  Object.defineProperty(model, 'maxPositions', { value: undefined });
  expect(await write(PROMPTS[0]!, SAMPLED, { seed: 4 })).toEqual(await alone(PROMPTS[0]!, 4));
});
