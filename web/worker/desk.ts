import { zipSync } from 'fflate';
import { type RunFacts, runFacts } from '../../src/report/run/run-facts.ts';
import {
  type ClassAnswer,
  open,
  type PageOptions,
  type Texts,
  type TrainEvent,
  type TrainedModel,
  type TrainResult,
  train,
} from '../../src/web/index.ts';
import { parsePageConfig } from '../../src/web/page-config.ts';
import { type Column, describeColumns, guessColumns } from '../data/describe-columns.ts';
import { readTable, type Table } from '../data/read-table.ts';
import { type Split, splitRows } from '../data/split-rows.ts';
import { bestDevice } from './best-device.ts';
import { epochsFor, type PageRun, pageRun, SEED, type Settings, stepsPerEpoch } from './page-run.ts';
import { RunStore } from './run-store.ts';

/** What the page shows of a file. */
export interface OpenedFile extends Omit<Table, 'rows' | 'columns'> {
  rows: number;
  columns: Column[];
  /** The first rows. */
  preview: string[][];
  guess: { text: number; label: number };
}

/** What is to be trained on, where these columns are chosen. */
export interface Choice extends Pick<Split, 'labels' | 'leftOut'> {
  trainRows: number;
  heldOutRows: number;
  epochs: number;
  stepsPerEpoch: number;
}

/** Without a device: the best that there is. */
export type ChosenSettings = Omit<Settings, 'device'> & Partial<Pick<Settings, 'device'>>;

export interface Begun extends Omit<PageRun, 'config' | 'files'> {
  facts: RunFacts;
  /** Whether a tab that is closed can go on with it. */
  isKept: boolean;
}

/** What the page is told while a run goes on. */
export interface Watcher {
  begun(run: Begun): void;
  event(event: TrainEvent): void;
}

export type Outcome = Pick<TrainResult, 'reason' | 'step' | 'metrics' | 'train_runtime'>;

export interface Prediction {
  label: string;
  /** The most likely first. */
  probabilities: [label: string, probability: number][];
}

const PREVIEWED = 5;
/** Of a field of the preview. */
const MOST_CHARACTERS = 200;

/** Everything that takes long, in a worker: one file, one run and one trained model at a time. */
export class Desk {
  readonly #site: PageOptions;
  readonly #store = RunStore.open();
  #table: Table | undefined;
  #stop = new AbortController();
  #trained: TrainResult | undefined;
  #model: Promise<TrainedModel> | undefined;
  #device: 'wasm' | 'webgpu' = 'wasm';

  /** @param site the address that the engine's and the model's files lie below */
  constructor(site: URL) {
    this.#site = {
      engineUrl: new URL('engine/', site),
      modelUrl: new URL('models/mini/', site),
      // Without isolation the engine has no memory that threads could share.
      threads: crossOriginIsolated ? Math.min(8, navigator.hardwareConcurrency) : 1,
    };
  }

  /** Reads a file, with or without names of columns in its first line. Throws a UserError for one that is no table. */
  async open(file: File, header?: boolean): Promise<OpenedFile> {
    this.#table = undefined;
    const table = await readTable(file, header);
    const { rows, ...facts } = table;
    const columns = describeColumns(table);
    this.#table = table;
    return {
      ...facts,
      ...{ rows: rows.length, columns, guess: guessColumns(columns, rows.length) },
      preview: rows.slice(0, PREVIEWED).map((row) => row.map((field) => field.slice(0, MOST_CHARACTERS))),
    };
  }

  /** What the file has with these columns. Throws a UserError where nothing can be learnt from them. */
  choose(text: number, label: number): Choice {
    const { train, heldOut, labels, leftOut } = this.#split(text, label);
    const [trainRows, heldOutRows] = [train.length, heldOut.length];
    return {
      ...{ labels, leftOut, trainRows, heldOutRows },
      ...{ epochs: epochsFor(trainRows), stepsPerEpoch: stepsPerEpoch(trainRows) },
    };
  }

  /** Trains on the file. Throws a UserError for what is wrong with it. */
  async train(text: number, label: number, chosen: ChosenSettings, watcher: Watcher): Promise<Outcome> {
    this.#stop = new AbortController();
    const { fileName, columns } = this.#table!;
    const names = { text: columns[text], label: columns[label] };
    const device = chosen.device ?? (await bestDevice());
    const run = pageRun(fileName, names, this.#split(text, label), { ...chosen, device });
    const store = await this.#store;
    const isKept = await store?.begin(run).then(
      () => true,
      () => false,
    );
    return this.#run(run, watcher, isKept ? store : undefined);
  }

  /** The run that an earlier tab left. */
  async kept(): Promise<{ fileName: string; step: number } | undefined> {
    const kept = await (await this.#store)?.read().catch(() => undefined);
    return kept && { fileName: kept.run.fileName, step: kept.events.at(-1)?.step ?? 0 };
  }

  /** Goes on with it, or gives its result once more. */
  async resume(watcher: Watcher): Promise<Outcome> {
    this.#stop = new AbortController();
    const store = (await this.#store)!;
    const { run, events, checkpoint } = (await store.read())!;
    return this.#run(run, watcher, store, events, checkpoint);
  }

  async discard(): Promise<void> {
    await (await this.#store)?.discard();
  }

  /** Ends the run after the step that it is in. */
  stop(): void {
    this.#stop.abort();
  }

  /** What the trained model makes of a text. */
  async predict(text: string): Promise<Prediction> {
    this.#model ??= open(this.#trained!, { ...this.#site, device: this.#device });
    const model = await this.#model;
    const { labels } = this.#trained!;
    for await (const answer of model.predict<Texts, ClassAnswer>([{ text }])) {
      const probabilities = labels.map((label, i): [string, number] => [label, answer.probabilities[i]]);
      return { label: answer.label, probabilities: probabilities.sort((a, b) => b[1] - a[1]) };
    }
    throw new Error('a text without an answer');
  }

  /** The adapter's files, as PEFT loads them, in an archive. */
  adapter(): Blob {
    const encoder = new TextEncoder();
    const files = [...this.#trained!.adapter!].map(([name, content]): [string, Uint8Array] => [
      name,
      typeof content === 'string' ? encoder.encode(content) : content,
    ]);
    return new Blob([zipSync(Object.fromEntries(files)) as BlobPart], { type: 'application/zip' });
  }

  #split(text: number, label: number): Split {
    return splitRows(this.#table!, text, label, SEED);
  }

  /**
   * Trains from the beginning, or from a checkpoint.
   *
   * @param store where it is kept
   * @param before what was told up to the checkpoint
   */
  async #run(
    run: PageRun,
    watcher: Watcher,
    store?: RunStore,
    before: readonly TrainEvent[] = [],
    checkpoint?: Blob,
  ): Promise<Outcome> {
    await this.#forget();
    const { config, files, ...told } = run;
    this.#device = config.device === 'webgpu' ? 'webgpu' : 'wasm';
    watcher.begun({ ...told, facts: runFacts(parsePageConfig(config))!, isKept: store !== undefined });
    const events: TrainEvent[] = [];
    const tell = (event: TrainEvent) => {
      if (event.type === 'start')
        for (const old of before.filter(({ step }) => step <= event.step)) tell(old);
      if (event.type !== 'progress') events.push(event);
      watcher.event(event);
    };
    this.#trained = await train(config, {
      ...{ ...this.#site, files, checkpoint, onEvent: tell, signal: this.#stop.signal },
      // Where the disk is full the run goes on, and its last checkpoint stays.
      ...(store && { onCheckpoint: (state) => store.save(state, events).catch(() => {}) }),
    });
    const { reason, step, metrics, train_runtime } = this.#trained;
    return { reason, step, metrics, train_runtime };
  }

  async #forget(): Promise<void> {
    const model = await this.#model?.catch(() => undefined);
    this.#model = undefined;
    this.#trained = undefined;
    await model?.close();
  }
}
