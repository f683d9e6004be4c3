export { type EpochPlan, type ExampleLengths, planEpoch, planEvaluation } from './batches.ts';
export { type Batch, collate } from './collate.ts';
export { maxLength } from './max-length.ts';
export type { SpecialTokens } from './special-tokens.ts';
export type { TextToken } from './steps/pipeline.ts';
export { TextStream } from './text-stream.ts';
export { type Encoding, NO_SEQUENCE, type OffsetsEncoding, TextTokenizer } from './tokenizer.ts';
