import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { largestDifference } from '../scripts/conformance/compare.ts';
import type { Session } from '../src/engine/runtime/session.ts';
import type { Engine } from '../src/program/engine.ts';
import { openLanguageModel } from '../src/program/generation/causal-language-model.ts';
import { generate } from '../src/program/generation/generate.ts';
import { generationSettings } from '../src/program/generation/generation-settings.ts';
import type { LanguageModel } from '../src/program/generation/language-model.ts';
import type { TextGenerator } from '../src/program/generation/text-generator.ts';
import { nodeEngine } from '../src/program/node/node-engine.ts';
import { modelFeeds } from '../src/program/objectives/model-inputs.ts';
import { Program } from '../src/program/program.ts';
import { Random } from '../src/support/random.ts';
import { describeFolder, models } from '../src/use/trained/node/load-model.ts';
import { open } from '../src/use/trained/node/open.ts';
import type { OpenedModel } from '../src/use/trained/opened-model.ts';
import type { OpenedTuned } from '../src/use/trained/trained-parts.ts';
import { newFolder } from './support/new-folder.ts';
import { SMALL_GENERATORS, writeSmallGenerator } from './support/small-generator.ts';

interface Fixture {
  prompts: number[][];
  cases: { model: string; prompts: number[]; user: object; ids: string[] }[];
}

const fixture = JSON.parse(readFileSync('src/program/generation/fixtures/models.json', 'utf8')) as Fixture;
const folder = newFolder();

/** As in scripts/oracle/small-generators.ts. */
const VOCABULARY = 24;

describe.each(SMALL_GENERATORS)('%s', (type) => {
  const path = join(folder, `few-words-${type}`);
  const prompts = fixture.prompts;
  let model: LanguageModel;
  let close: () => Promise<void>;

  beforeAll(async () => {
    writeSmallGenerator(path, type, { vocab_size: VOCABULARY });
    const loaded = await models.openTuned(path, { generates: true });
    const opened = await openLanguageModel({ engine: nodeEngine(loaded.model, 'cpu'), ...loaded });
    model = opened;
    close = async () => {
      await opened.release();
      loaded.model.close();
    };
  });
  afterAll(() => close());

  const settingsOf = async (user: object) =>
    generationSettings({ user, modelConfig: (await describeFolder(path)).json });
  const cases = fixture.cases.filter((one) => one.model === type);

  it.each(cases.map((one) => [JSON.stringify({ ...one, model: undefined, ids: undefined }), one] as const))(
    'generates the same as transformers: %s',
    async (_, { prompts: chosen, user, ids }) => {
      const given = chosen.map((index) => prompts[index]!);
      const rows = await generate(model, given, await settingsOf(user));
      expect(rows.map((row) => row.join(' '))).toEqual(ids);
    },
  );

  it.each<[string, object]>([
    ['greedily', {}],
    ['with beams', { num_beams: 3, no_repeat_ngram_size: 3 }],
  ])('generates %s for a batch of prompts as for each alone', async (_, more) => {
    const settings = await settingsOf({
      max_new_tokens: 12,
      eos_token_id: [2, 5, 9],
      pad_token_id: 0,
      ...more,
    });
    const together = await generate(model, prompts, settings);
    const longest = Math.max(...prompts.map(({ length }) => length));
    for (const [i, prompt] of prompts.entries()) {
      const [alone] = await generate(model, [prompt], settings);
      const begun = (length: number) => (['bart', 't5'].includes(type) ? 1 : length);
      const [text, rest] = [alone!.subarray(begun(prompt.length)), together[i]!.subarray(begun(longest))];
      expect([...rest.subarray(0, text.length)]).toEqual([...text]);
      expect(rest.subarray(text.length).every((id) => id === 0 || id === 2)).toBe(true);
    }
  });
});

describe('a generator', () => {
  const path = join(folder, 'llama');
  let opened: OpenedModel;
  let generator: TextGenerator;

  beforeAll(async () => {
    writeSmallGenerator(path, 'llama');
    opened = await open(path, { generates: true });
    generator = await opened.generator();
  });
  afterAll(() => opened.close());

  const sampled = { do_sample: true, temperature: 1.5, top_k: null, max_new_tokens: 40 };

  it('streams the text that it returns', async () => {
    let isHeldBack = false;
    for (let seed = 0; seed < 8; seed++) {
      const whole = await generator.generate('the cat', sampled, { seed });
      const heard: string[] = [];
      const streamed = await generator.generate('the cat', sampled, {
        seed,
        onText: (text) => heard.push(text),
      });
      expect(streamed).toEqual(whole);
      expect(heard.join('')).toBe(whole.text);
      isHeldBack ||= heard.length < whole.ids.length;
    }
    expect(isHeldBack).toBe(true);
  });

  it('samples by its seed', async () => {
    const texts = async (seed: number) => (await generator.generate('a', sampled, { seed })).text;
    expect(await texts(4)).toBe(await texts(4));
    expect(await texts(5)).not.toBe(await texts(4));
  });

  it('gives several texts of several prompts, in order', async () => {
    const config = { ...sampled, num_return_sequences: 2 };
    const prompts = ['the cat', 'a', [{ role: 'user', content: 'hi' }]];
    const all = await generator.generateAll(prompts, config);
    expect(all.map((texts) => texts.length)).toEqual([2, 2, 2]);
    expect(new Set(all.flat().map(({ text }) => text)).size).toBe(6);
    const greedy = await generator.generateAll(prompts, { max_new_tokens: 6 });
    for (const [i, prompt] of prompts.entries())
      expect(greedy[i]).toEqual([await generator.generate(prompt, { max_new_tokens: 6 })]);
    expect(await generator.generateAll([])).toEqual([]);
  });

  it('ends texts at an end token, at the maximum length, and at the last position', async () => {
    const { ids } = await generator.generate('the cat', { max_new_tokens: 6 });
    const stopped = await generator.generate('the cat', { max_new_tokens: 6, eos_token_id: ids[3] });
    expect(stopped).toMatchObject({ ids: ids.subarray(0, 4), finish: 'stop' });
    expect((await generator.generate('the cat', { max_new_tokens: 6, num_beams: 2 })).finish).toBe('length');
    const long = await generator.generate(new Int32Array(60).fill(7), {
      eos_token_id: null,
      pad_token_id: 0,
    });
    expect(long).toMatchObject({ finish: 'length', ids: { length: 4 } });
  });

  it('returns beams in one piece', async () => {
    const config = { num_beams: 3, max_new_tokens: 5 };
    const pieces: string[] = [];
    const onText = (piece: string) => pieces.push(piece);
    expect(pieces).toEqual([(await generator.generate('the cat', config, { onText })).text]);
  });

  it('runs one request at a time, and the next if a reader fails', async () => {
    const first = generator.generate('the cat', { max_new_tokens: 4 });
    const second = generator.generate('the cat', { max_new_tokens: 4 });
    expect(await second).toEqual(await first);
    const onText = () => {
      throw new Error('gone');
    };
    await expect(generator.generate('the cat', sampled, { onText })).rejects.toThrow('gone');
    expect(await generator.generate('the cat', { max_new_tokens: 4 })).toEqual(await first);
  });

  it('stops on a signal', async () => {
    const controller = new AbortController();
    const options = { signal: controller.signal, onText: () => controller.abort(new Error('enough')) };
    await expect(generator.generate('the cat', sampled, options)).rejects.toThrow('enough');
    expect((await generator.generate('the cat', { max_new_tokens: 3 })).ids).toHaveLength(3);
  });

  it.each<[string, Parameters<TextGenerator['generate']>, RegExp]>([
    ['a prompt that is too long', ['a '.repeat(40)], /the prompt has 81 tokens/],
    [
      'tokens that the model does not know',
      [Int32Array.of(5, 264)],
      /the prompt has token id 264, but .* is 264/,
    ],
    [
      'a conversation that the template refuses',
      [[{ role: 'assistant', content: 'hi' }]],
      /A user speaks first/,
    ],
    ['a config that says nothing', ['a', { top_k: 3 }], /generation: top_k 3 needs/],
    [
      'several texts in one stream',
      ['a', { do_sample: true, num_return_sequences: 2 }, { onText: () => {} }],
      /Streaming supports one text per prompt/,
    ],
  ])('rejects %s', async (_, given, message) => {
    await expect(generator.generate(...given)).rejects.toThrow(message);
  });
});

describe('a decoder', () => {
  /** Tokens of each run. */
  const read: number[] = [];
  let loaded: OpenedTuned;
  let engine: Engine;
  let onRun = () => {};
  const counted = (session: Session): Session => ({
    ...session,
    run(feeds, into) {
      read.push(feeds.input_ids!.dims[0]!);
      onRun();
      return session.run(feeds, into);
    },
  });

  beforeAll(async () => {
    const path = join(folder, 'long');
    writeSmallGenerator(path, 'mistral', { max_position_embeddings: 1000 });
    loaded = await models.openTuned(path, { generates: true });
    const inner = nodeEngine(loaded.model, 'cpu');
    engine = { open: async (outputs) => counted(await inner.open(outputs)) };
  });
  afterAll(() => loaded.model.close());

  it('reads only the new part of a prompt that continues the previous one, with the same result', async () => {
    const continuing = await openLanguageModel({ ...loaded, engine }, { continues: true });
    const afresh = await openLanguageModel({ ...loaded, engine });
    const check = async (prompts: number[][], user: object, expected: number[]) => {
      const settings = generationSettings({ user: { max_new_tokens: 3, pad_token_id: 0, ...user } });
      const rows = await generate(afresh, prompts, settings);
      read.length = 0;
      expect(await generate(continuing, prompts, settings)).toEqual(rows);
      expect(read).toEqual(expected);
      return Array.from(rows[0]!);
    };
    const turn = await check([[1, 5, 9, 14, 3]], {}, [5, 1, 1]);
    const second = await check([[...turn, 40, 41, 42]], {}, [4, 1, 1]);
    await check([second.slice(0, 6)], {}, [1, 1, 1]);
    await check([[1, 5, 30, 31]], {}, [2, 1, 1]);
    await check([[9, 8]], {}, [2, 1, 1]);
    await check([[9, 8], [7]], {}, [2, 1, 1]);
    await check([[9, 8]], { num_beams: 2 }, [2, 1, 1]);
    await check([[9, 8]], { max_new_tokens: 1 }, [2]);
    await check([[9, 8, 7]], { max_new_tokens: 1 }, [1]);
    for (const model of [continuing, afresh]) await model.release();
  });

  it('reads long prompts piece by piece, with the logits of the whole', async () => {
    const model = await openLanguageModel({ ...loaded, engine });
    const [rows, length, padding] = [2, 300, 40];
    const random = new Random(1, 'prompts');
    const inputIds = Int32Array.from({ length: rows * length }, () =>
      random.integer(loaded.model.config.vocabSize),
    );
    const mask = inputIds.map((_, i) => Number(i >= padding));
    read.length = 0;
    const logits = await model.read(inputIds, rows, { mask });
    expect(read).toEqual([128, 128, 44]);
    const program = new Program(engine, loaded.model, loaded.tuner);
    const positionIds = inputIds.map((_, i) => (i < length ? Math.max(0, i - padding) : i - length));
    const tokenTypeIds = new Int32Array(rows * length);
    const batch = { inputIds, attentionMask: mask, tokenTypeIds, positionIds, batch: rows, length };
    const whole = await program.predict(loaded.values, modelFeeds(batch));
    // float32 sums in another order, for logits of some units.
    expect(largestDifference(logits, whole.slice(-logits.length))).toBeLessThan(2e-5);

    const controller = new AbortController();
    onRun = () => controller.abort(new Error('enough'));
    read.length = 0;
    const { signal } = controller;
    await expect(model.read(inputIds, rows, { mask, signal })).rejects.toThrow('enough');
    expect(read).toEqual([128]);
    onRun = () => {};
    expect(largestDifference(await model.read(inputIds, rows, { mask }), logits)).toBe(0);
    await program.release();
    await model.release();
  });

  it('reads at once if positions depend on the length of the text', async () => {
    const path = join(folder, 'dynamic');
    writeSmallGenerator(path, 'llama', { rope_scaling: { type: 'dynamic', factor: 8 } });
    const dynamic = await models.openTuned(path, { generates: true });
    const counting = {
      open: async (outputs: Parameters<Engine['open']>[0]) =>
        counted(await nodeEngine(dynamic.model, 'cpu').open(outputs)),
    };
    const model = await openLanguageModel({ ...dynamic, engine: counting }, { continues: true });
    const prompt = new Int32Array(300).fill(7);
    for (let turn = 0; turn < 2; turn++) {
      read.length = 0;
      await model.read(prompt, 1, { mask: new Int32Array(300).fill(1) });
      expect(read).toEqual([300]);
    }
    await model.release();
    dynamic.model.close();
  });
});

it('rejects a prompt that is too long for an encoder', async () => {
  const path = join(folder, 'bart');
  writeSmallGenerator(path, 'bart');
  const opened = await open(path, { generates: true });
  const generator = await opened.generator();
  await expect(generator.generate('a '.repeat(40))).rejects.toThrow(/has 82 tokens, more than 64/);
  await opened.close();
});
