import {
  type ClassAnswer,
  open,
  type PageConfig,
  type PageFile,
  type TextInput,
  type TrainEvent,
  type TrainResult,
  train,
} from 'adalora/web';

/** Text, or bytes: a list of numbers would take seconds for each megabyte. */
export type SentContent = string | { base64: string };
/** Files on their way into and out of a page. */
export type SentFiles = [name: string, content: SentContent][];

/** A page's report of a run. */
export interface PageRun {
  events: TrainEvent[];
  result?: Omit<TrainResult, 'values' | 'adapter' | 'model'>;
  adapter?: SentFiles;
  model?: SentFiles;
  /** The last checkpoint, if the page keeps them. */
  checkpoint?: SentFiles[number];
  error?: { name: string; message: string };
}

export interface PageRunOptions {
  /** Further files that `data` may name. */
  texts?: Record<string, string>;
  /** The base model, if it is not the embedded one. */
  model?: SentFiles;
  /** The continued adapter. */
  adapter?: SentFiles;
  /** The URL of the engine's files, if they are not beside the script. */
  engineUrl?: string;
  /** Whether the page keeps checkpoints. */
  keeps?: boolean;
  /** A checkpoint to continue from. */
  checkpoint?: { base64: string };
  /** A step after which the run is stopped, as by a click. */
  stopAt?: number;
}

/** A site that serves everything beside its script need not state any URL. */
const SITE = { threads: 1 };
let last: TrainResult | undefined;

const received = (files: SentFiles) =>
  new Map(files.map(([name, content]): [string, PageFile] => [name, asFile(content)]));
const asFile = (content: SentContent) =>
  typeof content === 'string' ? content : new Blob([decoded(content)]);
const decoded = ({ base64 }: { base64: string }) =>
  Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
const sent = (files: ReadonlyMap<string, Uint8Array | string> | undefined) =>
  files && [...files].map(([name, content]): SentFiles[number] => [name, encoded(content)]);

function encoded(content: Uint8Array | string): SentContent {
  if (typeof content === 'string') return content;
  let text = '';
  for (const byte of content) text += String.fromCharCode(byte);
  return { base64: btoa(text) };
}

const base = (model: SentFiles | undefined) => (model ? { ...SITE, model: received(model) } : SITE);

/** Trains on the file in the page's input, under its own name. */
async function run(config: PageConfig, options: PageRunOptions = {}): Promise<PageRun> {
  const { texts, model, adapter, engineUrl, stopAt, keeps, checkpoint } = options;
  const [file] = document.querySelector('input')?.files ?? [];
  const events: TrainEvent[] = [];
  const controller = new AbortController();
  let kept: File | undefined;
  try {
    last = await train(config, {
      ...base(model),
      ...(adapter && { adapter: received(adapter) }),
      ...(engineUrl && { engineUrl }),
      ...(checkpoint && { resume: decoded(checkpoint) }),
      ...(keeps && {
        onCheckpoint(file) {
          kept = file;
        },
      }),
      files: { ...texts, [file!.name]: file! },
      signal: controller.signal,
      onEvent(event) {
        events.push(event);
        if (event.step === stopAt) setTimeout(() => controller.abort());
      },
    });
    const { values: _, adapter: made, model: trained, ...result } = last;
    const stored = kept && sent(new Map([[kept.name, new Uint8Array(await kept.arrayBuffer())]]))?.[0];
    return { events, result, adapter: sent(made), model: sent(trained), checkpoint: stored };
  } catch (error) {
    const { name, message } = error as Error;
    return { events, error: { name, message } };
  }
}

/** Logits of texts with the adapter of the last run, or of the given files. */
async function predict(texts: readonly string[], adapter?: SentFiles): Promise<(readonly number[])[]> {
  const model = await open(adapter ? received(adapter) : last!, base(undefined));
  const answers: (readonly number[])[] = [];
  const inputs = texts.map((text) => ({ text }));
  for await (const { logits } of model.predict<TextInput, ClassAnswer>(inputs)) answers.push([...logits]);
  await model.close();
  return answers;
}

export const inPage = { run, predict };
Object.assign(window, { inPage });
