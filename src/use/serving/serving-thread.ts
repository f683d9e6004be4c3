import type { DownloadProgress } from '../../input/formats/byte-source.ts';
import type { BaseDtype } from '../../program/bases/base-dtype.ts';
import { type CalledThread, remote } from '../../support/calls/caller.ts';
import { importModules } from '../../support/import-modules.ts';
import { Turns } from '../../support/turns.ts';
import { UserError } from '../../support/user-error.ts';
import type { ModelFolders } from '../trained/model-folders.ts';
import { AdapterFolders, type FolderEvent } from './adapter-folders.ts';
import type { DecodingLimits } from './decoding/decoding-loop.ts';
import type { EngineRun } from './engine-run.ts';
import { AdapterPlaces, adapterBytes, type FoundAdapter } from './find-adapters.ts';
import type { BatchLimits } from './rows/row-batcher.ts';
import { type AdapterContent, serveBase } from './served-adapter.ts';
import { BaseModel } from './served-base.ts';
import { LocalService } from './service/local-service.ts';
import { SERVICE_METHODS, type ServedCard, type Service } from './service/service.ts';
import { Serving } from './serving.ts';

/** The thread's input. */
export interface ServingJob {
  folders: readonly string[];
  /** The base model: a folder, or an id on the Hub. */
  model: string;
  baseDtype: BaseDtype;
  limits: BatchLimits & DecodingLimits & { slots?: number };
  /** Modules that define methods and tasks. */
  modules: readonly string[];
}

/** Receives events of the serving thread. */
export interface ServingListener {
  onProgress(progress: DownloadProgress): void;
  onEvent(event: FolderEvent): void;
  /** Called after each run of the engine. */
  onRun(run: EngineRun): void;
  /** Called when requests can be answered, with the name of the base model and the names of served models. */
  onReady(opened: { model: string; names: string[]; input: ServedCard['input'] }): void;
}

/** The input of a thread that reads adapters: their base model. */
export interface ReaderJob extends Pick<ServingJob, 'model' | 'baseDtype' | 'modules'> {
  folder: string;
}

/** The machine of the serving thread. */
interface ServingMachine {
  folders: ModelFolders;
  startReader(job: ReaderJob): CalledThread;
  /** Lets this thread end when pending work has ended. */
  leave(): void;
}

/** The methods of {@link servingThread}. */
export const SERVING_METHODS = ['serve', ...SERVICE_METHODS] as const;

/** The service of this thread, which answers after `serve`. */
export function servingThread({ folders: models, startReader, leave }: ServingMachine) {
  const { disk } = models.machine;
  let service: Service;
  let readers: readonly AdapterReader[];
  return {
    ...remote<Service>(
      async (method, args) => (service[method as keyof Service] as (...args: unknown[]) => never)(...args),
      SERVICE_METHODS,
    ),

    /** Opens the base model and the adapters. It does not resolve, so that the listener's functions stay. */
    async serve(
      { folders, model, baseDtype, limits, modules }: ServingJob,
      { onProgress, onEvent, onRun, onReady }: ServingListener,
    ): Promise<never> {
      await importModules({ modules });
      const base = await BaseModel.open(models, model, baseDtype, onProgress);
      const serving = new Serving(base, {
        rows: { ...limits, batches: base.batches, onBatch: onRun },
        decoding: { ...limits, onRun },
      });
      const reading = { folder: base.folder, model, baseDtype, modules };
      const baseBytes = base.bytes;
      const reader = () =>
        new AdapterReader(
          () => startReader(reading),
          (folder) => baseBytes + adapterBytes(disk.within(folder)),
        );
      // Requests wait for known adapters, so these do not wait for new ones.
      const [newOnes, known] = [reader(), reader()];
      readers = [newOnes, known];
      const places = new AdapterPlaces(disk, folders);
      const adapters = new AdapterFolders(places, base, serving, onEvent, (adapter, isKnown) =>
        (isKnown ? known : newOnes).read(adapter),
      );
      const served = await serveBase(base);
      if (served) await serving.add(served);
      await adapters.readAll();
      await serving.open();
      service = new LocalService(serving, adapters);
      const input = base.described.modality(base.described.family.config).reads;
      onReady({ model: base.name, names: [...serving.models.keys()], input });
      adapters.watch();
      return new Promise(() => {});
    },

    async close(): Promise<void> {
      try {
        await service.close();
      } finally {
        // A session that cannot be released must not keep the thread.
        for (const reader of readers) reader.close();
        leave();
      }
    },
  };
}

/** The time for an adapter, and the time for the bytes of its tensors and of its base, which may be hashed. */
const TIME = { seconds: 30, bytesPerSecond: 2 ** 25 };

/**
 * Reads adapters in a thread of its own, one after the other. An adapter that takes too long, or too much memory, is
 * rejected, and the thread is replaced. So no adapter can stop the thread that answers requests, or the other adapters.
 */
export class AdapterReader {
  readonly #start: () => CalledThread;
  readonly #bytesOf: (folder: string) => number;
  readonly #seconds: number;
  readonly #turns = new Turns();
  #thread: CalledThread | undefined;

  /**
   * @param start starts a thread that answers `read`
   * @param bytesOf returns the size of an adapter's tensors and of the base model's weights
   * @param seconds the time for an adapter, besides the time for its bytes
   */
  constructor(start: () => CalledThread, bytesOf: (folder: string) => number, seconds = TIME.seconds) {
    this.#start = start;
    this.#bytesOf = bytesOf;
    this.#seconds = seconds;
  }

  /** @throws UserError for an adapter that cannot be served */
  read(adapter: FoundAdapter): Promise<AdapterContent> {
    return this.#turns.run(async () => {
      const { folder } = adapter;
      const seconds = Math.ceil(this.#seconds + this.#bytesOf(folder) / TIME.bytesPerSecond);
      const thread = this.#thread ?? this.#started();
      const late = new Error(`it takes longer than ${seconds} s`);
      const timer = setTimeout(() => this.#lose(thread, late), 1000 * seconds);
      try {
        return await thread.caller.call<AdapterContent>('read', [adapter]);
      } catch (error) {
        if (this.#thread === thread) throw error;
        throw new UserError({ where: folder, fault: `cannot be read: ${(error as Error).message}` });
      } finally {
        clearTimeout(timer);
      }
    });
  }

  close(): void {
    if (this.#thread) this.#lose(this.#thread, new Error('the server is stopping'));
  }

  #started(): CalledThread {
    const thread = this.#start();
    this.#thread = thread;
    thread.worker.on('error', (error) => this.#lose(thread, error));
    thread.worker.on('exit', () => this.#lose(thread, new Error('its thread has ended')));
    return thread;
  }

  /** Gives up a thread, and the adapter that it reads. The next adapter gets another thread. */
  #lose({ worker, caller }: CalledThread, reason: Error): void {
    if (this.#thread?.worker !== worker) return;
    this.#thread = undefined;
    // A thread that waits for a disk does not end, so it must not keep the process alive.
    worker.unref();
    void worker.terminate();
    caller.fail(reason);
  }
}
