import { columnInput, TARGETS } from '../../objectives/embedding-model.ts';
import type { ExampleSet } from '../../program/example-set.ts';
import type { HostTensor } from '../../runtime/session.ts';
import type { EncodingContext } from '../task-definition.ts';
import type { EmbeddingData } from './data-section.ts';
import type { EmbeddingRows } from './embedding-rows.ts';
import { type PromptRole, promptFor } from './prompts.ts';
import { TextSet } from './text-set.ts';

/** Rows in a model's form, with their texts. */
export interface EmbeddingExamples extends ExampleSet {
  readonly texts: TextSet;
  /** For each column, the indices of its texts, row by row. */
  readonly columns: readonly Int32Array[];
  /** Names of the batches' inputs for the loss. */
  readonly lossInputs: readonly string[];
}

/** The purpose of the texts in a column. */
export function roleOf({ form }: Pick<EmbeddingRows, 'form'>, column: number): PromptRole {
  if (form === 'scored' || form === 'labelled') return 'text';
  return column === 0 ? 'query' : 'document';
}

/** Builds one example per row. A text that is repeated in a batch is computed once. */
export function embeddingExamples(
  rows: EmbeddingRows,
  context: EncodingContext<EmbeddingData>,
): EmbeddingExamples {
  const { reading, config } = context;
  const prompted = rows.columns.map((texts, column) => {
    const prompt = promptFor(roleOf(rows, column), reading, config);
    return texts.map((text) => prompt + text);
  });
  const texts = TextSet.of(prompted.flat(), context);
  const columns = prompted.map((column) => Int32Array.from(column, (text) => texts.numberOf(text)));
  const targets = targetsOf(rows);
  const lengthOf = (number: number) => texts.encodings[number]!.inputIds.length;
  return {
    ...{ texts, columns },
    lossInputs: [...columns.map((_, i) => columnInput(i)), ...(targets ? [TARGETS] : [])],
    lengths: columns[0]!.map((_, row) => Math.max(...columns.map((column) => lengthOf(column[row]!)))),
    truncated: texts.encodings.filter(({ truncated }) => truncated).length,
    batch(examples) {
      const used = [...new Set(columns.flatMap((column) => Array.from(examples, (row) => column[row]!)))];
      // Sorted, so that texts that are computed together have similar lengths (see `mini_batch_size`).
      used.sort((a, b) => lengthOf(a) - lengthOf(b));
      const places = new Map(used.map((number, place) => [number, place]));
      const placesOf = (column: Int32Array): HostTensor => ({
        data: Int32Array.from(examples, (row) => places.get(column[row]!) as number),
        dims: [examples.length],
      });
      const inputs = columns.map((column, i) => [columnInput(i), placesOf(column)] as const);
      return {
        feeds: {
          ...texts.feeds(used),
          ...Object.fromEntries(inputs),
          ...(targets && {
            [TARGETS]: { data: pick(targets, examples), dims: [examples.length] },
          }),
        },
        weight: examples.length,
        ...(reading.mini_batch_size !== undefined &&
          reading.mini_batch_size < used.length && { chunk: reading.mini_batch_size }),
      };
    },
  };
}

/** The targets of the rows: the similarity of their texts, or the index of their class. */
function targetsOf({ scores, classes }: EmbeddingRows): Float32Array | Int32Array | undefined {
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
