import { FROZEN } from '../../src/methods/tuners/tuner.ts';
import type { BaseDtype } from '../../src/program/bases/base-dtype.ts';
import { withBaseDtype } from '../../src/program/bases/with-base-dtype.ts';
import { openLanguageModel } from '../../src/program/generation/causal-language-model.ts';
import { topIndices } from '../../src/program/generation/draw.ts';
import { nodeEngine } from '../../src/program/node/node-engine.ts';
import { models, openModel } from '../../src/use/trained/node/load-model.ts';
import { benchHead } from '../bench-head.ts';
import { promptTokens } from './decoder-cases.ts';

export interface WriterSettings {
  folder: string;
  dtype: BaseDtype;
  cacheFolder?: string;
  /** Prefix of the engine's profile, which is written on release. */
  profilePrefix?: string;
}

/** Milliseconds for reading the prompts, and for all later tokens together. */
export interface Written {
  prefill: number;
  decode: number;
}

/** Opens a model without an adapter, which generates greedily after random prompts. */
export async function openWriter({ folder, dtype, cacheFolder, profilePrefix }: WriterSettings) {
  const model = await withBaseDtype(
    models.machine,
    await openModel(folder, benchHead('CAUSAL_LM').build),
    dtype,
    {
      cacheFolder,
    },
  );
  const engine = nodeEngine(model, 'cpu', { profilePrefix });
  const language = await openLanguageModel({ engine, model, ...FROZEN }, { packed: true });
  const { vocabSize } = model.config;
  return {
    /** Generates `tokens` tokens for each row. The first token comes from reading the prompt. */
    async write(rows: number, prompt: number, tokens: number): Promise<Written> {
      const ids = promptTokens(0, rows * prompt, vocabSize);
      const started = performance.now();
      let logits = await language.read(ids, rows, { mask: new Int32Array(ids.length).fill(1) });
      const read = performance.now();
      for (let i = 1; i < tokens; i++) logits = await language.read(likeliest(logits, rows), rows, {});
      return { prefill: read - started, decode: performance.now() - read };
    },
    async release() {
      await language.release();
      model.close();
    },
  };
}

function likeliest(logits: Float32Array, rows: number): Int32Array {
  const width = logits.length / rows;
  return Int32Array.from(
    { length: rows },
    (_, row) => topIndices(logits.subarray(row * width, (row + 1) * width), 1)[0]!,
  );
}
