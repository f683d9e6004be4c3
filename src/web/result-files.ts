import { encodeAdapter } from '../formats/adapters/encode-adapter.ts';
import { encodeSafetensors } from '../formats/encode-safetensors.ts';
import { type Files, readFile } from '../formats/files.ts';
import type { RunResults } from '../jobs/run-results.ts';
import type { LoadedModel } from '../program/model-weights.ts';
import { fullModelTensors, SHARED_FILES, trainedConfig } from '../trained/full-model.ts';
import { NOTES_FILE, type Notes } from '../trained/notes.ts';
import { sentenceFiles } from '../trained/sentence-files.ts';
import type { ParameterLayout } from '../tuners/parameter-layout.ts';

/** Files by name; text files as strings. */
export type ResultFiles = Map<string, Uint8Array | string>;

const CARD = 'README.md';
/** Maximum size of a file. A tokenizer with a large vocabulary has tens of megabytes. */
const MAX_SHARED_BYTES = 2 ** 27;

/** The files of a trained adapter, as in a run's folder in Node. */
export function adapterFiles(
  { adapter, notes, card }: RunResults,
  model: LoadedModel,
  maxLength: number,
): ResultFiles | undefined {
  if (!adapter) return undefined;
  const written = encodeAdapter(adapter).map(([name, chunks]): [string, Uint8Array | string] => {
    const bytes = joined([...chunks]);
    return [name, name.endsWith('.json') ? new TextDecoder().decode(bytes) : bytes];
  });
  return new Map([...written, ...sentenceFiles(model, maxLength), [NOTES_FILE, notes], [CARD, card]]);
}

/** The files of a fully trained model, with the tokenizer of its base, as transformers saves it. */
export async function fullModelFiles(
  base: { files: Files; config: Uint8Array },
  { model, layout, values }: { model: LoadedModel; layout: ParameterLayout; values: Float32Array },
  trainedFor: Pick<Notes, 'task' | 'labels' | 'model_config'>,
  { notes, card }: RunResults,
): Promise<ResultFiles> {
  const shared = await Promise.all(
    SHARED_FILES.map(async (name) => [name, await readFile(base.files, name, MAX_SHARED_BYTES)] as const),
  );
  const weights = encodeSafetensors(fullModelTensors(model, layout, values), { format: 'pt' });
  return new Map<string, Uint8Array | string>([
    ...shared.flatMap(([name, bytes]): [string, Uint8Array][] => (bytes ? [[name, bytes]] : [])),
    ['model.safetensors', joined(weights)],
    ...sentenceFiles(model),
    ['config.json', trainedConfig(new TextDecoder().decode(base.config), model, trainedFor, 'float32')],
    [NOTES_FILE, notes],
    [CARD, card],
  ]);
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
