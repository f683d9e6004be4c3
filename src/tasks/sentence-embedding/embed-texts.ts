import { beginsWithObject, firstLine, TEXT_NAME } from '../../input/data/detect-format.ts';
import { parseRows } from '../../input/data/parse-rows.ts';
import { readTable } from '../../input/data/table/read-table.ts';
import { MEDIA } from '../../input/media/media.ts';
import type { FileContent } from '../../input/media/medium.ts';
import { listNames } from '../../support/text.ts';
import { UserError } from '../../support/user-error.ts';
import { shortest } from '../classes/labels.ts';
import type { EmbedOptions, EncodingContext, Prediction } from '../prediction.ts';
import { cosine, dot, findBest, promptFor, promptNamed, type Ranked, unit } from '../sentence-vectors.ts';
import { listTexts, STANDARD_INPUT } from '../table-columns.ts';
import type { Likeness } from './compare-rows.ts';
import type { EmbeddingData } from './data-section.ts';

/** Compares a model's vectors. */
export const DENSE: Likeness<Float32Array> = {
  cosine,
  ranking(candidates) {
    const units = candidates.map(unit);
    return (query, count, left) => findNearest(query, units, count, left).map(({ number }) => number);
  },
};

/**
 * The indices of the candidates with the largest cosines to a query, the best first. Equal candidates keep their order.
 *
 * @param candidates vectors of length 1
 * @param left the index of a candidate to leave out
 */
export function findNearest(
  query: Float32Array,
  candidates: readonly Float32Array[],
  count: number,
  left?: number,
): Ranked[] {
  const queryVector = unit(query);
  return findBest(
    candidates.map((candidate) => dot(queryVector, candidate)),
    count,
    left,
  );
}

/** A text and its prompt. */
export interface EmbeddedText {
  text: string;
  /** The prompt before the text. Default: the model's own, if any. */
  prompt?: string;
  /** Number of components to keep. Default: all. */
  dimensions?: number;
  /** For models of a medium, which read no text. */
  content?: FileContent;
}

export interface Embedding {
  embedding: Float32Array;
  /** Number of tokens, including the prompt and special tokens. */
  tokens: number;
}

/** Computes one vector per text. */
export const embedTexts: Prediction<EmbeddingData, EmbeddedText> = {
  input: {
    parse(content, fileName, reading, onSkipped) {
      const isPlain = fileName === undefined ? !beginsWithObject(content) : /\.txt(\.gz)?$/i.test(fileName);
      if (isPlain) return listTexts(content, fileName).map((text) => ({ text }));
      const columns =
        fileName === undefined
          ? { ...listColumns(reading), format: 'jsonl' as const }
          : columnsIn(content, fileName, reading);
      const rows = parseRows(content, fileName ?? STANDARD_INPUT, columns, onSkipped);
      return rows.map(({ text }) => ({ text }));
    },
    shape: () => ({
      keys: { text: { is: 'a string' }, prompt: { is: 'a string', optional: true } },
      others: ['dimensions', 'line', 'content', ...MEDIA.map(({ name }) => name)],
    }),
    line: () => (text) => ({ text }),
  },
  async answer(inputs, { program, values }, context, batchSize) {
    const { reading, config, modality } = context;
    const items = inputs.map(({ text, content, prompt = promptFor('text', reading, config) }) =>
      modality.item({ text, content }, prompt),
    );
    const set = modality.set(items);
    const vectors = await set.vectors(program, values, batchSize);
    return inputs.map(({ dimensions }, i): Embedding => {
      const number = set.numberOf(items[i]!);
      // As truncate_dim in sentence-transformers: what is left of a vector keeps its length.
      return { embedding: vectors[number]!.slice(0, dimensions), tokens: set.lengths[number]! };
    });
  },
  output: {
    json: (answer) => ({ embedding: Array.from((answer as Embedding).embedding, shortest) }),
    describe(answer) {
      const { embedding } = answer as Embedding;
      const some = Array.from(embedding.subarray(0, 4), (x) => x.toFixed(3)).join(', ');
      return `${embedding.length} numbers: ${some}${embedding.length > 4 ? ', …' : ''}`;
    },
  },
  vectors: {
    input: (text, options, context) => ({ text, ...resolveOptions(options, context) }),
    of: (answer) => answer as Embedding,
  },
};

function resolveOptions(
  { prompt, promptName, dimensions }: EmbedOptions,
  { reading, config }: EncodingContext<EmbeddingData>,
): Omit<EmbeddedText, 'text'> {
  const width = config.numLabels;
  if (dimensions !== undefined && !(Number.isInteger(dimensions) && dimensions >= 1 && dimensions <= width))
    throw new UserError({
      where: 'dimensions',
      fault: `must be a whole number from 1 to ${width}, got ${dimensions}`,
      code: 'invalid_argument',
    });
  const named = promptName === undefined ? undefined : promptNamed(promptName, reading, config);
  return { prompt: prompt ?? named, dimensions };
}

/** The column of the texts: the one in a flag, otherwise the run's. */
function listColumns({ text, anchor, header, quote, delimiter }: Partial<EmbeddingData>) {
  return { text: text ?? anchor ?? 'text', header, quote, delimiter };
}

/**
 * The column of the texts in a file. Without the expected column, it is the only column, or the only one with a name of
 * texts.
 *
 * @throws UserError if several columns may contain the texts
 */
function columnsIn(content: string, fileName: string, reading: Partial<EmbeddingData>) {
  const expected = listColumns(reading);
  if (typeof expected.text === 'number' || firstLine(content).includes(expected.text)) return expected;
  const { columns, hasHeader } = readTable(content, fileName, { header: reading.header });
  const named = columns.filter((name) => TEXT_NAME.test(name));
  const [only, other] = columns.length === 1 ? columns : named;
  if (only !== undefined && other === undefined) {
    const isNumbered = hasHeader === false;
    return { ...expected, text: isNumbered ? columns.indexOf(only) : only, header: hasHeader };
  }
  const hint = `Its columns are ${listNames(columns)}. Name the one of the texts: --text COLUMN`;
  throw new UserError({
    where: fileName,
    fault: `has no column "${expected.text}"`,
    hint,
    code: 'unknown_column',
  });
}
