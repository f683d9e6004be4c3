import { z } from 'zod';
import { DISTANCES } from '../../models/nn/losses.ts';
import { POOLING_MODES } from '../../models/sentence-settings.ts';
import { brokenRules, type Problem, shown } from '../../support/user-error.ts';
import { dataFileKeys } from '../data-files.ts';
import { miningKey } from '../mine-negatives.ts';
import { column, delimiterKey, layoutKeys } from '../table-columns.ts';

const LOSSES = ['multiple_negatives_ranking', 'cosent', 'cosine', 'triplet'] as const;

/** Data and loss of sentence embeddings. Names and defaults as in sentence-transformers. */
export const embeddingDataSchema = z.strictObject({
  /** TSV, CSV or JSON Lines. Or a BEIR folder (corpus.jsonl, queries.jsonl, qrels) or one of its qrels files. */
  ...dataFileKeys,
  /** Column of the anchor, for pairs and triplets: its name or its number from 0. */
  anchor: column.optional(),
  /** Column of the text that matches the anchor. */
  positive: column.optional(),
  /**
   * Column or columns of hard negatives: texts that resemble the anchor and do not match it. A row may lack some. In JSON, a
   * column may have a list of texts.
   */
  negative: z.union([column, z.array(column).min(1)]).optional(),
  /**
   * `mine`: adds hard negatives to pairs, texts of other rows that the model's own vectors find similar before training. Or a
   * section with settings, such as `{num_negatives: 5, range_min: 10}`.
   */
  negatives: miningKey,
  /** Column of the text, for scored pairs and labeled sentences. */
  text: column.optional(),
  /** Column of the second text, for scored pairs. */
  text_pair: column.optional(),
  /** Column of the similarity of a pair, or of the class of a sentence. */
  label: column.optional(),
  ...layoutKeys,
  ...delimiterKey,
  /** Maximum number of tokens, special tokens included. Default: the model's. */
  max_length: z.int().min(1).optional(),
  /** Loss. Default: multiple_negatives_ranking (pairs, triplets), cosent (scored pairs), triplet (labeled sentences). */
  loss: z.enum(LOSSES).optional(),
  /** Factor of cosine similarities. */
  scale: z.number().positive().default(20),
  /** Also rank the anchors for each positive. */
  symmetric: z.boolean().default(false),
  /** Margin of the triplet loss. */
  margin: z.number().positive().default(5),
  /** Distance of the triplet loss. Labeled sentences always use the Euclidean distance. */
  distance: z.enum(DISTANCES).default('euclidean'),
  /** Largest label of a scored pair. Labels are divided by it. */
  max_score: z.number().positive().default(1),
  /** Dimensions to which vectors may be truncated (Matryoshka). */
  matryoshka_dims: z.array(z.int().min(1)).min(1).optional(),
  /** Weight of the loss at each of these dimensions. Default: 1. */
  matryoshka_weights: z.array(z.number().positive()).min(1).optional(),
  /** Number of texts to compute at a time. It saves memory, but takes a third more time. Default: the whole batch. */
  mini_batch_size: z.int().min(1).optional(),
  /** Pooling of the hidden states. Default: the model's, else `lasttoken` for decoders (`…ForCausalLM`) and `mean` for others. */
  pooling: z.enum(POOLING_MODES).optional(),
  /** Whether to normalize vectors to length 1. Default: as the model does, else no. */
  normalize: z.boolean().optional(),
  /** Texts to put before inputs: `query` before anchors, `document` before all others. Default: the model's. */
  prompts: z.record(z.string(), z.string()).optional(),
});

export type EmbeddingData = z.output<typeof embeddingDataSchema>;

/** The content of a row. */
export type EmbeddingForm = 'pairs' | 'scored' | 'labeled' | 'retrieval';

/** The form of a section's rows. Without columns, it is BEIR's. */
export function findForm({ anchor, text, text_pair }: Partial<EmbeddingData>): EmbeddingForm {
  if (anchor !== undefined) return 'pairs';
  if (text === undefined) return 'retrieval';
  return text_pair === undefined ? 'labeled' : 'scored';
}

/** The columns of hard negatives. */
export function listNegatives({ negative }: Partial<EmbeddingData>): (string | number)[] {
  return negative === undefined ? [] : [negative].flat();
}

/** The loss of a section. */
export function chooseLoss(data: Partial<EmbeddingData>): (typeof LOSSES)[number] {
  return data.loss ?? LOSSES_OF[findForm(data)][0]!;
}

/** The losses for each form of rows, the default first. */
const LOSSES_OF: Readonly<Record<EmbeddingForm, readonly (typeof LOSSES)[number][]>> = {
  pairs: ['multiple_negatives_ranking', 'triplet'],
  retrieval: ['multiple_negatives_ranking'],
  scored: ['cosent', 'cosine'],
  labeled: ['triplet'],
};

/** Finds problems in combinations of valid keys. */
export function embeddingProblems(data: EmbeddingData): Problem[] {
  const { anchor, positive, negative, negatives, text, text_pair, label, loss } = data;
  const { matryoshka_dims: dims, matryoshka_weights: weights } = data;
  const isPairs = anchor !== undefined || positive !== undefined;
  const possible = LOSSES_OF[findForm(data)];
  const isWrongLoss = loss !== undefined && !possible.includes(loss);
  return brokenRules('data', [
    [isPairs && text !== undefined, 'text', 'cannot be combined with anchor and positive'],
    [isPairs && anchor === undefined, 'anchor', 'is required with data.positive'],
    [isPairs && positive === undefined, 'positive', 'is required with data.anchor'],
    [!isPairs && negative !== undefined, 'negative', 'requires data.anchor and data.positive'],
    [
      negatives !== undefined && (text !== undefined || loss === 'triplet'),
      'negatives',
      'requires the loss multiple_negatives_ranking of pairs',
    ],
    [
      text === undefined && (text_pair ?? label) !== undefined,
      'text',
      'is required with data.text_pair or data.label',
    ],
    [
      text !== undefined && label === undefined,
      'label',
      'is required: the similarity of a pair, or the class of a sentence',
    ],
    [isWrongLoss, 'loss', `must be ${possible.join(' or ')} for these columns, got ${shown(loss)}`],
    [
      loss === 'triplet' && isPairs && listNegatives(data).length === 0,
      'negative',
      'is required for the triplet loss',
    ],
    [
      weights !== undefined && weights.length !== dims?.length,
      'matryoshka_weights',
      'must have as many entries as data.matryoshka_dims',
    ],
  ]);
}
