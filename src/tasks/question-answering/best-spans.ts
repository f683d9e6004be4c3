import { NotFinite } from '../../program/check-finite.ts';
import { predictBatches } from '../../program/predict-batches.ts';
import type { Predictor } from '../../program/program.ts';
import { largest } from '../../support/numbers.ts';
import type { QuestionExamples } from './question-examples.ts';
import { Characters, CONTEXT, type SpanFeature } from './span-features.ts';

/** A model's logits for each token of a feature, [length]. */
export interface SpanLogits {
  start: Float32Array;
  end: Float32Array;
}

/**
 * Computes the logits of all features, in order and without padding.
 *
 * @throws NotFinite that names the question of the first feature with a value that is not finite
 */
export async function predictSpans(
  program: Predictor,
  values: Float32Array,
  set: QuestionExamples,
  batchSize: number,
): Promise<SpanLogits[]> {
  const predicted = new Array<SpanLogits>(set.lengths.length);
  // Logits are [2, batch, sequence].
  for (const { examples, logits } of await predictBatches(program, values, set, batchSize)) {
    const width = logits.length / (2 * examples.length);
    examples.forEach((example, row) => {
      const side = (i: number) => {
        const begin = (i * examples.length + row) * width;
        return logits.slice(begin, begin + set.lengths[example]!);
      };
      predicted[example] = { start: side(0), end: side(1) };
    });
  }
  const damaged = predicted.findIndex(
    ({ start, end }) => !(start.every(Number.isFinite) && end.every(Number.isFinite)),
  );
  if (damaged >= 0) throw new NotFinite(set.questions[damaged]!);
  return predicted;
}

/** A span of the context that may be the answer. An empty span means no answer. */
interface Span {
  text: string;
  /** The span's code points are [start, end). */
  start: number;
  end: number;
  startLogit: number;
  endLogit: number;
  /** The span's probability among the kept spans. */
  probability: number;
}

/** The spans of a question. */
export interface BestSpans {
  /** The best first. */
  nbest: Span[];
  /** The chosen answer. Its text is empty for no answer. */
  answer: Span;
  /** The score of "no answer" minus the score of the best answer. Undefined if every question has an answer. */
  nullOdds: number | undefined;
}

/** Keys of the `data` section for the search. */
interface SpanSearch {
  n_best_size: number;
  max_answer_length: number;
  version_2_with_negative?: boolean;
  null_score_diff_threshold: number;
}

type Scored = Omit<Span, 'text' | 'probability'> & { score: number };

/** The entry that utils_qa.py adds if no span is left. */
const EMPTY: Span & { score: number } = {
  text: 'empty',
  start: 0,
  end: 0,
  startLogit: 0,
  endLogit: 0,
  score: 0,
  probability: 0,
};

/**
 * Finds the best spans of a question over all its features, like `postprocess_qa_predictions` of transformers'
 * utils_qa.py. It also computes in 32 bits. If logits are equal, the later token ranks first. (In utils_qa.py, the sort
 * decides.) Padding is not ranked.
 *
 * @param windows the question's features with their logits
 */
export function bestSpans(
  windows: readonly { feature: SpanFeature; logits: SpanLogits }[],
  context: string,
  search: SpanSearch,
): BestSpans {
  const size = search.n_best_size;
  const candidates = windows.flatMap(({ feature, logits }) => listSpans(feature, logits, search));
  const none = search.version_2_with_negative ? noAnswer(windows.map(({ logits }) => logits)) : undefined;
  if (none) candidates.push(none);
  const kept = candidates.sort((a, b) => b.score - a.score).slice(0, size);
  if (none && !kept.some(({ start, end }) => start === 0 && end === 0)) kept.push(none);

  const characters = new Characters(context);
  const spans = kept.map((span) => ({
    ...span,
    text: characters.slice(span.start, span.end),
    probability: 0,
  }));
  if (spans.every(({ text }) => text === '') && (spans.length < 2 || none)) spans.unshift({ ...EMPTY });
  const nbest = withProbabilities(spans);
  if (!none) return { nbest, answer: nbest[0]!, nullOdds: undefined };
  const best = nbest.find(({ text }) => text !== '')!;
  const nullOdds = Math.fround(Math.fround(none.score - best.startLogit) - best.endLogit);
  const isNone = nullOdds > search.null_score_diff_threshold;
  return { nbest, answer: isNone ? nbest.find(({ text }) => text === '')! : best, nullOdds };
}

/** Spans of a feature from one of the best start tokens to one of the best end tokens. */
function listSpans(
  { starts, ends, sequenceIds }: SpanFeature,
  logits: SpanLogits,
  { n_best_size, max_answer_length }: SpanSearch,
): Scored[] {
  const isContext = (token: number) => sequenceIds[token] === CONTEXT;
  const lasts = largestIndices(logits.end, n_best_size).filter(isContext);
  return largestIndices(logits.start, n_best_size)
    .filter(isContext)
    .flatMap((first) =>
      lasts
        .filter((last) => last >= first && last - first < max_answer_length)
        .map((last) => scoreSpan(starts[first]!, ends[last]!, logits.start[first]!, logits.end[last]!)),
    );
}

/** The lowest score of "no answer" among the features. So "no answer" wins only if every feature prefers it. */
function noAnswer(features: readonly SpanLogits[]): Scored {
  const all = features.map(({ start, end }) => scoreSpan(0, 0, start[0]!, end[0]!));
  return all.reduce((least, one) => (one.score < least.score ? one : least));
}

function scoreSpan(start: number, end: number, startLogit: number, endLogit: number): Scored {
  return { start, end, startLogit, endLogit, score: Math.fround(startLogit + endLogit) };
}

/** The indices of the largest values, in descending order of the values. */
function largestIndices(values: Float32Array, count: number): number[] {
  return Array.from(values.keys())
    .sort((a, b) => values[b]! - values[a]! || b - a)
    .slice(0, count);
}

function withProbabilities(spans: readonly (Span & { score: number })[]): Span[] {
  const most = largest(spans.map(({ score }) => score));
  const exponentials = spans.map(({ score }) => Math.exp(score - most));
  const sum = exponentials.reduce((total, one) => total + one, 0);
  return spans.map(({ score: _, ...span }, i) => ({ ...span, probability: exponentials[i]! / sum }));
}
