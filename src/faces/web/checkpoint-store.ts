import { filesFrom, type PageFile, readFile } from '../../input/formats/files.ts';
import { SafetensorsTensors } from '../../input/formats/safetensors.ts';
import type { RunStore } from '../../studies/jobs/train-run.ts';
import { Sha256 } from '../../support/sha256.ts';
import { UserError } from '../../support/user-error.ts';
import { checkpointName, encodeCheckpoint, restoreCheckpoint } from '../../training/run/checkpoint.ts';

/** The checkpoints of a page's run. The page's program receives them. */
export interface CheckpointOptions {
  /**
   * Called with everything needed to resume: after the first step, at regular intervals, and at the end. Each
   * checkpoint replaces the one before. Training waits for the call. The file has the name and the content of a
   * checkpoint in Node, which resumes there from the folder `checkpoints` of a run.
   */
  onCheckpoint?: ((checkpoint: File) => void | Promise<void>) | undefined;
  /** Minimum number of seconds between two checkpoints. Default: 20. */
  checkpointSeconds?: number | undefined;
}

/** The name of a given checkpoint in messages. */
const CHECKPOINT = 'checkpoint';
/** Maximum size of a checkpoint: the values, both moments and the best values of a large adapter. */
const MAX_BYTES = 2 ** 31;

/** The checkpoints of a run. Their content is that of Node's. */
export function checkpointStore({
  resume,
  onCheckpoint,
  checkpointSeconds = 20,
}: CheckpointOptions & { resume?: PageFile | undefined }): Pick<
  RunStore<unknown>,
  'saved' | 'otherRun' | 'save' | 'isSaveDue'
> {
  let savedAt = Number.NEGATIVE_INFINITY;
  return {
    /** @throws UserError for a damaged checkpoint */
    async saved() {
      if (resume === undefined) return undefined;
      const bytes = (await readFile(filesFrom(new Map([['', resume]]), CHECKPOINT), '', MAX_BYTES))!;
      const restored = restoreCheckpoint(SafetensorsTensors.of(bytes, CHECKPOINT), new Sha256());
      return { path: CHECKPOINT, ...restored };
    },
    otherRun: () =>
      new UserError({
        where: CHECKPOINT,
        fault: 'belongs to a run with another config, other files or another model',
      }),
    ...(onCheckpoint && {
      isSaveDue: () => performance.now() - savedAt >= 1000 * checkpointSeconds,
      async save(_, state, { origin }) {
        const name = checkpointName(state.step);
        const content = encodeCheckpoint(state, origin, new Sha256());
        await onCheckpoint(new File(content as BlobPart[], name));
        savedAt = performance.now();
        return name;
      },
    }),
  };
}
