import { z } from 'zod';
import { SAMPLE_BY } from '../../data/text/documents.ts';
import { dataFiles } from '../data-files.ts';

const given = z.string().min(1);

/** Keys of all language models. */
export const languageData = {
  /** A text file (.txt), JSON Lines, or a folder of such. */
  ...dataFiles,
  /** Key of the text in JSON Lines. Default: `text`. */
  text: given.optional(),
  /** What is a document of its own: a whole text, each of its paragraphs, or each of its lines. */
  sample_by: z.enum(SAMPLE_BY).default('document'),
  /** Tokens of an example, special ones included. Default: 1024, or what model and tokenizer allow if that is less. */
  max_length: z.int().min(2).optional(),
};
