import { type EncodedFile, encodeAdapter } from '../../input/formats/adapters/encode-adapter.ts';
import { weightsDigest } from '../../input/formats/byte-source.ts';
import { encodeSafetensors } from '../../input/formats/encode-safetensors.ts';
import { type FolderFiles, readText } from '../../input/formats/files.ts';
import { withoutZeroIncrements } from '../../methods/tuners/low-rank/low-rank-files.ts';
import { addUp } from '../../support/numbers.ts';
import { appendEvent } from '../../training/run/event-log.ts';
import type { EventOf, FinishEvent } from '../../training/run/events.ts';
import { RUN_FILES } from '../../training/run/run-files.ts';
import { fullModelTensors, trainedConfig } from '../../use/trained/full-model.ts';
import { encodeLayer, LAYER_FILE } from '../../use/trained/layer-file.ts';
import { formatNotes, NOTES_FILE, templateFiles } from '../../use/trained/notes.ts';
import { sentenceFiles } from '../../use/trained/sentence-files.ts';
import { type ModelCardInputs, modelCard, withTestScores } from '../report/model-card.ts';
import type { ReadRun } from './begin-run.ts';
import type { RunResult } from './run.ts';

/** The files that a finished run writes. */
interface TrainedFiles {
  trained: 'adapter' | 'model';
  /** The files of the adapter, or those of the model except what its inputs need. The last one completes them. */
  files: EncodedFile[];
  /** The text of the run's README.md. */
  card: string;
}

/** Keeps the scores of a finished run on a test file, in its log and in its card. */
export function keepTest(run: FolderFiles, event: EventOf<'test'>): void {
  appendEvent(run, event);
  const card = readText(run, RUN_FILES.card, 'the card of a run', MAX_CARD);
  run.write(RUN_FILES.card, withTestScores(card, event));
}

/** A card has at most six small images, and a table of classes. */
const MAX_CARD = 2 ** 24;

/** The files of a run's result. */
export async function trainedFiles(
  { config, start, labels, maxLength, onlyBase, base, weightDigests }: ReadRun,
  { kind, model, method, values, layer, data }: RunResult,
  finish: Pick<ModelCardInputs, keyof FinishEvent & keyof ModelCardInputs>,
): Promise<TrainedFiles> {
  const weights = method.store ? (await weightDigests()).map(([, digest]) => digest) : [];
  const { task, model_config } = config;
  const base_digest = weights.length > 0 ? weightsDigest(weights) : undefined;
  const notes = { task, data, model_config, base_digest, base_dtype: onlyBase };
  const stored = method.store?.(values, config.model, labels);
  // An adapter that is continued has increments of its own.
  const isFrozen = kind !== 'tuned' && start === undefined;
  const adapter = stored && isFrozen ? withoutZeroIncrements(stored) : stored;
  const whole = (): EncodedFile[] => {
    const text = new TextDecoder().decode(base.config);
    const tensors = fullModelTensors(model, method.tuner.layout, values);
    return [
      ['model.safetensors', encodeSafetensors(tensors, { format: 'pt' })],
      ['config.json', trainedConfig(text, model, { task, model_config, labels }, 'float32')],
    ];
  };
  const ofLayer = layer ? layer.weight.length + layer.bias.length : 0;
  return {
    trained: adapter ? 'adapter' : 'model',
    files: [
      [NOTES_FILE, formatNotes(notes, labels, maxLength)],
      ...sentenceFiles(model, maxLength),
      ...templateFiles(base, { data }),
      ...(layer ? [[LAYER_FILE, encodeLayer(layer)] satisfies EncodedFile] : []),
      ...(adapter ? encodeAdapter(adapter) : whole()),
    ],
    card: modelCard({
      config: { ...config, data: { ...data, max_length: maxLength } } as ModelCardInputs['config'],
      labels,
      normalize: model.config.sentence?.pooling.normalize,
      onlyBase,
      ...finish,
      parameters:
        isFrozen && adapter
          ? addUp(adapter.tensors.values(), ({ data }) => data.length) + ofLayer
          : values.length,
      ranks: isFrozen ? {} : finish.ranks,
    }),
  };
}
