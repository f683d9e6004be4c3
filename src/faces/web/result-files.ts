import { type Files, readFile } from '../../input/formats/files.ts';
import type { RunResults } from '../../studies/jobs/run-results.ts';
import { joinedBytes } from '../../support/arrays.ts';
import { SHARED_FILES } from '../../use/trained/full-model.ts';

/** Files by name; text files as strings. */
export type ResultFiles = Map<string, Uint8Array | string>;

const CARD = 'README.md';
/** Maximum size of a file. The file of a large vocabulary has tens of megabytes. */
const MAX_SHARED_BYTES = 2 ** 27;

/** The files of a trained adapter as in a run's folder in Node, or of a model with the small files of its base. */
export async function resultFiles({ trained, files, card }: RunResults, base: Files): Promise<ResultFiles> {
  const shared = await Promise.all(
    (trained === 'model' ? SHARED_FILES : []).map(
      async (name) => [name, await readFile(base, name, MAX_SHARED_BYTES)] as const,
    ),
  );
  return new Map<string, Uint8Array | string>([
    ...shared.flatMap(([name, bytes]): [string, Uint8Array][] => (bytes ? [[name, bytes]] : [])),
    ...files.map(
      ([name, content]) => [name, typeof content === 'string' ? content : joinedBytes([...content])] as const,
    ),
    [CARD, card],
  ]);
}
