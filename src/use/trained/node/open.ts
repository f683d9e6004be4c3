import { dataFiles } from '../../../input/data/node/text-files.ts';
import { withBaseDtype } from '../../../program/bases/node/with-base-dtype.ts';
import { inTurns } from '../../../program/engine.ts';
import { nodeEngine } from '../../../program/node/node-engine.ts';
import { ALONE_PROCESSES, type Processes } from '../../../program/parallel/communicator.ts';
import { fittingBase } from '../fitting-base.ts';
import type { OpenOptions } from '../model-options.ts';
import { OpenedModel } from '../opened-model.ts';
import { trainedParts } from '../trained-parts.ts';
import { openTuned } from './open-tuned.ts';
import { writeForm } from './write-form.ts';

/** Options for commands only. */
export interface SharedOpenOptions extends OpenOptions {
  /** The processes that share predictions and scores. Each opens the model, and each gets all results. */
  processes?: Processes;
}

/**
 * Opens a model in this thread, to predict, evaluate, generate, merge or export: the folder of a run, an adapter (of
 * any method here, of PEFT or AdapterHub) or a model, or any of them on the Hub by its id. Close it after use.
 *
 * @throws UserError for anything missing, damaged or incompatible
 */
export async function open(path: string, options: SharedOpenOptions = {}): Promise<OpenedModel> {
  const opened = await openTuned(path, options);
  try {
    const fitting = fittingBase(opened.notes, options.baseDtype, opened.folder);
    const model = await withBaseDtype(opened.model, fitting);
    const { communicator, threads, sharesHost } = options.processes ?? ALONE_PROCESSES;
    const { batchSize, continues, device = 'cpu', maxLength } = options;
    const engine = inTurns(nodeEngine(model, device, { threads, sharesHost }));
    const others = { path, engine, communicator, batchSize, continues };
    return new OpenedModel(trainedParts({ ...opened, model }, maxLength, others), opened, {
      dataFiles,
      writeForm,
    });
  } catch (error) {
    opened.model.close();
    throw error;
  }
}
