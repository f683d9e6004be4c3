import type { Tensors } from '../../engine/runtime/session.ts';
import type { ExampleSet } from '../../program/example-set.ts';
import {
  arrangeOthers,
  arrangeTriplets,
  columnInput,
  TARGETS,
} from '../../program/objectives/embedding-model.ts';
import type { EncodingContext } from '../prediction.ts';
import { type PromptRole, promptFor } from '../sentence-vectors.ts';
import { chooseLoss, type EmbeddingData } from './data-section.ts';
import type { EmbeddingRows } from './embedding-rows.ts';

/** Rows in a model's form. */
export interface EmbeddingExamples extends ExampleSet {
  /** Names of the batches' inputs for the loss. */
  readonly lossInputs: readonly string[];
}

/** The purpose of the texts in a column. */
export function chooseRole({ form }: Pick<EmbeddingRows, 'form'>, column: number): PromptRole {
  if (form === 'scored' || form === 'labeled') return 'text';
  return column === 0 ? 'query' : 'document';
}

/** Builds one example per row: a group of its texts. A text that is repeated in a batch is computed once. */
export function embeddingExamples(
  given: EmbeddingRows,
  context: EncodingContext<EmbeddingData>,
): EmbeddingExamples {
  const rows = withMined(given, context);
  const { reading, config, modality } = context;
  const prompts = [0, 1].map((column) => promptFor(chooseRole(rows, column), reading, config));
  const item = (text: string, column: number) =>
    modality.item({ text, content: rows.contents?.get(text) }, prompts[column]);
  const items = rows.columns[0]!.map((_, row) => [
    ...rows.columns.map((column, i) => item(column[row]!, i)),
    ...(rows.negatives?.[row] ?? []).map((text) => item(text, 1)),
  ]);
  const texts = modality.set(items.flat());
  const groups = items.map((group) => group.map((item) => texts.numberOf(item)));
  const isTriplet = chooseLoss(reading) === 'triplet';
  const columns = Math.min(3, rows.columns.length + (rows.negatives ? 1 : 0));
  const targets = readTargets(rows);
  const others = (examples: Int32Array): { feeds: Tensors } => ({
    feeds: targets ? { [TARGETS]: { data: pick(targets, examples), dims: [examples.length] } } : {},
  });
  return {
    ...texts.groups(groups, others, {
      chunk: reading.mini_batch_size,
      ...(rows.negatives && { arrange: isTriplet ? arrangeTriplets : arrangeOthers }),
    }),
    lossInputs: [...Array.from({ length: columns }, (_, i) => columnInput(i)), ...(targets ? [TARGETS] : [])],
  };
}

/** The texts from which negatives are mined: the corpus of a retrieval set, or the positives of these rows. */
export function listCorpus({ columns, retrieval }: EmbeddingRows): readonly string[] {
  return retrieval?.corpus ?? [...new Set(columns[1])];
}

/** Rows with their mined negatives. */
function withMined(
  rows: EmbeddingRows,
  { reading, prepared }: EncodingContext<EmbeddingData>,
): EmbeddingRows {
  if (!reading.negatives || !prepared) return rows;
  const corpus = listCorpus(rows);
  const negatives = prepared.map((found, row) => [
    ...(rows.negatives?.[row] ?? []),
    ...Array.from(found, (number) => corpus[number]!),
  ]);
  return { ...rows, negatives };
}

/** The targets of the rows: the similarity of their texts, or the index of their class. */
function readTargets({ scores, classes }: EmbeddingRows): Float32Array | Int32Array | undefined {
  if (scores) return Float32Array.from(scores);
  if (!classes) return undefined;
  const numbers = new Map([...new Set(classes)].map((name, i) => [name, i]));
  return Int32Array.from(classes, (name) => numbers.get(name) as number);
}

function pick(from: Float32Array | Int32Array, examples: Int32Array): Float32Array | Int32Array {
  const picked = from.slice(0, examples.length);
  examples.forEach((example, i) => {
    picked[i] = from[example]!;
  });
  return picked;
}
