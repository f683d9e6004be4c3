import { z } from 'zod';
import { ON_BAD_ROW } from '../../input/data/rows.ts';
import { POOLING_MODES } from '../../models/sentence-settings.ts';
import { dataFileKeys } from '../data-files.ts';
import { column, delimiterKey, layoutKeys } from '../table-columns.ts';

/** Files with labeled texts, and how they are read. */
export const labeledDataSchema = z.strictObject({
  /** TSV, CSV or JSON Lines. */
  ...dataFileKeys,
  /** Column of the text, or of the path of a file, such as an image: its name (header or JSON key) or its number from 0. */
  text: column,
  /** Column of the second text, for pairs. */
  text_pair: column.optional(),
  /** Column of the label: its name or its number from 0. Or a list with a column of 0 and 1 for each label. */
  label: z.union([column, z.array(column).min(2)], {
    error: 'expected the name of a column, its number from 0, or a list of columns',
  }),
  ...layoutKeys,
  /** Separator of the labels of a row, for multi-label tables. Default: `;`. */
  label_separator: z.string().min(1).optional(),
  ...delimiterKey,
  /** Rows with missing fields or labels: `error` (default), or `skip` them with a warning. */
  on_bad_row: z.enum(ON_BAD_ROW).optional(),
  /** Maximum number of tokens, special tokens included. Longer texts are truncated. */
  max_length: z.int().min(1).default(128),
  /** The medium of the files that `text` names, such as `image`. Set by the run, from its model. */
  medium: z.string().optional(),
  /**
   * Changes of training images: `none` (default), or `light`, random crops and flips. They depend on the seed and the
   * step.
   */
  augment: z.enum(['none', 'light']).optional(),
  /**
   * Pooling of sentence vectors (`mean`, `cls`, `lasttoken`) that a linear layer classifies, as in SetFit. Each text of a
   * pair has its own vector. `none`: the classification head of transformers, which reads a pair as one text. Default:
   * the model's pooling for few rows, else `none`.
   */
  pooling: z.enum([...POOLING_MODES, 'none']).optional(),
  /**
   * A run, an adapter or a model whose answers the training learns beside the labels. It has the same task and labels. Its
   * answers are computed once, before the first step, and kept with the run.
   */
  teacher: z.string().min(1).optional(),
  /** File of rows without labels, which the teacher alone labels. It has the columns of `text` and `text_pair`. */
  unlabelled: z.string().min(1).optional(),
  /** The teacher's share in the loss of labeled rows. Default: 0.5. */
  teacher_share: z.number().gt(0).max(1).optional(),
  /** For one class per row: divides the logits of both models before they are compared. Default: 2. */
  temperature: z.number().positive().optional(),
});

export type LabeledData = z.output<typeof labeledDataSchema>;

/** Whether a linear layer classifies sentence vectors. */
export function classifiesVectors({ pooling = 'none' }: Pick<Partial<LabeledData>, 'pooling'>): boolean {
  return pooling !== 'none';
}
