import type { AdapterTensors, StoredAdapter } from '../../../input/formats/adapters/stored-adapter.ts';
import { UserError } from '../../../support/user-error.ts';
import type { TunableModel } from '../tuner.ts';

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
    throw new UserError({
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
