import type { AdapterTensors, StoredAdapter } from '../../../input/formats/adapters/stored-adapter.ts';
import { ACTIVATION_NAMES } from '../../../models/nn/activation.ts';
import type { Sublayer } from '../../../models/nn/network.ts';
import { nearest } from '../../../support/text.ts';
import { InvalidFile } from '../../../support/user-error.ts';
import type { TunableModel } from '../tuner.ts';
import type { BottleneckForm } from './bottleneck-tuner.ts';

/** A head of AdapterHub's own models that is equivalent to a head of transformers'. */
interface HeadForm {
  /** The modules of transformers' head that correspond to its linear layers. */
  modules: readonly string[];
  /** Activation between two layers. */
  activation?: string;
  /** Whether it reads the pooler's output. */
  pooled?: boolean;
}

const BERT_FORMS: readonly HeadForm[] = [
  { modules: ['classifier'], pooled: true },
  // BERT's pooler is a linear layer and tanh over the first token.
  { modules: ['bert.pooler.dense', 'classifier'], activation: 'tanh' },
];
const ROBERTA_FORMS: readonly HeadForm[] = [
  { modules: ['classifier.dense', 'classifier.out_proj'], activation: 'tanh' },
];

/** Heads for texts, by transformers' class. Heads for tokens and spans are a single layer in all families. */
const TEXT_FORMS: Readonly<Record<string, readonly HeadForm[]>> = {
  BertForSequenceClassification: BERT_FORMS,
  RobertaForSequenceClassification: ROBERTA_FORMS,
  XLMRobertaForSequenceClassification: ROBERTA_FORMS,
  ElectraForSequenceClassification: [
    { modules: ['classifier.dense', 'classifier.out_proj'], activation: 'gelu' },
  ],
  DistilBertForSequenceClassification: [{ modules: ['pre_classifier', 'classifier'], activation: 'relu' }],
  DebertaV2ForSequenceClassification: [{ modules: ['pooler.dense', 'classifier'], activation: 'gelu' }],
  BartForSequenceClassification: [
    { modules: ['classification_head.dense', 'classification_head.out_proj'], activation: 'tanh' },
  ],
};

/**
 * Renames the tensors of an exchangeable head (`heads.NAME.4.weight`) to those of the equivalent head of transformers.
 * Without such a head, tensors are returned unchanged.
 *
 * @throws UserError if no head of transformers is equivalent
 */
export function withPlainHead(
  { head }: Pick<TunableModel, 'head'>,
  { tensors, head: described }: StoredAdapter,
  where: string,
): AdapterTensors {
  const config = described?.config as Readonly<Record<string, unknown>> | null | undefined;
  if (!config) return tensors;
  const layers = layerNumbers(tensors);
  const form = (TEXT_FORMS[head.architecture] ?? [{ modules: head.modules }]).find(
    ({ modules, activation, pooled = false }: HeadForm) =>
      modules.length > 0 &&
      modules.length === layers.length &&
      (activation === undefined || config.activation_function === activation) &&
      Boolean(config.use_pooler) === pooled,
  );
  if (!form) {
    const { activation_function, use_pooler = false } = config;
    throw new InvalidFile({
      where: `${where}: head_config.json`,
      fault: `describes a head that ${head.architecture} does not have: ${layers.length} layers, activation_function ${JSON.stringify(activation_function)}, use_pooler ${JSON.stringify(use_pooler)}`,
      hint: `In Python, use adapters.init of a ${head.architecture}, not AutoAdapterModel.`,
    });
  }
  return new Map(
    [...tensors].map(([key, tensor]) => {
      const [, number, parameter] = LAYER.exec(key) ?? [];
      if (number === undefined) return [key, tensor];
      return [`${form.modules[layers.indexOf(Number(number))]}.${parameter}`, tensor];
    }),
  );
}

/** Matches a parameter of a linear layer in a head. */
const LAYER = /^heads\.[^.]+\.(\d+)\.(weight|bias)$/;

function layerNumbers(tensors: AdapterTensors): number[] {
  const numbers = [...tensors.keys()].flatMap((key) => LAYER.exec(key)?.[1] ?? []);
  return [...new Set(numbers.map(Number))].sort((a, b) => a - b);
}

/** The version of `adapters` whose settings are written. */
export const ADAPTERS_VERSION = 'adapters.1.3.0';

/** Settings that change an adapter's computation or position. Only the default values are supported. */
const REQUIRED = {
  architecture: null,
  inv_adapter: null,
  is_parallel: false,
  ln_after: false,
  ln_before: false,
  original_ln_after: true,
  phm_layer: false,
  scaling: 1,
  use_gating: false,
};

/** The other settings of AdapterHub's `BnConfig`, with the values for plain adapters. */
const INERT = {
  adapter_residual_before_ln: false,
  dropout: 0,
  factorized_phm_W: true,
  factorized_phm_rule: false,
  hypercomplex_nonlinearity: 'glorot-uniform',
  init_weights: 'bert',
  init_weights_seed: null,
  inv_adapter_reduction_factor: null,
  learn_phm: true,
  leave_out: [],
  phm_bias: true,
  phm_c_init: 'normal',
  phm_dim: 4,
  phm_init_range: 0.0001,
  phm_rank: 1,
  residual_before_ln: true,
  shared_W_phm: false,
  shared_phm_rule: true,
  stochastic_depth: 0,
};

/** AdapterHub's key for adapters after each kind of sublayer. */
const PLACES: Readonly<Record<Sublayer['kind'], string>> = {
  attention: 'mh_adapter',
  crossAttention: 'cross_adapter',
  feedForward: 'output_adapter',
};

/** The `config` in an `adapter_config.json`. `width` is the number of features of the sublayers. */
export function adapterHubSettings(
  { reads, nonLinearity }: BottleneckForm,
  sublayers: readonly Sublayer['kind'][],
  width: number,
  bottleneck: number,
): Record<string, unknown> {
  const { architecture: _, ...required } = REQUIRED;
  const places = Object.entries(PLACES).map(([kind, key]) => [
    key,
    sublayers.includes(kind as Sublayer['kind']),
  ]);
  return {
    ...INERT,
    ...required,
    ...Object.fromEntries(places),
    original_ln_before: reads === 'norm',
    non_linearity: nonLinearity,
    reduction_factor: reductionFactor(width, bottleneck),
  };
}

/**
 * Parses the `config` in an `adapter_config.json`. The positions and sizes of adapters follow from their tensors.
 *
 * @throws UserError that names an unsupported setting
 */
export function parseAdapterHubSettings(
  config: Readonly<Record<string, unknown>>,
  where: string,
): BottleneckForm {
  const readsNorm = config.original_ln_before === true;
  // `residual_before_ln` has no effect on an adapter that reads the output.
  const required = { ...REQUIRED, ...(readsNorm && { residual_before_ln: true }) };
  for (const [key, value] of Object.entries(required)) {
    const got = config[key];
    if (got === undefined || got === value) continue;
    throw new InvalidFile({
      where: `${where}: config.${key}`,
      fault: `must be ${value === null ? 'null' : value}, got ${JSON.stringify(got)}`,
      hint: 'Only adapters with the AdapterHub configs seq_bn and double_seq_bn are supported.',
    });
  }
  const name = typeof config.non_linearity === 'string' ? config.non_linearity.toLowerCase() : 'linear';
  const nonLinearity = name === 'leakyrelu' ? 'leaky_relu' : name;
  if (ACTIVATION_NAMES.some((known) => known === nonLinearity))
    return { reads: readsNorm ? 'norm' : 'output', nonLinearity };
  const near = nearest(nonLinearity, ACTIVATION_NAMES);
  throw new InvalidFile({
    where: `${where}: config.non_linearity`,
    fault: `is not a known activation: ${JSON.stringify(config.non_linearity)}`,
    hint: near.length > 0 ? `Did you mean ${near.join(', ')}?` : undefined,
  });
}

/** The number by which AdapterHub divides the width, rounding down, to get the size of the bottleneck. */
export function reductionFactor(width: number, bottleneck: number): number {
  const factor = width / bottleneck;
  // If the quotient was rounded up, dividing by it may give one less than the bottleneck.
  return flooredQuotient(width, factor) === bottleneck ? factor : factor * (1 - Number.EPSILON);
}

/** Python's `a // b` for positive numbers. */
function flooredQuotient(a: number, b: number): number {
  return Math.round((a - (a % b)) / b);
}
