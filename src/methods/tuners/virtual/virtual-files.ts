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
import type { AnySettings, MethodDefinition } from '../method-definition.ts';
import { staticRun } from '../method-run.ts';
import { ParameterLayout, type TrainedParameter } from '../parameter-layout.ts';
import { assertShape, checkSaved, listParameters, PEFT_VERSION, peftSettings } from '../peft/peft-files.ts';
import { targetShape } from '../peft/settings.ts';
import type { ReadParameter, TokensBefore, TunableModel, TunedSite, Tuner } from '../tuner.ts';
import { savedParameters } from '../whole-parameters.ts';

/** PEFT's name of the trained table: one row per token. */
export const TABLE = 'prompt_encoder.embedding.weight';

/** How a method makes its tokens. */
export interface VirtualParts {
  /** The length of a token's row in the file. */
  width: number;
  /** The trained tensors of the tokens. */
  own: readonly TrainedParameter[];
  sites: readonly TunedSite[];
  /** The tokens in a graph; `value` returns a trained tensor. */
  tokens(value: (name: string) => Value): VirtualTokens;
  /** Fills in their initial values; `values` returns a tensor. */
  begin(values: (name: string) => Float32Array, seed: number, read: ReadParameter): void;
  /** The tokens' rows in the file; `values` returns a tensor. */
  rows(values: (name: string) => Float32Array): Float32Array;
}

/**
 * Trains tokens before every text, and nothing of the model but `saved`.
 *
 * @param saved parameters of the model that are trained in full: the head
 */
function virtualTuner(parts: VirtualParts, before: TokensBefore, saved: readonly TrainedParameter[]): Tuner {
  const own = new ParameterLayout([...parts.own, ...saved]);
  return {
    layout: own,
    sites: parts.sites,
    virtualTokens: before,
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
  modules_to_save: targetShape.modules_to_save,
};

/** The key of the tokens' tensor, [tokens, width]. */
const TOKENS = 'prompt_embeddings';

/** Settings in the files of every method of this kind. Names and defaults are PEFT's (0.21). */
const schema = z.object({
  num_virtual_tokens: virtualConfigShape.num_virtual_tokens.unwrap(),
  /** 2 is for encoder-decoders, with tokens for both parts. */
  num_transformer_submodules: z.literal(1).nullish(),
});

/** The settings of every such method. */
interface VirtualConfig extends AnySettings {
  num_virtual_tokens: number;
  modules_to_save?: string[] | undefined;
}

/** The parts of a method that are specific to it. */
export interface VirtualMethod<Config extends VirtualConfig, Schema extends z.ZodObject>
  extends Pick<MethodDefinition<Config, Schema>, 'config' | 'learningRate' | 'chosen'> {
  title: string;
  /** The `peft_type` in the file: `PROMPT_TUNING`. */
  peftType: string;
  predictsFirst: boolean;
  needs(model: TunableModel): string | undefined;
  /** The tokens with these settings; those of an adapter have their number alone. */
  parts(model: TunableModel, config: Partial<Config> & VirtualConfig): VirtualParts;
  /** Further settings in the file. */
  settings(model: TunableModel, config: Config, baseModel: string): AnySettings;
}

/** A method that trains virtual tokens, with the keys and files of PEFT. */
export function virtualMethod<Config extends VirtualConfig, Schema extends z.ZodObject>(
  method: VirtualMethod<Config, Schema>,
): MethodDefinition<Config, Schema> {
  const { config: section, learningRate, chosen, title, peftType, needs } = method;
  return {
    config: section,
    learningRate,
    chosen,
    trains: 'adapter',
    vectors: 5,
    needs,
    virtualTokens: (config) => tokensBefore(method, config),
    start(model, config) {
      const saved = savedParameters(model, { ...config, bias: 'none' }, []);
      const parts = method.parts(model, config);
      const tuner = virtualTuner(parts, tokensBefore(method, config), saved);
      const { layout } = tuner;
      const modules = [...model.head.modules, ...(config.modules_to_save ?? [])];
      return staticRun(tuner, {
        store: (values, baseModel) => ({
          config: {
            auto_mapping: null,
            num_layers: model.states.size / 2,
            num_transformer_submodules: 1,
            ...config,
            ...method.settings(model, config, baseModel),
            base_model_name_or_path: baseModel,
            inference_mode: true,
            modules_to_save: modules.length > 0 ? modules : null,
            peft_type: peftType,
            peft_version: PEFT_VERSION,
            revision: null,
            task_type: headNamed(model.headKind).taskType,
          },
          tensors: new Map([
            [
              TOKENS,
              {
                shape: [config.num_virtual_tokens, parts.width],
                data: parts.rows((name) => layout.read(values, name)),
              },
            ],
            ...saved.map(({ name, shape }): [string, AdapterTensor] => [
              UNWRAPPED_PREFIX + name,
              { shape: [...shape], data: layout.read(values, name) },
            ]),
          ]),
          baseModel,
        }),
      });
    },
    kind: virtualKind(method),
    words: {
      title,
      tags: ['peft', title.toLowerCase().replace(' ', '-')],
      library: 'peft',
      summary: ({ num_virtual_tokens: count }) =>
        count === undefined ? undefined : `${count} virtual tokens`,
      budgetKeys: ['num_virtual_tokens'],
    },
  };
}

function tokensBefore(
  { predictsFirst }: Pick<TokensBefore, 'predictsFirst'>,
  { num_virtual_tokens: count }: VirtualConfig,
): TokensBefore {
  return { count, predictsFirst };
}

/** The kind of PEFT's adapters of virtual tokens. */
function virtualKind<Config extends VirtualConfig, Schema extends z.ZodObject>(
  method: VirtualMethod<Config, Schema>,
): AdapterKind {
  const { peftType, needs } = method;
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
      const config = { num_virtual_tokens: count } as Partial<Config> & VirtualConfig;
      const parts = method.parts(model, config);
      assertShape(`${where}: ${TOKENS}`, tokens, [count, parts.width]);
      const saved = savedIn(model, stored, where);
      const tuner = virtualTuner(parts, tokensBefore(method, config), listParameters(saved));
      return { tuner, values: tuner.layout.vector([[TABLE, tokens], ...saved]) };
    },
    facts(stored, where) {
      const settings = { num_virtual_tokens: countIn(stored, where) };
      return { ranks: {}, settings, isOwn: (key) => key === TOKENS };
    },
    unmergeable: 'virtual tokens are part of no weight',
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
