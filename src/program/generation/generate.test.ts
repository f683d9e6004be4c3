import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TableModel } from '../../../tests/support/table-model.ts';
import { computeProbabilities } from './draw.ts';
import { generate } from './generate.ts';
import { legacyConfig, readGenerationConfig } from './generation-config.ts';
import { generationSettings } from './generation-settings.ts';
import { beginSearch } from './search.ts';

interface Fixture {
  vocab: number;
  scale: number;
  table: number[];
  prompts: number[][];
  files: Record<string, object>;
  cases: {
    prompts: number[];
    user: object;
    file?: string;
    encoder?: boolean;
    positions?: number;
    ids: string[];
  }[];
  distributions: { prompt: number[]; user: object; probabilities: number[] }[];
  legacy: { config: object; expected: object }[];
}

const fixture = JSON.parse(readFileSync('src/program/generation/fixtures/oracle.json', 'utf8')) as Fixture;
const table = fixture.table.map((value) => value / fixture.scale);
const tableModel = (encoder?: boolean, positions?: number) =>
  new TableModel(table, fixture.vocab, encoder, positions);
const settingsOf = (user: object, file = 'tokens') =>
  generationSettings({ user, generationConfig: fixture.files[file] });
const idsOf = (rows: Int32Array[]) => rows.map((row) => row.join(' '));

describe('generate equals transformers', () => {
  it.each(fixture.cases.map((one) => [JSON.stringify({ ...one, ids: undefined }), one] as const))(
    '%s',
    async (_, { prompts, user, file, encoder, positions, ids }) => {
      const given = prompts.map((index) => fixture.prompts[index]!);
      expect(idsOf(await generate(tableModel(encoder, positions), given, settingsOf(user, file)))).toEqual(
        ids,
      );
    },
  );

  it.each(fixture.distributions)(
    'samples from the distribution of $user',
    async ({ prompt, user, probabilities }) => {
      const settings = settingsOf({ do_sample: true, max_new_tokens: 1, ...user });
      const search = await beginSearch(tableModel(), [prompt], settings, {});
      search.process(search.logits, search.begun[0]!, 0);
      computeProbabilities(search.logits).forEach((probability, token) => {
        // The reference has 7 digits and was computed with some 32-bit operations.
        expect(Math.abs(probability - probabilities[token]!), `${token}`).toBeLessThan(1e-6);
        expect(probability === 0, `${token}`).toBe(probabilities[token] === 0);
      });
    },
  );

  it.each(fixture.legacy)('with the generation config in $config', ({ config, expected }) => {
    expect(readGenerationConfig(legacyConfig(config), 'config.json', 'file').config).toEqual(expected);
  });
});

describe('generate', () => {
  const prompts = [fixture.prompts[0]!, fixture.prompts[3]!];

  it('reads prompts once, and ended rows no more', async () => {
    const greedy = tableModel();
    const rows = await generate(greedy, prompts, settingsOf({ max_new_tokens: 8, eos_token_id: [2, 7] }));
    const lengths = rows.map((row) => row.subarray(5).findIndex((id) => id === 2 || id === 7) + 1 || 8);
    const running = Array.from({ length: 8 }, (_, i) => lengths.filter((length) => length > i).length);
    expect(greedy.reads).toEqual(running.filter((count) => count > 0));
    const beams = tableModel();
    await generate(beams, prompts, settingsOf({ max_new_tokens: 3, num_beams: 3, eos_token_id: null }));
    expect(beams.reads).toEqual([2, 6, 6]);
  });

  it('streams its result', async () => {
    const settings = settingsOf({ max_new_tokens: 8, do_sample: true, num_return_sequences: 2, top_k: 0 });
    const heard: number[][] = [[], [], [], []];
    const rows = await generate(tableModel(), prompts, settings, {
      seed: 5,
      onToken: ({ row, token }) => heard[row]!.push(token),
    });
    heard.forEach((tokens, row) => {
      expect([...rows[row]!.subarray(5, 5 + tokens.length)]).toEqual(tokens);
      expect([...new Set(rows[row]!.subarray(5 + tokens.length))]).toEqual(
        rows[row]!.length > 5 + tokens.length ? [0] : [],
      );
    });
  });

  it('starts an empty prompt from the first token', async () => {
    const settings = settingsOf({ max_new_tokens: 4 });
    expect(await generate(tableModel(), [[]], settings)).toEqual(
      await generate(tableModel(), [[1]], settings),
    );
    expect(await generate(tableModel(), [], settings)).toEqual([]);
  });

  it('stops on a signal between two tokens', async () => {
    const controller = new AbortController();
    const model = tableModel();
    const onToken = () => controller.abort(new Error('enough'));
    const { signal } = controller;
    const settings = settingsOf({ max_new_tokens: 8, eos_token_id: null });
    await expect(generate(model, prompts, settings, { onToken, signal })).rejects.toThrow('enough');
    expect(model.reads).toHaveLength(1);
    const beams = settingsOf({ max_new_tokens: 8, num_beams: 2 });
    await expect(generate(tableModel(), prompts, beams, { signal })).rejects.toThrow('enough');
  });

  it.each<[string, object, object, RegExp]>([
    [
      'a long prompt',
      { max_length: 5 },
      {},
      /the prompt has 5 tokens, but needs fewer than 5, the max_length/,
    ],
    [
      'a long prompt for the model',
      {},
      { positions: 5 },
      /has 5 tokens, but needs fewer than 5, the model's maximum length/,
    ],
    ['no padding', { pad_token_id: null, eos_token_id: null }, {}, /pad_token_id is not set/],
    [
      'no start',
      { decoder_start_token_id: null, bos_token_id: null },
      { encoder: true },
      /decoder_start_token_id/,
    ],
    [
      'tokens beyond the vocabulary',
      { forced_eos_token_id: [2, 16], bad_words_ids: [[3], [1, 99]] },
      {},
      /forced_eos_token_id has token id 16, but .* has 16\.\nbad_words_ids has token id 99/,
    ],
    [
      'nothing left to draw',
      { do_sample: true, suppress_tokens: Array.from({ length: 16 }, (_, i) => i) },
      {},
      /every one is banned/,
    ],
  ])(
    'rejects %s',
    async (_, user, { encoder, positions }: { encoder?: boolean; positions?: number }, message) => {
      await expect(generate(tableModel(encoder, positions), prompts, settingsOf(user))).rejects.toThrow(
        message,
      );
    },
  );

  it('rejects an empty prompt without a first token, and logits that are not finite', async () => {
    await expect(generate(tableModel(), [[5], []], settingsOf({}, 'pad'))).rejects.toThrow(
      /prompt 2 has no tokens/,
    );
    const broken = new TableModel(new Float32Array(16 ** 3).fill(Number.NaN), 16);
    await expect(generate(broken, prompts, settingsOf({}))).rejects.toThrow(/the model computed NaN logits/);
  });
});
