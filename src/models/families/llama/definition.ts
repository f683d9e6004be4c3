import { z } from 'zod';
import type { Value } from '../../../engine/graph/graph.ts';
import type { GgufMetadata } from '../../../input/formats/encode-gguf.ts';
import { featureHead } from '../../heads/feature-head.ts';
import { spanHead } from '../../heads/linear-heads.ts';
import type { Encode, GgufFormat, ModelDefinition, ModuleRoles } from '../../model-definition.ts';
import { type DecoderConfig, decoderFields, parseDecoderConfig } from './config.ts';
import {
  causalHead,
  type DecoderParts,
  decoderModel,
  decoderTokenHead,
  LLAMA_NORMS,
  sequenceHead,
} from './decoder-model.ts';
import { GGUF_MODULES, rotatedPairs, wholeDecoder } from './gguf.ts';

/** Prefix of the base model's parameters. Some question answering heads have another one. */
const PREFIX = 'model';

/** The modules of Llama's layers. */
const ROLES: ModuleRoles = {
  query: 'q_proj',
  key: 'k_proj',
  value: 'v_proj',
  output: 'o_proj',
  up: ['gate_proj', 'up_proj'],
  down: 'down_proj',
};

/** How families of Llama-like decoders differ. */
interface DecoderFamily<Config extends DecoderConfig> extends DecoderParts<Config> {
  modelType: string;
  /** The family's name in classes: `Llama` in `LlamaForCausalLM`. */
  name: string;
  parseConfig(json: unknown, where: string): Config;
  /** Whether transformers has a token classification head for this family. */
  hasTokenHead?: boolean;
  /**
   * Prefix of the base model's parameters under the question answering head. Undefined if transformers has no
   * such head.
   */
  spanPrefix?: string;
  /** Roles of modules. Default: Llama's. Roles without `output` change single ones of Llama's. */
  roles?: ModuleRoles | Pick<ModuleRoles, 'rescaled'>;
  /** How llama.cpp stores the family. With other modules than Llama's, only adapters are written. */
  gguf?: Pick<GgufFormat<NoInfer<Config>>, 'architecture' | 'rows'> &
    Partial<GgufFormat> & {
      /** Settings of the family alone. */
      settings?(config: NoInfer<Config>): GgufMetadata;
      /** The fields of config.json for such settings. */
      fields?(settings: Readonly<Record<string, unknown>>): object;
    };
  /** The name in classes of other heads, such as `Gemma3TextModel`. Default: `name`. */
  baseName?: string;
  /** Transforms the logits. Default: no change. */
  finish?(logits: Value, config: Config): Value;
}

/** Defines a family of decoders: word embeddings, layers, a norm, and transformers' heads. */
export function decoderFamily<Config extends DecoderConfig>(
  family: DecoderFamily<Config>,
): ModelDefinition<Config> {
  const {
    modelType,
    name,
    parseConfig,
    hasTokenHead,
    spanPrefix,
    baseName = name,
    finish = (logits) => logits,
  } = family;
  const below = (prefix: string): Encode<Config> => {
    return (network, config, inputs) => decoderModel(family, network.at(prefix), config, inputs);
  };
  const model = below(PREFIX);
  const words = `${PREFIX}.embed_tokens`;
  return {
    modelType,
    isDecoder: true,
    ...(family.gguf && {
      gguf: {
        modules: GGUF_MODULES,
        ...(!family.gguf.modules && {
          whole: wholeDecoder(
            family.norms ?? LLAMA_NORMS,
            family.normOffset,
            family.gguf.settings,
            family.gguf.fields,
          ),
        }),
        ...family.gguf,
      },
    }),
    baseModelPrefix: PREFIX,
    roles: family.roles && 'output' in family.roles ? family.roles : { ...ROLES, ...family.roles },
    tiedNames: { [`${words}.weight`]: ['lm_head.weight'] },
    parseConfig,
    heads: {
      CAUSAL_LM: causalHead(`${name}ForCausalLM`, model, words, finish),
      SEQ_CLS: sequenceHead(`${baseName}ForSequenceClassification`, model),
      FEATURE_EXTRACTION: featureHead(
        `${baseName}Model`,
        PREFIX,
        model,
        (config) => config.hidden_size,
        'decoder',
      ),
      ...(hasTokenHead && { TOKEN_CLS: decoderTokenHead(`${name}ForTokenClassification`, model) }),
      ...(spanPrefix && {
        QUESTION_ANS: {
          ...spanHead(`${name}ForQuestionAnswering`, below(spanPrefix)),
          baseModelPrefix: spanPrefix,
        },
      }),
    },
  };
}

const schema = z.object({
  ...decoderFields,
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
});

/** Llama 1 to 3 (Touvron et al., 2023) as transformers computes them. */
export const llama = decoderFamily({
  modelType: 'llama',
  gguf: { architecture: 'llama', rows: rotatedPairs },
  name: 'Llama',
  hasTokenHead: true,
  spanPrefix: 'transformer',
  parseConfig: (json, where) => parseDecoderConfig(schema, json, where),
  attention: ({ attention_bias: bias }) => ({ bias, outputBias: bias }),
});
