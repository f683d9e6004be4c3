import { z } from 'zod';
import { headNamed, writesText } from '../../../models/heads/registry.ts';
import { Random } from '../../../support/random.ts';
import type { ReadParameter, TunableModel } from '../tuner.ts';
import { TABLE, virtualConfigShape, virtualMethod } from '../virtual/virtual-files.ts';

/** The settings of prompt tuning: PEFT's keys and defaults. */
const promptTuningConfigSchema = z
  .strictObject({
    ...virtualConfigShape,
    /**
     * Initial embeddings. `RANDOM`: normal numbers. `SAMPLE_VOCAB`: those of random words. `TEXT`: those of
     * `prompt_tuning_init_text`, repeated or cut to the number of tokens.
     */
    prompt_tuning_init: z.enum(['RANDOM', 'SAMPLE_VOCAB', 'TEXT']).default('RANDOM'),
    /** Text for `prompt_tuning_init: TEXT`, in the tokens of the base model. */
    prompt_tuning_init_text: z.string().min(1).optional(),
  })
  .refine(
    ({ prompt_tuning_init: init, prompt_tuning_init_text: text }) =>
      (init === 'TEXT') === (text !== undefined),
    { path: ['prompt_tuning_init_text'], error: 'expected with prompt_tuning_init: TEXT, and only then' },
  );

type PromptTuningConfig = z.infer<typeof promptTuningConfigSchema>;

type Settings = Partial<PromptTuningConfig> & { num_virtual_tokens: number };

/** The table of a model's word embeddings, and the number by which the model multiplies its rows. */
function wordTable({ wordTables, parameters }: TunableModel) {
  const [first] = wordTables;
  const [name, scale] = first!;
  const shape = parameters.get(name)!;
  return { name, scale, shape, width: shape[1]! };
}

function initialEmbeddings(
  model: TunableModel,
  settings: Settings,
  seed: number,
  read: ReadParameter,
): Float32Array {
  const {
    num_virtual_tokens: count,
    prompt_tuning_init: init = 'RANDOM',
    prompt_tuning_init_text: text = '',
  } = settings;
  const { name, scale, shape, width } = wordTable(model);
  const random = new Random(seed, `init ${TABLE}`);
  if (init === 'RANDOM') return random.normals(count * width, 1);
  const ids =
    init === 'TEXT' ? encodeIds(model, text) : Array.from({ length: count }, () => random.integer(shape[0]!));
  const embeddings = new Float32Array(count * width);
  const rowOf = (id: number) => {
    const [start, end] = [id * width, (id + 1) * width];
    return model.readRange?.(name, start, end) ?? read(name, shape).subarray(start, end);
  };
  for (let i = 0; i < count; i++)
    embeddings.set(
      rowOf(ids[i % ids.length]!).map((value) => value * scale),
      i * width,
    );
  return embeddings;
}

function encodeIds({ encode }: TunableModel, text: string): ArrayLike<number> {
  if (!encode) throw new Error('the model reads no texts');
  return encode(text);
}

/**
 * Prompt tuning (Lester et al., 2021, arXiv 2104.08691): trained word embeddings before those of a text. As in PEFT,
 * they have positions in the sequence of labels.
 */
export const promptTuning = virtualMethod<PromptTuningConfig, typeof promptTuningConfigSchema>({
  config: promptTuningConfigSchema,
  // The learning rate of PEFT's examples.
  learningRate: 3e-2,
  chosen: {
    encoder: { rate: 3e-2, prompt_tuning_init: 'SAMPLE_VOCAB' },
    language: { rate: 3e-2, prompt_tuning_init: 'SAMPLE_VOCAB' },
  },
  title: 'Prompt tuning',
  peftType: 'PROMPT_TUNING',
  predictsFirst: true,
  needs({ definition, headKind }) {
    const { mainUse, axes } = headNamed(headKind);
    const classifies = mainUse === 'predict' && axes[0] === 'batch';
    if (definition.isDecoder && (classifies || writesText(headKind))) return undefined;
    return 'a decoder that writes text or classifies texts';
  },
  parts(model, config) {
    const { num_virtual_tokens: count } = config;
    const { name, width } = wordTable(model);
    return {
      width,
      own: [{ name: TABLE, shape: [count, width] }],
      sites: [{ path: name.replace(/\.weight$/, ''), parameters: count * width }],
      tokens: (value) => ({ count, embeddings: value(TABLE) }),
      begin: (values, seed, read) => values(TABLE).set(initialEmbeddings(model, config, seed, read)),
      rows: (values) => values(TABLE),
    };
  },
  settings: (model, { prompt_tuning_init_text: text = null }, baseModel) => ({
    num_attention_heads: null,
    prompt_tuning_init_text: text,
    token_dim: wordTable(model).width,
    tokenizer_kwargs: null,
    tokenizer_name_or_path: text === null ? null : baseModel,
  }),
});
