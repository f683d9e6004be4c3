import type { TextFile } from '../../input/data/text-file.ts';
import type { DownloadProgress } from '../../input/formats/byte-source.ts';
import type { FileDigest, Files, FolderFiles } from '../../input/formats/files.ts';
import type { Decoders } from '../../input/media/media.ts';
import type { Engine } from '../../program/engine.ts';
import type { TaskModel } from '../../program/objectives/task-model.ts';
import type { Processes } from '../../program/parallel/communicator.ts';
import type { LoadedModel } from '../../program/weight-memory.ts';
import type { Hash } from '../../support/sha256.ts';
import type { ParsedConfig, RunConfig } from '../../training/run/config/run-config.ts';
import type { ProgressEvent } from '../../training/run/events.ts';
import type { ModelConfig } from '../../use/trained/model-config.ts';
import type { Described, DescribedModel } from '../../use/trained/read-model.ts';

export type OnDownload = (progress: DownloadProgress) => void;

/** The base model of a run, without its weights. */
export interface BaseOfRun {
  config: RunConfig;
  base: DescribedModel;
  /** Builds the model that is trained: the base with the task's head. */
  model(): TaskModel;
}

/** A model with weights, and the engine that runs it. */
export interface OpenedBase {
  model: LoadedModel;
  engine: Engine;
}

/** A model that teaches a run. */
export interface Teacher {
  task: string | undefined;
  /** The digests of the files that determine its answers. */
  digests(): Promise<readonly FileDigest[]>;
  predict(inputs: Iterable<object>): AsyncIterable<object>;
  close(): Promise<void>;
}

/**
 * A machine on which runs are read and trained: Node, or a page. It finds what a config names, and throws a UserError for
 * anything missing or damaged.
 */
export interface RunMachine {
  /** Whether a file or folder that a config names is here, and not only on the Hub. */
  has(path: string): boolean;
  /** The files of the adapter that training continues. */
  adapter(name: string): Promise<Files>;
  /** Maximum size of that adapter's tensors, if memory is scarce. */
  maxAdapterBytes?: number;
  /**
   * Describes a base model.
   *
   * @param options.changes fields of config.json that the config replaces
   * @param options.pools whether the files that describe pooling are needed
   */
  model(
    name: string,
    options?: { changes?: ModelConfig | undefined; pools?: boolean; onDownload?: OnDownload | undefined },
  ): Promise<Described>;
  decoders: Decoders;
  /**
   * The files under a name in a `data` section.
   *
   * @param options.takesFolders whether the files of a folder are texts; otherwise a folder has a subfolder for each
   * class, or images
   * @param options.key the config's key that names them
   */
  data(
    section: { dataset?: string; subset?: string },
    name: string,
    options: { takesFolders: boolean; key: string; onDownload?: OnDownload | undefined },
  ): Promise<readonly TextFile[]>;
  /** Reads a file that rows in memory name. Missing if they cannot name files. */
  openContent?: TextFile['openContent'];
  /** The digest of a module's file, by the module's URL. Undefined if it is not a file. */
  moduleDigest?(url: string): string | undefined;
  /** The fastest SHA-256 here. */
  newHash(): Hash;
  /**
   * Opens the weights of a run's base in the type that its config names, with an engine.
   *
   * @param progress returns a function that reports a share of some work
   */
  open(
    run: BaseOfRun,
    processes: Pick<Processes, 'threads' | 'sharesHost'>,
    progress: (what: ProgressEvent['what']) => (share: number) => void,
  ): Promise<OpenedBase>;
  /** The digests of the base's weight files. Empty for random weights. */
  weightDigests(run: BaseOfRun): Promise<readonly FileDigest[]>;
  /** Opens the model that teaches a run. Missing on a machine without other models. */
  teacher?(name: string): Promise<Teacher>;
  /** The version of this program. */
  version?(): string;
  peakMemoryMb(): number;
  /** Milliseconds since the start of the process or of the call. */
  startupMs(): number;
}

/** A machine with folders and processes. */
export interface FolderMachine extends RunMachine {
  folder(path: string): FolderFiles;
  /** Connects to the other processes that a launcher started for this run. */
  joinProcesses(): Promise<Processes>;
  /**
   * Checks whether a run can be written to a folder, and locks a folder with files.
   *
   * @param onWait called before another holder of the lock is watched
   */
  lockRun(
    output: string,
    resume: boolean,
    onWait: (message: string) => void,
  ): {
    /** Makes this process the only writer of the folder, and creates the folder if it is missing. */
    take(): void;
    release(): void;
  };
  /** Throws a UserError if another process has taken the folder. */
  assertLocked(output: string): void;
  /**
   * Checks the small files of a run's base that a whole model shares with it.
   *
   * @param to the folder to which they are copied, if any
   */
  shareFiles(run: BaseOfRun, to?: FolderFiles): Promise<void>;
  /** Opens a run's base with the weights of its checkpoint, whatever the type of base that the run uses. */
  openFloat32(run: BaseOfRun, processes?: Pick<Processes, 'threads' | 'sharesHost'>): Promise<OpenedBase>;
}

/** The processes of a run, with the number of threads that its config sets. */
export function withThreads<Shared extends { threads?: number }>(
  { threads }: Pick<ParsedConfig, 'threads'>,
  processes: Shared,
): Shared {
  return threads === undefined ? processes : { ...processes, threads };
}
