import { z } from 'zod';
import { type Files, pathIn, readJsonFile } from '../../input/formats/files.ts';
import { PLAIN_SENTENCE, type SentenceSettings } from '../../models/sentence-settings.ts';
import { InvalidFile } from '../../support/user-error.ts';
import { DEFAULT_TASK } from '../../tasks/registry.ts';
import { LAYER_FILE, readLayer } from './layer-file.ts';
import { fillInReading, type Notes } from './notes.ts';

/** SetFit's file beside those of sentence-transformers. */
export const SETFIT_CONFIG = 'config_setfit.json';

/** SetFit's names of columns. */
const COLUMNS = { text: 'text', label: 'label' };

const schema = z.looseObject({
  labels: z.array(z.union([z.string(), z.number()]).transform(String)).nullish(),
  normalize_embeddings: z.boolean().default(false),
});

/**
 * SetFit's file for a model with a linear layer on the vectors of single texts. Undefined for other models. SetFit reads
 * its head from a pickle only, so {@link LAYER_FILE} has to be put into it.
 */
export function setFitConfig(notes: Notes | undefined): string | undefined {
  if (!notes?.layer || notes.labels.length === 0 || notes.data.text_pair !== undefined) return undefined;
  // If vectors are normalized, a module of sentence-transformers does it.
  return `${JSON.stringify({ normalize_embeddings: false, labels: notes.labels }, null, 2)}\n`;
}

/**
 * The notes for the folder of a SetFit model, if it is one. Its head must be a file of tensors, because a pickle may run
 * code.
 *
 * @throws UserError for a head that is only a pickle, and for settings without an equivalent here
 */
export async function setFitNotes(
  files: Files,
  { pooling: { mode, normalize }, maxLength }: SentenceSettings = PLAIN_SENTENCE,
): Promise<Notes | undefined> {
  const json = await readJsonFile(files, SETFIT_CONFIG);
  if (json === undefined) return undefined;
  const where = pathIn(files.name, SETFIT_CONFIG);
  const { data: settings, error } = schema.safeParse(json);
  if (!settings) throw new InvalidFile({ where, fault: `is not valid: ${z.prettifyError(error)}` });
  const layer = await readLayer(files);
  if (!layer) {
    throw new InvalidFile({
      where: files.name,
      fault: `is a model of SetFit whose head is a pickle, which might run code and is never read`,
      hint: `Write its weight and bias to ${LAYER_FILE} in Python (docs/setfit.md), or use its vectors: adalora embed.`,
    });
  }
  const labels = settings.labels ?? Array.from(layer.bias, (_, i) => String(i));
  if (labels.length !== layer.bias.length) {
    const fault = `has ${labels.length} labels, but ${LAYER_FILE} has ${layer.bias.length}`;
    throw new InvalidFile({ where, fault });
  }
  if (settings.normalize_embeddings && !normalize) {
    throw new InvalidFile({
      where,
      fault: 'normalizes vectors outside of the model',
      hint: 'Add a module Normalize to modules.json instead.',
    });
  }
  const data = fillInReading(DEFAULT_TASK, { ...COLUMNS, pooling: mode, max_length: maxLength });
  return { task: DEFAULT_TASK, labels, data, layer };
}
