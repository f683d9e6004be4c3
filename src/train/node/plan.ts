import { resolveModel } from '../../data/hub/node/resolve-model.ts';
import { maxLength } from '../../text/max-length.ts';
import { loadTokenizer } from '../../text/node/load-tokenizer.ts';
import { encodeTexts } from '../encoded-set.ts';
import { type Plan, planRun } from '../plan.ts';
import type { RunConfig } from '../run-config.ts';
import { loadData } from './load-data.ts';
import { describeModel } from './load-model.ts';
import { labelsOf, readStart } from './starting-adapter.ts';

/**
 * What a run of this config would train and take: from config.json, the tokenizer and the data; no weight is read.
 *
 * @throws UserError as the run would
 */
export async function plan(given: RunConfig): Promise<Plan> {
  const { config, start } = readStart(given);
  const folder = await resolveModel(config.model);
  const { task } = config;
  const base = describeModel(folder, task);
  const data = loadData(config, base.config.id2label);
  const labels = labelsOf(config, data.labels, base, start);
  const model = describeModel(folder, task, task === 'regression' ? 1 : labels.names.length);
  const tokenizer = loadTokenizer(folder, { typeVocabSize: model.config.typeVocabSize });
  const length = maxLength(config.data.max_length, tokenizer.modelMaxLength, model.config.maxLength);
  const lengthsOf = (rows: typeof data.train) => encodeTexts(rows, tokenizer, length).lengths;
  const facts = {
    lengths: lengthsOf(data.train),
    validationLengths: data.validation && lengthsOf(data.validation),
  };
  return planRun(config, model, facts, start);
}
