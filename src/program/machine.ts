import type { Device } from '../engine/runtime/session.ts';
import type { DataFiles } from '../input/data/data-files.ts';
import type { FolderFiles } from '../input/formats/files.ts';
import type { Hub } from '../input/hub/hub.ts';
import type { Decoders } from '../input/media/media.ts';
import type { Engine } from './engine.ts';
import type { ModelWeights } from './weight-memory.ts';

/** A machine with a disk, on which models are opened from folders. */
export interface ModelMachine {
  disk: FolderFiles;
  hub: Hub;
  data: DataFiles;
  decoders: Decoders;
  /**
   * Runs a model's graphs. The weights are mapped from their files.
   *
   * @throws UserError if the weights have changed before a session opens
   */
  engine(model: ModelWeights, device: Device, options?: { threads?: number; sharesHost?: boolean }): Engine;
  /** The user's folder for files that can be created again. */
  cacheFolder(): string;
  /** Prints a warning. */
  warn(message: string): void;
}
