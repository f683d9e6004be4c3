import type { Tensors } from '../../engine/runtime/session.ts';
import type { ExampleSet } from '../../program/example-set.ts';
import { columnInput, TARGETS } from '../../program/objectives/embedding-model.ts';
import type { EncodingContext } from '../prediction.ts';
import { type PromptRole, promptFor } from '../sentence-vectors.ts';
import type { EmbeddingData } from './data-section.ts';
import type { EmbeddingRows } from './embedding-rows.ts';

/** Rows in a model's form. */
export interface EmbeddingExamples extends ExampleSet {
  /** Names of the batches' inputs for the loss. */
  readonly lossInputs: readonly string[];
}

/** The purpose of the texts in a column. */
export function chooseRole({ form }: Pick<EmbeddingRows, 'form'>, column: number): PromptRole {
  if (form === 'scored' || form === 'labelled') return 'text';
  return column === 0 ? 'query' : 'document';
}

/** Builds one example per row. A text that is repeated in a batch is computed once. */
export function embeddingExamples(
  rows: EmbeddingRows,
  context: EncodingContext<EmbeddingData>,
): EmbeddingExamples {
  const { reading, config, modality, communicator } = context;
  const items = rows.columns.map((texts, column) => {
    const prompt = promptFor(chooseRole(rows, column), reading, config);
    return texts.map((text) => modality.item({ text, picture: rows.pictures?.get(text) }, prompt));
  });
  const texts = modality.set(items.flat(), { communicator });
  const columns = items.map((column) => Int32Array.from(column, (item) => texts.numberOf(item)));
  const targets = readTargets(rows);
  const others = (examples: Int32Array): { feeds: Tensors } => ({
    feeds: targets ? { [TARGETS]: { data: pick(targets, examples), dims: [examples.length] } } : {},
  });
  return {
    ...texts.rows(columns, others, reading.mini_batch_size),
    lossInputs: [...columns.map((_, i) => columnInput(i)), ...(targets ? [TARGETS] : [])],
  };
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
