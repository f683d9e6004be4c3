import { causalLmHead } from './causal-lm/definition.ts';
import { featureExtractionHead } from './feature-extraction/definition.ts';
import type { HeadDefinition } from './head-definition.ts';
import { maskedLmHead } from './masked-lm/definition.ts';
import { questionAnsweringHead } from './question-answering/definition.ts';
import { seq2seqLmHead } from './seq2seq-lm/definition.ts';
import { sequenceClassificationHead } from './sequence-classification/definition.ts';
import { tokenClassificationHead } from './token-classification/definition.ts';

/** All kinds of heads, by name. To add one, add an entry here and a folder. */
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
