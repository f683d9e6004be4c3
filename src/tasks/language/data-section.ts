import { z } from 'zod';
import { SAMPLE_BY } from '../../input/data/text/documents.ts';
import { dataFileKeys } from '../data-files.ts';

const nonEmpty = z.string().min(1);

/** Keys of every language model. */
export const languageData = {
  /** Text (.txt), JSON Lines, or a folder of them. */
  ...dataFileKeys,
  /** JSON key of the text. Default: `text`. */
  text: nonEmpty.optional(),
  /** Unit of a document: the whole text, a paragraph or a line. */
  sample_by: z.enum(SAMPLE_BY).default('document'),
  /** Maximum number of tokens of an example, special tokens included. Default: 1024, or the model's limit if lower. */
  max_length: z.int().min(2).optional(),
};
