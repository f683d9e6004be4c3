import { maxLength } from '../../text/max-length.ts';
import { loadTokenizer } from '../../text/node/load-tokenizer.ts';
import { encodeTexts } from '../encoded-set.ts';
import { type Plan, planRun } from '../plan.ts';
import type { RunConfig } from '../run-config.ts';
import { describeModel } from './load-model.ts';
import { readRun } from './read-run.ts';

/**
 * What a run of this config would train and take: from config.json, the tokenizer and the data; no weight is read.
 *
 * @throws UserError as the run would
 */
export async function plan(given: RunConfig): Promise<Plan> {
  const { config, start, folder, data, numLabels } = await readRun(given);
  const model = describeModel(folder, config.task, numLabels);
  const tokenizer = loadTokenizer(folder, { typeVocabSize: model.config.typeVocabSize });
  const length = maxLength(config.data.max_length, tokenizer.modelMaxLength, model.config.maxLength);
  const lengthsOf = (rows: typeof data.train) => encodeTexts(rows, tokenizer, length).lengths;
  const facts = {
    lengths: lengthsOf(data.train),
    validationLengths: data.validation && lengthsOf(data.validation),
  };
  return planRun(config, model, facts, start);
}
