import type { TextFile } from '../../input/data/text-file.ts';
import { MASK_IN_PYTHON, textsInPython } from '../../program/modalities/in-python.ts';
import { tokenModel } from '../../program/objectives/token-model.ts';
import { hasWordHead, LANGUAGE, lossEvaluation, readingWithFlags } from '../language/language-task.ts';
import type { TaskDefinition } from '../task-definition.ts';
import {
  byBatch,
  byExample,
  type MaskedData,
  maskedDataSchema,
  maskedExamples,
  maskingProblems,
} from './masked-examples.ts';

/** Predicts masked tokens in blocks of texts. */
export const maskedLm: TaskDefinition<MaskedData, readonly TextFile[], never, typeof maskedDataSchema> = {
  ...LANGUAGE,
  data: maskedDataSchema,
  guess: { keys: [{ text: 'text' }], ofTexts: true, plain: 'fill in masked words' },
  problems: maskingProblems,
  build: () => tokenModel('MASKED_LM'),
  files: {
    ...LANGUAGE.files,
    splittable: (files, { sample_by, text = 'text' }) =>
      LANGUAGE.files.splittable(files, { sample_by, text }),
    withFlags: (reading, flags) => readingWithFlags('masked_lm', maskedDataSchema, reading, flags),
  },
  examples: (files, context) => maskedExamples(files, context, byBatch(context)),
  evaluation: (files, context, batchSize) =>
    lossEvaluation(maskedExamples(files, context, byExample(context)), batchSize),
  recognises: (model) =>
    hasWordHead(model, model.definition.heads.MASKED_LM?.architecture) ? { labels: [], data: {} } : undefined,
  words: {
    name: 'masked language modelling',
    trainedFor: () => 'masked language modelling',
    hub: { pipeline: 'fill-mask', name: 'Fill-Mask' },
    use: () => ({ command: 'adalora eval . texts.txt', explanation: 'loss and perplexity' }),
    python: ({ max_length }) => ({
      autoModel: 'AutoModelForMaskedLM',
      lines: [textsInPython(`f"Some ${MASK_IN_PYTHON} text"`, max_length), 'logits = model(**inputs).logits'],
    }),
    instead: 'Score it with adalora eval.',
  },
};
