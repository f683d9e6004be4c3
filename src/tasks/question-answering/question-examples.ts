import type { HostTensor } from '../../engine/runtime/session.ts';
import type { ExampleSet } from '../../program/example-set.ts';
import type { Texts } from '../../program/modalities/texts.ts';
import { PYTHON_SPACE } from '../../support/text.ts';
import { Characters, CONTEXT, type SpanFeature, spanFeatures } from './span-features.ts';

/** A question about a text. */
export interface Question {
  /** The id from the file, or else the index among the questions. It is unique in a file. */
  id: string;
  question: string;
  context: string;
}

/** An answer that occurs in the context. */
export interface GivenAnswer {
  text: string;
  /** Position of its first character: code points from 0, as in Python. */
  start: number;
}

/** A question with its reference answers. Without an answer in the context, the list is empty. */
export interface AnsweredText extends Question {
  answers: readonly GivenAnswer[];
  /** Whether its file declares SQuAD v2.0, by its version or by `is_impossible` on each question. */
  ofV2?: true;
}

/** The answers to read besides question and context: none, the texts of answers, or texts with positions. */
export type AnswersRead = 'none' | 'texts' | 'places';

/** The first and the last token of an answer. */
interface SpanLabels {
  start: number;
  end: number;
}

const LEADING_SPACE = new RegExp(`^[${PYTHON_SPACE}]+`);

/** Questions in a model's form. Each example is a feature. A question with a long context has several features. */
export interface QuestionExamples extends ExampleSet {
  readonly features: readonly SpanFeature[];
  /** The index of each feature's question. */
  readonly questions: Int32Array;
  /** The labels of each feature. Empty if the questions have no reference answers. */
  readonly labels: readonly SpanLabels[];
}

/**
 * Builds the features of questions, in order. Removes leading space of a question, as run_qa.py does.
 *
 * @param labeled whether the batches include the first answer of each question
 * @throws UserError if a question and a window of its context do not fit together
 */
export function questionExamples(
  questions: readonly (Question | AnsweredText)[],
  texts: Texts,
  docStride: number,
  labeled: boolean,
): QuestionExamples {
  const windows = { maxLength: texts.maxLength, docStride };
  const features: SpanFeature[] = [];
  const owners: number[] = [];
  const labels: SpanLabels[] = [];
  questions.forEach((question, owner) => {
    const pair = texts.encodeWithOffsets(question.question.replace(LEADING_SPACE, ''), question.context);
    for (const feature of spanFeatures(pair, windows, `question ${question.id}`)) {
      features.push(feature);
      owners.push(owner);
      const [answer] = 'answers' in question ? question.answers : [];
      if (labeled) labels.push(spanLabels(feature, answer, texts.wholeTextPlace(feature.inputIds)));
    }
  });
  return {
    features,
    questions: Int32Array.from(owners),
    labels,
    rows: Int32Array.from(owners),
    lengths: Int32Array.from(features, ({ inputIds }) => inputIds.length),
    truncated: 0, // Windows together cover the whole context.
    batch(examples) {
      const chosen = Array.from(examples, (example) => features[example]!);
      const feeds = texts.feeds(chosen);
      if (!labeled) return { feeds, weight: examples.length };
      const positions = (side: keyof SpanLabels): HostTensor => ({
        data: examples.map((example) => labels[example]![side]),
        dims: [examples.length],
      });
      const targets = { start_positions: positions('start'), end_positions: positions('end') };
      return { feeds: { ...feeds, ...targets }, weight: examples.length };
    },
  };
}

/**
 * Finds the tokens of an answer in a feature, as run_qa.py does. They are those of `cls` if there is no answer or the
 * window does not contain all of it. If an answer begins in the last token of the context, run_qa.py continues to the
 * last token of the feature, because special tokens have the offset 0. This function does the same, without padding.
 */
function spanLabels(
  { starts, ends, sequenceIds }: SpanFeature,
  answer: GivenAnswer | undefined,
  cls: number,
): SpanLabels {
  const none = { start: cls, end: cls };
  let first = sequenceIds.indexOf(CONTEXT);
  let last = sequenceIds.lastIndexOf(CONTEXT);
  if (!answer || first < 0) return none;
  const stop = answer.start + new Characters(answer.text).length;
  if (starts[first]! > answer.start || ends[last]! < stop) return none;
  while (first < starts.length && starts[first]! <= answer.start) first++;
  while (last >= 0 && ends[last]! >= stop) last--;
  return { start: first - 1, end: last + 1 };
}
