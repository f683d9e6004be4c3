import { z } from 'zod';

/** What AdapterHub's `adapter_config.json` says, the settings of the method apart. */
export const adapterHubSchema = z.looseObject({
  /** The adapter's among those of a model; stands in the names of its tensors. */
  name: z.string().min(1),
  /** Of transformers, or of AdapterHub's own models whose heads can be exchanged. */
  model_class: z.string(),
  /** Folder or Hub id of the base model. */
  model_name: z.string().nullish(),
  /** The method's settings. */
  config: z.looseObject({}),
});

/** What `head_config.json` says. */
export const adapterHubHeadSchema = z.looseObject({
  model_class: z.string(),
  /** Of an exchangeable head. */
  config: z.looseObject({ head_type: z.string() }).nullish(),
});

/** Whether the settings of an adapter are AdapterHub's; PEFT's name a `peft_type`. */
export function isAdapterHub(config: Readonly<Record<string, unknown>>): boolean {
  return typeof config.model_class === 'string' && config.peft_type === undefined;
}

/** Whether a tensor belongs to an adapter itself, and not to the head beside it. */
export function isAdapterHubTensor(key: string): boolean {
  return key.includes('.adapters.');
}

/** PEFT's `task_type` by how a class of transformers ends. It has none for masked language models. */
const TASK_OF_CLASS: Readonly<Record<string, string | null>> = {
  ForSequenceClassification: 'SEQ_CLS',
  ForTokenClassification: 'TOKEN_CLS',
  ForQuestionAnswering: 'QUESTION_ANS',
  ForMaskedLM: null,
  ForCausalLM: 'CAUSAL_LM',
  LMHeadModel: 'CAUSAL_LM',
  ForConditionalGeneration: 'SEQ_2_SEQ_LM',
};

/** The same by the `head_type` of an exchangeable head. */
const TASK_OF_HEAD: Readonly<Record<string, string | null>> = {
  classification: 'SEQ_CLS',
  multilabel_classification: 'SEQ_CLS',
  tagging: 'TOKEN_CLS',
  question_answering: 'QUESTION_ANS',
  masked_lm: null,
  causal_lm: 'CAUSAL_LM',
  seq2seq_lm: 'SEQ_2_SEQ_LM',
};

/** PEFT's `task_type` of an adapter's model; null where it has none. */
export function taskTypeOf(modelClass: string, headType?: string): string | null {
  if (headType !== undefined) return TASK_OF_HEAD[headType] ?? null;
  const ending = Object.keys(TASK_OF_CLASS).find((end) => modelClass.endsWith(end));
  return ending === undefined ? null : TASK_OF_CLASS[ending];
}
