import { z } from 'zod';
import type { Value } from '../../../engine/graph/graph.ts';
import {
  type AdapterTensor,
  type AdapterTensors,
  type StoredAdapter,
  UNWRAPPED_PREFIX,
} from '../../../input/formats/adapters/stored-adapter.ts';
import { headNamed } from '../../../models/heads/registry.ts';
import type { VirtualTokens } from '../../../models/nn/virtual-tokens.ts';
import { InvalidFile, UserError } from '../../../support/user-error.ts';
import type { AdapterKind } from '../adapter-kind.ts';
import { adapterConfigShape } from '../low-rank/peft-config.ts';
import { ParameterLayout, type TrainedParameter } from '../parameter-layout.ts';
import { assertShape, checkSaved, PEFT_VERSION, parametersOf, peftSettings } from '../peft/peft-files.ts';
import type { ReadParameter, TokensBefore, TunableModel, TunedSite, Tuner } from '../tuner.ts';

/** PEFT's name of the trained table: one row per token. */
export const TABLE = 'prompt_encoder.embedding.weight';

/** How a method makes its tokens. */
export interface VirtualParts {
  before: TokensBefore;
  /** The trained tensors of the tokens. */
  own: readonly TrainedParameter[];
  sites: readonly TunedSite[];
  /** The tokens in a graph; `value` returns a trained tensor. */
  tokens(value: (name: string) => Value): VirtualTokens;
  /** Fills in their initial values; `values` returns a tensor. */
  begin(values: (name: string) => Float32Array, seed: number, read: ReadParameter): void;
}

/**
 * Trains tokens before every text, and nothing of the model but `saved`.
 *
 * @param saved parameters of the model that are trained in full: the head
 */
export function virtualTuner(parts: VirtualParts, saved: readonly TrainedParameter[]): Tuner {
  const own = new ParameterLayout([...parts.own, ...saved]);
  return {
    layout: own,
    sites: parts.sites,
    virtualTokens: parts.before,
    bank: 'puts virtual tokens before every text',
    initialValues(seed, read) {
      const values = new Float32Array(own.length);
      parts.begin((name) => own.read(values, name), seed, read);
      return own.readInto(values, saved, read);
    },
    inject: (flat, _dropout, layout = own) => ({
      parameter: layout.own(flat),
      virtual: parts.tokens((name) => layout.value(flat, name)),
    }),
  };
}

/** Settings of methods that train tokens: PEFT's keys. */
export const virtualConfigShape = {
  /** Number of tokens before every text. The longest allowed text is shorter by this number. */
  num_virtual_tokens: z.int().min(1).default(20),
  /** Modules trained whole beside the tokens. */
  modules_to_save: adapterConfigShape.modules_to_save,
};

/** The key of the tokens' tensor, [tokens, width]. */
const TOKENS = 'prompt_embeddings';

/** Settings in the files of every method of this kind. Names and defaults are PEFT's (0.21). */
const schema = z.object({
  num_virtual_tokens: z.int().positive(),
  /** 2 is for encoder-decoders, with tokens for both parts. */
  num_transformer_submodules: z.literal(1).nullish(),
});

/** The parts of a `peft_type` that are specific to it. */
export interface VirtualFiles {
  /** The value in the file: `PROMPT_TUNING`. */
  readonly peftType: string;
  /** Needs of the method that a model does not meet. */
  needs(model: TunableModel): string | undefined;
  /** The length of a token's row in the file. */
  width(model: TunableModel): number;
  /** The tuner of a number of tokens with that table. */
  tunerOf(model: TunableModel, count: number, saved: readonly TrainedParameter[]): Tuner;
}

/** The kind of PEFT's adapters of virtual tokens. */
export function virtualKind({ peftType, needs, width, tunerOf }: VirtualFiles): AdapterKind {
  const countIn = (stored: StoredAdapter, where: string) =>
    peftSettings({ peftType, schema }, stored, where).num_virtual_tokens;
  return {
    name: peftType,
    reads: ({ config }) => config.peft_type === peftType,
    import(model, stored, where) {
      // First, because the settings of an encoder-decoder are invalid too.
      const needed = needs(model);
      if (needed)
        throw new UserError({
          where,
          fault: `is an adapter of kind ${peftType}, which needs ${needed}`,
          code: 'unsupported',
        });
      const count = countIn(stored, where);
      const tokens = stored.tensors.get(TOKENS);
      if (!tokens)
        throw new InvalidFile({
          where: `${where}: ${TOKENS}`,
          fault: 'is missing',
          hint: 'The adapter is damaged.',
        });
      assertShape(`${where}: ${TOKENS}`, tokens, [count, width(model)]);
      const saved = savedIn(model, stored, where);
      const tuner = tunerOf(model, count, parametersOf(saved));
      return { tuner, values: tuner.layout.vector([[TABLE, tokens], ...saved]) };
    },
    facts(stored, where) {
      const settings = { num_virtual_tokens: countIn(stored, where) };
      return { ranks: {}, settings, isOwn: (key) => key === TOKENS };
    },
    unmergeable: 'virtual tokens are part of no weight',
  };
}

/** The trained vector, and the parameters of the model in it. */
interface Trained {
  layout: ParameterLayout;
  values: Float32Array;
  saved: readonly TrainedParameter[];
}

/**
 * The files of an adapter of virtual tokens.
 *
 * @param tokens [tokens, width]
 * @param settings of the kind
 */
export function storedVirtual(
  { headKind, head, states }: TunableModel,
  {
    peftType,
    tokens,
    trained: { layout, values, saved },
    settings,
    baseModel,
  }: {
    peftType: string;
    tokens: AdapterTensor;
    trained: Trained;
    settings: Readonly<Record<string, unknown>> & { modules_to_save?: readonly string[] };
    baseModel: string;
  },
): StoredAdapter {
  const modules = [...head.modules, ...(settings.modules_to_save ?? [])];
  return {
    config: {
      auto_mapping: null,
      num_layers: states.size / 2,
      num_transformer_submodules: 1,
      ...settings,
      base_model_name_or_path: baseModel,
      inference_mode: true,
      modules_to_save: modules.length > 0 ? modules : null,
      num_virtual_tokens: tokens.shape[0],
      peft_type: peftType,
      peft_version: PEFT_VERSION,
      revision: null,
      task_type: headNamed(headKind).taskType,
    },
    tensors: new Map([
      [TOKENS, tokens],
      ...saved.map(({ name, shape }): [string, AdapterTensor] => [
        UNWRAPPED_PREFIX + name,
        { shape: [...shape], data: layout.read(values, name) },
      ]),
    ]),
    baseModel,
  };
}

/** The parameters of the model in a file. */
function savedIn(model: TunableModel, stored: StoredAdapter, where: string): AdapterTensors {
  const saved: AdapterTensors = new Map();
  for (const [key, tensor] of stored.tensors) {
    if (key === TOKENS) continue;
    saved.set(key.startsWith(UNWRAPPED_PREFIX) ? key.slice(UNWRAPPED_PREFIX.length) : key, tensor);
  }
  checkSaved(model, saved, stored, where);
  return saved;
}
