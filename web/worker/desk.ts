import { DECODERS, decodeImage } from '../../src/faces/web/decoders.ts';
import { open, type PageOptions, train } from '../../src/faces/web/index.ts';
import { findPageMedium, inPage } from '../../src/faces/web/page-options.ts';
import type { Table } from '../../src/input/data/table/read-table.ts';
import { asFiles, type Folder } from '../../src/input/formats/files.ts';
import { EMBEDDED_FILES } from '../../src/input/hub/embedded-files.ts';
import { thumbnail } from '../../src/input/media/images/thumbnail.ts';
import { SOUNDS } from '../../src/input/media/sounds/medium.ts';
import { SoundReader } from '../../src/input/media/sounds/sound-reader.ts';
import { type LabelAction, type LabelState, offerRows } from '../../src/studies/jobs/label-session.ts';
import { summarizeRun } from '../../src/studies/report/run/run-record.ts';
import { UserError } from '../../src/support/user-error.ts';
import { describeColumns } from '../../src/tasks/guess/columns.ts';
import { parseRunConfig } from '../../src/training/run/config/parse-run-config.ts';
import type { TrainEvent } from '../../src/training/run/events.ts';
import { guessWish } from '../data/guess-wish.ts';
import { type ChosenFile, readChosen } from '../data/read-chosen.ts';
import type { PageTable } from '../data/read-table.ts';
import { MEDIUM_NOUNS, type Medium, type ToWav } from '../data/row-files.ts';
import { bestDevice } from './best-device.ts';
import { chooseGoal, splitFor, type Wish } from './goal.ts';
import { keptModels, openKept } from './kept-models.ts';
import { type FileRows, LabelDesk } from './label-desk.ts';
import { embedRows, LearntModel } from './learnt-model.ts';
import type {
  BegunLabels,
  Choice,
  ChosenSettings,
  Found,
  LabelWish,
  OfferedModel,
  OpenedFile,
  Outcome,
  Prediction,
  Watcher,
} from './messages.ts';
import { pickModelFiles } from './model-files.ts';
import { type PageRun, pageRun, type Settings } from './page-run.ts';
import { type KeptRun, RunStore } from './run-store.ts';

const PREVIEWED = 5;
/** Maximum number of characters of a field in the preview. */
const MAX_CHARACTERS = 200;
/** Addresses in the page's folder: the model that the page is served with, and the file with its name. */
const [SERVED, SERVED_NAME] = ['models/served/', 'models.json'];
/** Maximum number of classes of files, and of files of each, in the preview. */
const [MAX_CLASSES, MAX_EXAMPLES] = [12, 6];

/** Makes spectrograms of at most half a minute. */
const SPECTROGRAMS = new SoundReader([80, 3000], {}, 'spectrogram', DECODERS.audio);

/** Everything that takes long, in a worker: one file, one run and one trained model at a time. */
export class Desk {
  readonly #address: URL;
  readonly #site: PageOptions;
  readonly #store = RunStore.open();
  #table: PageTable | undefined;
  #opened = 0;
  #stop = new AbortController();
  #learnt: LearntModel | undefined;
  readonly #labels = new LabelDesk();
  #served: Promise<(OfferedModel & { medium: string }) | undefined> | undefined;
  #isTraining = false;

  /** @param site the URL of the folder with the engine's and the model's files */
  constructor(site: URL) {
    this.#address = site;
    this.#site = {
      engineUrl: new URL('engine/', site),
      modelUrl: new URL('models/mini/', site),
      // Without isolation, the engine has no shared memory for threads.
      threads: crossOriginIsolated ? Math.min(8, navigator.hardwareConcurrency) : 1,
    };
  }

  /**
   * Reads a file, with or without a header line, or pictures or sounds.
   *
   * @throws UserError if they are neither a table nor of a medium
   */
  async open(chosen: readonly ChosenFile[], toWav: ToWav, header?: boolean): Promise<OpenedFile> {
    this.#table = undefined;
    const turn = ++this.#opened;
    const table = await readChosen(chosen, toWav, header);
    const { rows, contents, ...facts } = table;
    const columns = describeColumns(table);
    const { wish, notice } = guessWish(table, columns);
    const notices = [table.notice, notice].filter((line) => line !== undefined);
    const medium = contents?.medium ?? 'text';
    const models = await this.models(medium);
    // Another file may have been opened and read meanwhile.
    if (turn === this.#opened) this.#table = table;
    return {
      ...facts,
      ...(notices.length > 0 && { notice: notices.join(' ') }),
      rows: rows.length,
      columns,
      medium,
      models,
      guess: wish,
      preview: rows.slice(0, PREVIEWED).map((row) => row.map((field) => field.slice(0, MAX_CHARACTERS))),
      ...(contents && {
        contents: {
          medium: contents.medium,
          examples: pickExamples(rows, wish),
        },
      }),
    };
  }

  /** The models that the page has and that read a medium. */
  async models(medium: Medium): Promise<OfferedModel[]> {
    this.#served ??= this.#findServed();
    const served = await this.#served;
    const kept = (await keptModels()).map((model) => ({ ...model, isKept: true }));
    const all = served ? [served, ...kept.filter(({ name }) => name !== served.name)] : kept;
    return all.filter((model) => model.medium === medium);
  }

  /** The model that the page is served with. */
  async #findServed() {
    const response = await fetch(new URL(SERVED_NAME, this.#address)).catch(() => undefined);
    const { served: name, bytes } = response?.ok ? await response.json() : {};
    if (name === undefined) return undefined;
    return {
      name,
      bytes,
      isKept: false,
      medium: await findPageMedium(asFiles(new URL(SERVED, this.#address), name)),
    };
  }

  /**
   * Checks the files of a model that the user chose. They may be in a zip archive.
   *
   * @returns the files that a run needs, by their paths in the model's folder
   * @throws UserError for files that the page cannot train on the medium
   */
  async checkModel(chosen: readonly ChosenFile[], medium: Medium): Promise<Record<string, Blob>> {
    const { name, files } = await pickModelFiles(chosen);
    const found = await findPageMedium(asFiles(new Map(Object.entries(files)), name));
    if (found === medium) return files;
    const fault = `is a model that reads ${MEDIUM_NOUNS[found] ?? found}, but the rows are ${MEDIUM_NOUNS[medium]}`;
    throw new UserError({ where: name, fault, hint: `Choose a model that reads ${MEDIUM_NOUNS[medium]}.` });
  }

  /**
   * A small version of a picture, or the spectrogram of a sound, as a data URL.
   *
   * @param file a file, or the path of one among the rows
   * @throws UserError for a file that cannot be decoded
   */
  async thumbnail(file: File | string): Promise<string> {
    const [name, content] =
      typeof file === 'string'
        ? [file, this.#table?.contents?.files.get(file) ?? this.#labels.picture(file)]
        : [file.name, file];
    if (!content) throw new UserError({ where: name, fault: 'is not among the files' });
    const bytes = new Uint8Array(await content.arrayBuffer());
    if (!SOUNDS.files.test(name)) return thumbnail(await decodeImage(bytes, name));
    return (await SPECTROGRAMS.read(bytes, name)).preview();
  }

  /** A picture among the rows to label. */
  labelPicture(name: string): Blob {
    return this.#labels.picture(name)!;
  }

  /**
   * Describes the training data for a wish.
   *
   * @throws UserError if nothing can be learned from its columns
   */
  choose(wish: Wish): Choice {
    const { train, heldOut, ...told } = splitFor(wish, this.#table!);
    return { ...told, trainRows: train.length, heldOutRows: heldOut.length };
  }

  /**
   * Trains on the file.
   *
   * @throws UserError for errors in the file
   */
  train(wish: Wish, chosen: ChosenSettings, watcher: Watcher): Promise<Outcome> {
    return this.#alone(() => this.#train(wish, chosen, watcher));
  }

  async #train(wish: Wish, chosen: ChosenSettings, watcher: Watcher): Promise<Outcome> {
    this.#stop = new AbortController();
    const { fileName, columns, contents } = this.#table!;
    const names = [columns[wish.at[0]]!, columns[wish.at[1]]!] as const;
    // Before the first await, because another file may be opened during it.
    const split = splitFor(wish, this.#table!);
    const device = chosen.device ?? (await bestDevice());
    const run = pageRun(fileName, { goal: wish.goal, names }, split, { ...chosen, device }, contents);
    const store = await this.#store;
    const isKept = await store?.begin(run).then(
      () => true,
      () => false,
    );
    return this.#run(run, watcher, isKept ? store : undefined);
  }

  /** The stored run of an earlier tab. */
  async kept(): Promise<{ fileName: string; model: string | undefined; step: number } | undefined> {
    const kept = await (await this.#store)?.read().catch(() => undefined);
    if (!kept) return undefined;
    const { fileName, config } = kept.run;
    return { fileName, model: config.model, step: kept.events.at(-1)?.step ?? 0 };
  }

  /** Resumes the stored run, or returns its result again if it has ended. */
  resume(watcher: Watcher): Promise<Outcome> {
    return this.#alone(async () => {
      this.#stop = new AbortController();
      const store = (await this.#store)!;
      const { run, ...kept } = (await store.read())!;
      return this.#run(run, watcher, store, kept);
    });
  }

  async discard(): Promise<void> {
    await (await this.#store)?.discard();
  }

  /** Ends the run after the current step. */
  stop(): void {
    this.#stop.abort();
  }

  /** The trained model's prediction for a text or a file. */
  predict(input: string | File): Promise<Prediction> {
    return this.#learnt!.predict(input);
  }

  /**
   * The answers of the file that are closest to a question, the closest first. The first call reads all answers.
   *
   * @param onRead called from time to time with the share that is read
   */
  search(question: string, onRead: (share: number) => void): Promise<Found[]> {
    return this.#learnt!.search(question, onRead);
  }

  /** An archive with the adapter's files, in PEFT's format. */
  adapter(): Promise<Blob> {
    return this.#learnt!.adapter();
  }

  /** An archive with the whole model as ONNX, as transformers.js loads it. */
  onnx(): Promise<Blob> {
    return this.#learnt!.onnx();
  }

  /** The file that was labeled last, and its number of answers. */
  async keptLabels(): Promise<{ fileName: string; answers: number } | undefined> {
    const kept = await this.#labels.kept();
    return kept && { fileName: kept.fileName, answers: kept.answers };
  }

  /**
   * Begins to label the rows of a file, or continues with the file that was labeled last.
   *
   * @param onRead called from time to time with the share that is read
   */
  async beginLabels(wish: LabelWish | undefined, onRead: (share: number) => void): Promise<BegunLabels> {
    const given = { labels: [...(wish?.labels ?? [])], several: wish?.several ?? false };
    const file = wish ? this.#rowsToLabel(wish) : (await this.#labels.kept())!;
    return this.#labels.begin(file, given, async () => {
      const model = await open(await this.#encoder(wish?.model), { ...this.#site, embeds: true });
      try {
        return await embedRows(model, file, onRead);
      } finally {
        await model.close();
      }
    });
  }

  #rowsToLabel({ input, second }: LabelWish): FileRows {
    const { fileName, rows, contents } = this.#table!;
    const pictures = contents?.files;
    const texts = rows.map((row) => ({
      text: row[input]!.trim(),
      ...(second !== undefined && { text_pair: row[second]!.trim() }),
    }));
    const filled = texts.filter(({ text }) => text !== '' && (!pictures || pictures.has(text)));
    return { fileName, rows: offerRows(filled).rows, ...(pictures && { pictures }) };
  }

  /** The files of the model that reads rows to label. */
  async #encoder(chosen: Settings['model']): Promise<Folder> {
    const mini = new URL('models/mini/', this.#address);
    return (
      (chosen && (await this.#findModel(chosen))) ??
      new Map([...EMBEDDED_FILES.keys()].map((name) => [name, new URL(name, mini)]))
    );
  }

  /**
   * The files of a model other than the built-in encoder.
   *
   * @throws UserError if the page does not have it
   */
  async #findModel({ name, files }: NonNullable<Settings['model']>): Promise<Folder> {
    if (files) return new Map(Object.entries(files));
    this.#served ??= this.#findServed();
    if ((await this.#served)?.name === name) return new URL(SERVED, this.#address);
    if ((await keptModels()).some((kept) => kept.name === name)) return openKept(name);
    const hint = `Download it again, or start the page with it: npx adalora web --model ${name}`;
    throw new UserError({
      where: name,
      fault: 'is the model of this training, but the page does not have it',
      hint,
    });
  }

  /** Acts on the asked row, and asks for the next one. */
  label(action: LabelAction): Promise<LabelState> {
    return this.#labels.act(action);
  }

  /** The labeled rows as a file. */
  labeled(form: 'csv' | 'jsonl'): File {
    return this.#labels.table(form);
  }

  /** The labeled rows as files to train on. */
  labeledFiles(): ChosenFile[] {
    return this.#labels.chosen();
  }

  async discardLabels(): Promise<void> {
    await this.#labels.discard();
  }

  /** Two runs would write to the same store. */
  async #alone(work: () => Promise<Outcome>): Promise<Outcome> {
    if (this.#isTraining) throw new UserError('A training is running. Wait for its end, or stop it.');
    this.#isTraining = true;
    try {
      return await work();
    } finally {
      this.#isTraining = false;
    }
  }

  /**
   * Trains from the start, or from a checkpoint.
   *
   * @param store where the run is stored
   * @param kept the checkpoint, the events up to it, and the files of a cross-validation
   */
  async #run(
    run: PageRun,
    watcher: Watcher,
    store?: RunStore,
    { events: before = [], checkpoint: resume, folds }: Partial<KeptRun> = {},
  ): Promise<Outcome> {
    await this.#forgetModel();
    const { config, files, modelFiles, ...told } = run;
    const facts = summarizeRun(parseRunConfig(inPage(config), 'config'))!;
    watcher.begun({ ...told, goal: chooseGoal(run), facts, isKept: store !== undefined });
    const events: TrainEvent[] = [];
    const tell = (event: TrainEvent) => {
      if (event.type !== 'progress') events.push(event);
      watcher.event(event);
    };
    const onEvent = (event: TrainEvent) => {
      if (event.type === 'start') before.filter(({ step }) => step <= event.step).forEach(tell);
      tell(event);
    };
    const device = config.device === 'webgpu' ? 'webgpu' : 'wasm';
    const { model: name } = config;
    const model =
      name === undefined
        ? undefined
        : await this.#findModel({ name, ...(modelFiles && { files: modelFiles }) });
    const options = { ...this.#site, device, model } as const;
    const trained = await train(config, {
      ...this.#site,
      model,
      files,
      resume,
      folds,
      onEvent,
      signal: this.#stop.signal,
      onProbe: async (probe) => {
        const learnt = new LearntModel(probe, run, options);
        this.#learnt = learnt;
        // If it cannot be opened, the first question reports why.
        await learnt.prepare().catch(() => {});
        watcher.probed();
      },
      ...(store && {
        // If the disk is full, the run continues and keeps its last stored checkpoint.
        onCheckpoint: (state) =>
          store.save(state, events).then(
            () => watcher.checkpoint(),
            (error: Error) => watcher.checkpoint(error.message || error.name),
          ),
        onFolds: (file) => store.saveFolds(file).catch(() => {}),
      }),
    });
    if (trained.adapter) {
      await this.#forgetModel();
      this.#learnt = new LearntModel(trained.adapter, run, options);
    }
    const { reason, step, metrics, train_runtime, verdict } = trained;
    return { reason, step, metrics, train_runtime, verdict };
  }

  async #forgetModel(): Promise<void> {
    const earlier = this.#learnt;
    this.#learnt = undefined;
    // A failure to release an earlier model must not prevent a run.
    await earlier?.close().catch(() => {});
  }
}

/** The first files of each label. */
function pickExamples(
  rows: Table['rows'],
  { at: [input, target] }: Wish,
): [label: string, paths: string[]][] {
  if (target === input) return [['', rows.slice(0, MAX_CLASSES).map((row) => row[input]!)]];
  const examples = new Map<string, string[]>();
  for (const row of rows) {
    const paths = examples.get(row[target]!) ?? [];
    if (paths.length < MAX_EXAMPLES) examples.set(row[target]!, [...paths, row[input]!]);
  }
  return [...examples].slice(0, MAX_CLASSES);
}
