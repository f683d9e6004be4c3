import type { HeadDefinition } from './head-definition.ts';

/** Predicts the next token at each token. */
const causalLmHead: HeadDefinition = {
  taskType: 'CAUSAL_LM',
  architectures: ['ForCausalLM', 'LMHeadModel'],
  adapterHubTypes: ['causal_lm'],
  axes: ['sequence', 'batch', 'vocabulary'],
  onnxOutputs: ['logits'],
  reads: 'cached',
  mainUse: 'generate',
  served: 'decoding',
};

/** Returns one vector per text: the pooled hidden states of its tokens. */
const featureExtractionHead: HeadDefinition = {
  taskType: 'FEATURE_EXTRACTION',
  architectures: ['Model'],
  adapterHubTypes: [],
  axes: ['batch', 'labels'],
  onnxOutputs: ['sentence_embedding'],
  reads: 'whole',
  mainUse: 'embed',
  served: 'rows',
};

/** Predicts the token at each masked position. PEFT has no task type for it. */
const maskedLmHead: HeadDefinition = {
  taskType: null,
  architectures: ['ForMaskedLM'],
  adapterHubTypes: ['masked_lm'],
  axes: ['sequence', 'batch', 'vocabulary'],
  onnxOutputs: ['logits'],
  reads: 'whole',
  mainUse: 'predict',
};

/** Predicts the start and end of an answer. */
const questionAnsweringHead: HeadDefinition = {
  taskType: 'QUESTION_ANS',
  architectures: ['ForQuestionAnswering'],
  adapterHubTypes: ['question_answering'],
  axes: [2, 'batch', 'sequence'],
  onnxOutputs: ['start_logits', 'end_logits'],
  reads: 'whole',
  mainUse: 'predict',
  served: 'rows',
};

/** Predicts the next token of a target text. */
const seq2seqLmHead: HeadDefinition = {
  taskType: 'SEQ_2_SEQ_LM',
  architectures: ['ForConditionalGeneration'],
  adapterHubTypes: ['seq2seq_lm'],
  axes: ['sequence', 'batch', 'vocabulary'],
  onnxOutputs: ['logits'],
  reads: 'encoder-decoder',
  mainUse: 'generate',
  served: 'own',
};

/** Predicts classes, or a number, for a text. */
const sequenceClassificationHead: HeadDefinition = {
  taskType: 'SEQ_CLS',
  architectures: ['ForSequenceClassification'],
  adapterHubTypes: ['classification', 'multilabel_classification'],
  axes: ['batch', 'labels'],
  onnxOutputs: ['logits'],
  reads: 'whole',
  mainUse: 'predict',
  served: 'rows',
};

/** Predicts the class of each token. */
const tokenClassificationHead: HeadDefinition = {
  taskType: 'TOKEN_CLS',
  architectures: ['ForTokenClassification'],
  adapterHubTypes: ['tagging'],
  axes: ['sequence', 'batch', 'labels'],
  onnxOutputs: ['logits'],
  reads: 'whole',
  mainUse: 'predict',
  served: 'rows',
};

/** All kinds of heads, by name. To add one, add an entry here, and its layers to a file of this folder. */
export const HEADS = {
  SEQ_CLS: sequenceClassificationHead,
  QUESTION_ANS: questionAnsweringHead,
  TOKEN_CLS: tokenClassificationHead,
  MASKED_LM: maskedLmHead,
  CAUSAL_LM: causalLmHead,
  SEQ_2_SEQ_LM: seq2seqLmHead,
  FEATURE_EXTRACTION: featureExtractionHead,
} satisfies Readonly<Record<string, HeadDefinition>>;

export type HeadKind = keyof typeof HEADS;

export const HEAD_KINDS = Object.keys(HEADS) as readonly HeadKind[];

export function headNamed(kind: HeadKind): HeadDefinition {
  return HEADS[kind];
}

/** Whether models with this kind of head generate text. */
export function writesText(kind: HeadKind): boolean {
  return headNamed(kind).mainUse === 'generate';
}

/** The kind of head in a transformers class. Undefined for the base model and for unsupported heads. */
export function headOfClass(name: string): HeadDefinition | undefined {
  return Object.values(HEADS).find(({ architectures }) => architectures.some((end) => name.endsWith(end)));
}
