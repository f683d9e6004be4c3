import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { openLanguageModel } from '../../src/program/generation/causal-language-model.ts';
import { generate } from '../../src/program/generation/generate.ts';
import type { GenerationConfig } from '../../src/program/generation/generation-config.ts';
import { generationSettings } from '../../src/program/generation/generation-settings.ts';
import type { LanguageModel, TunedLanguageModel } from '../../src/program/generation/language-model.ts';
import { describeFolder } from '../../src/use/trained/node/load-model.ts';
import { readSafetensors } from '../../tests/support/safetensors-file.ts';
import type { Findings } from './compare.ts';
import { batchOf, type StoredTensors } from './read-case.ts';

/** The generation config of each recorded text. */
const SETTINGS: Record<string, GenerationConfig> = {
  greedy: {},
  beam4: { num_beams: 4, early_stopping: true, length_penalty: 1 },
  beam3_norepeat3_penalty2: {
    num_beams: 3,
    early_stopping: true,
    no_repeat_ngram_size: 3,
    length_penalty: 2,
  },
};

/** Generates from the first row of a batch with the recorded settings, and compares the ids. */
export async function generatedChecks(
  findings: Findings,
  folder: string,
  tuned: TunedLanguageModel,
  inputs: StoredTensors,
): Promise<void> {
  const path = join(folder, 'generated.safetensors');
  if (!existsSync(path)) return;
  const model = await openLanguageModel(tuned);
  try {
    const { inputIds, attentionMask, length } = batchOf(inputs);
    const prompt = inputIds.subarray(0, length).filter((_, i) => attentionMask[i] === 1);
    for (const [name, tensor] of readSafetensors(path)) {
      const user = { ...SETTINGS[name], max_new_tokens: 10, min_length: 0 };
      if (!(name in SETTINGS)) findings.faults.push(`generated ${name}: what with?`);
      const settings = generationSettings({ user, modelConfig: (await describeFolder(folder)).json });
      const [ids] = await generate(withoutEnd(model), [prompt], settings);
      findings.equal(`generated ${name}`, [...ids!], Array.from(tensor.data as BigInt64Array, Number));
      findings.notes.push(`${name} equal`);
    }
  } finally {
    await model.release();
  }
}

/**
 * The same model without a limit of positions. transformers generates beyond the positions of a model; this
 * library does not.
 */
function withoutEnd(model: LanguageModel): LanguageModel {
  return {
    vocabSize: model.vocabSize,
    ...(model.encode && {
      encode: (tokens, rows, mask) => (model.encode as Encode).call(model, tokens, rows, mask),
    }),
    read: (tokens, rows, options) => model.read(tokens, rows, options),
  };
}

type Encode = NonNullable<LanguageModel['encode']>;
