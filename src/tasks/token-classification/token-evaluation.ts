import { groupsOf } from '../../data/split-rows.ts';
import { meanCrossEntropy } from '../../metrics/cross-entropy.ts';
import { argmaxRows } from '../../metrics/predicted-labels.ts';
import { bootstrap } from '../../metrics/score-interval.ts';
import { type SeqevalScores, seqeval } from '../../metrics/seqeval.ts';
import type { Evaluation, EvaluationWatch } from '../../program/example-set.ts';
import type { TextTokenizer } from '../../text/tokenizer.ts';
import { predictWords } from './predict-words.ts';
import { tagIds } from './tag-ids.ts';
import type { TaggedSentence } from './tagged-sentence.ts';
import { type WordExamples, wordExamples } from './word-examples.ts';

/** Sentences with their tags, and the name of their file. */
export interface LabelledSentences {
  sentences: readonly TaggedSentence[];
  fileName: string;
  /** The value of `data.label_names`. */
  names?: readonly string[];
}

/**
 * Scores a token classifier like transformers' run_ner.py: precision, recall and F1 of entities, the accuracy of tags,
 * and `eval_loss`. All are computed over the words that the model sees. As in run_ner.py, truncated words are ignored.
 *
 * @throws UserError for tags that are not among the labels
 */
export function tokenEvaluation(
  { sentences, fileName }: LabelledSentences,
  {
    labels,
    tokenizer,
    maxLength,
  }: { labels: readonly string[]; tokenizer: TextTokenizer; maxLength: number },
  batchSize: number,
): Evaluation {
  const ids = tagIds(sentences, labels, fileName);
  const examples = wordExamples(sentences, tokenizer, maxLength, ids);
  const groups = groupsOf(
    Array.from(examples.sentences, (sentence) => [sentences[sentence]!.words.join(' ')]),
  );
  return {
    examples,
    output: 'logits',
    async run(program, values, watch) {
      const logits = await predictWords(program, values, examples, labels.length, batchSize);
      const { loss, precision, recall, f1, accuracy } = wordScores(
        logits,
        examples,
        ids,
        labels,
        groups,
        watch,
      );
      return {
        eval_loss: loss,
        eval_precision: precision,
        eval_recall: recall,
        eval_f1: f1,
        eval_accuracy: accuracy,
      };
    },
  };
}

/**
 * Computes the loss and the scores of predicted words, also for each entity type.
 *
 * @param logits the logits of each example [words, labels], from {@link predictWords}
 * @param ids the true label of each word of each sentence
 * @param groups the group of each example's sentence
 * @param watch called with the tags of each example's words
 */
export function wordScores(
  logits: readonly Float32Array[],
  examples: WordExamples,
  ids: readonly Int32Array[],
  labels: readonly string[],
  groups: Int32Array,
  watch?: EvaluationWatch,
): SeqevalScores & { loss: number } {
  const tags = (of: Int32Array) => Array.from(of, (id) => labels[id]!);
  const targets = examples.firstPieces.map(({ words }, example) =>
    words.map((word) => ids[examples.sentences[example]!]![word]!),
  );
  let loss = 0;
  let words = 0;
  logits.forEach((rows, example) => {
    const tags = targets[example]!;
    loss += tags.length * meanCrossEntropy(rows, labels.length, tags);
    words += tags.length;
  });
  const predicted = logits.map((rows) => tags(argmaxRows(rows, labels.length)));
  const references = targets.map(tags);
  watch?.onAnswers?.(predicted, references);
  watch?.onCertainty?.({
    groups,
    interval: (score) =>
      bootstrap(groups, (rows) => {
        const of = (tags: readonly string[][]) => Array.from(rows, (row) => tags[row]!);
        const scores: Partial<Record<string, unknown>> = { ...seqeval(of(predicted), of(references)) };
        return Number(scores[score]);
      }),
  });
  return { ...seqeval(predicted, references), loss: loss / words };
}
