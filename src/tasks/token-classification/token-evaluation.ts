import { groupEqualTexts } from '../../input/data/split-rows.ts';
import type { EvaluatedRows, Evaluation, EvaluationWatch } from '../../program/example-set.ts';
import type { Texts } from '../../program/modalities/texts.ts';
import { argmaxRows, meanCrossEntropy } from '../../scores/metrics/classes.ts';
import { bootstrap, someGroups } from '../../scores/metrics/score-interval.ts';
import { type SeqevalScores, seqeval } from '../../scores/metrics/seqeval.ts';
import { suggest } from '../../support/text.ts';
import { InvalidData } from '../../support/user-error.ts';
import { buildLabels, withIds } from '../classes/labels.ts';
import { findLine, type TaggedSentence } from './conll-sentences.ts';
import { predictWords, wordExamples } from './word-examples.ts';

/** Sentences with their tags, and the name of their file. */
export interface LabeledSentences {
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
  { sentences, fileName }: LabeledSentences,
  labels: readonly string[],
  texts: Texts,
  batchSize: number,
): Evaluation {
  const ids = tagIds(sentences, labels, fileName);
  const examples = wordExamples(sentences, texts, ids);
  const targets = examples.firstPieces.map(({ words }, example) =>
    words.map((word) => ids[examples.sentences[example]!]![word]!),
  );
  const groups = groupEqualTexts(
    Array.from(examples.sentences, (sentence) => [sentences[sentence]!.words.join(' ')]),
  );
  const rows: EvaluatedRows = {
    groups,
    sizeOf: (row) => targets[row]!.length * labels.length,
    targets: { loss: 'softmax', outputs: labels.length, rows: targets },
    features({ program, values }, chosen) {
      const predict = program.features.bind(program);
      return predictWords(
        { communicator: program.communicator, predict },
        values,
        examples,
        batchSize,
        chosen,
      );
    },
    outputs: ({ program, values }, chosen) => predictWords(program, values, examples, batchSize, chosen),
    scores(logits, chosen) {
      const scores = wordScores(pick(logits, chosen), pick(targets, chosen), labels);
      return {
        eval_loss: scores.loss,
        eval_precision: scores.precision,
        eval_recall: scores.recall,
        eval_f1: scores.f1,
        eval_accuracy: scores.accuracy,
      };
    },
    tell(logits, chosen, watch) {
      tellWords(pick(logits, chosen), pick(targets, chosen), labels, someGroups(groups, chosen), watch);
    },
  };
  return {
    examples,
    output: 'logits',
    rows,
    async run(program, values, watch) {
      const logits = await predictWords(program, values, examples, batchSize);
      if (watch) rows.tell(logits, Int32Array.from(logits.keys()), watch);
      return rows.scores(logits, Int32Array.from(logits.keys()));
    },
  };
}

function pick<T>(all: readonly T[], rows: Int32Array): T[] {
  return Array.from(rows, (row) => all[row]!);
}

/**
 * Computes the loss and the scores of predicted words, also for each entity type.
 *
 * @param logits the logits of each example [words, labels], from {@link predictWords}
 * @param targets the label of each of these words
 */
function wordScores(
  logits: readonly Float32Array[],
  targets: readonly Int32Array[],
  labels: readonly string[],
): SeqevalScores & { loss: number } {
  let loss = 0;
  let words = 0;
  logits.forEach((rows, example) => {
    const tags = targets[example]!;
    loss += tags.length * meanCrossEntropy(rows, labels.length, tags);
    words += tags.length;
  });
  const { predicted, references } = readTags(logits, targets, labels);
  return { ...seqeval(predicted, references), loss: loss / words };
}

function tellWords(
  logits: readonly Float32Array[],
  targets: readonly Int32Array[],
  labels: readonly string[],
  groups: Int32Array,
  watch: EvaluationWatch,
): void {
  const { predicted, references } = readTags(logits, targets, labels);
  watch.onAnswers?.(predicted, references);
  watch.onCertainty?.({
    groups,
    interval: (score) =>
      bootstrap(groups, (rows) => {
        const scores: Partial<Record<string, unknown>> = {
          ...seqeval(pick(predicted, rows), pick(references, rows)),
        };
        return Number(scores[score]);
      }),
  });
}

function readTags(
  logits: readonly Float32Array[],
  targets: readonly Int32Array[],
  labels: readonly string[],
): { predicted: string[][]; references: string[][] } {
  const tags = (ids: Int32Array) => Array.from(ids, (id) => labels[id]!);
  return {
    predicted: logits.map((rows) => tags(argmaxRows(rows, labels.length))),
    references: targets.map(tags),
  };
}

/**
 * The tags of training sentences, in the order of a head's outputs. If the checkpoint has all of them, the order is the
 * checkpoint's, else that of `label_names`. Without either, they are sorted by code point, as in transformers'
 * run_ner.py (`B-LOC`, …, `I-PER`, `O`).
 *
 * @param known the `id2label` of the checkpoint's config.json
 * @throws UserError if there are fewer than two
 */
export function tagNames(
  sentences: readonly TaggedSentence[],
  label_names: readonly string[] | undefined,
  fileName: string,
  known?: Readonly<Record<string, string>>,
): readonly string[] {
  const seen = new Set(label_names);
  if (!label_names) for (const { tags } of sentences) for (const tag of tags) seen.add(tag);
  if (seen.size < 2) {
    throw new InvalidData({
      where: fileName,
      fault: `needs at least 2 different tags, got ${seen.size === 0 ? 'none' : `only "${[...seen][0]}"`}`,
    });
  }
  const names = buildLabels([{ label: [...seen] }], 2, fileName, known);
  const isCheckpoints = names.every((name, id) => known?.[id] === name);
  return label_names && !isCheckpoints ? [...seen] : names;
}

/**
 * The tags of each sentence as indices in `names`.
 *
 * @throws UserError with file and line for unknown tags
 */
export function tagIds(
  sentences: readonly TaggedSentence[],
  names: readonly string[],
  fileName: string,
): Int32Array[] {
  const problem = (tag: string) => ({
    kind: 'tag',
    fault: `has the tag "${tag}", which was not seen in training`,
  });
  const hintFor = (tag: string) =>
    `${suggest(tag, names)} Tags that are too rare for the training data may be named in data.label_names.`;
  return withIds(names, fileName, problem, hintFor, (id) =>
    sentences.map((sentence) =>
      Int32Array.from(sentence.tags, (tag, word) => id(tag, findLine(sentence, word))),
    ),
  );
}
