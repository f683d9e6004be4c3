import { writesText } from '../../../models/heads/registry.ts';
import { Contents } from '../../../program/modalities/contents.ts';
import { largest, smallest } from '../../../support/numbers.ts';
import { UserError } from '../../../support/user-error.ts';
import type { ServedAnswer } from '../../../tasks/prediction.ts';
import type { ServedModel } from '../served-adapter.ts';
import { type Serving, transcribes } from '../serving.ts';
import { SentFiles } from './sent-files.ts';
import type {
  Embedded,
  EmbedRequest,
  PredictRequest,
  ServedCard,
  ServedText,
  Service,
  WriteRequest,
  Written,
} from './service.ts';
import { UnknownModel } from './service-errors.ts';

/** Loads and unloads adapters by name. */
interface Loader {
  load(name: string, path: string): Promise<void>;
  unload(name: string): Promise<void>;
  close(): void;
}

/** Maximum number of a request's texts that are queued together. */
const MAX_TOGETHER = 32;

/** The reason of the abort when a text has reached a stop text. */
const STOPPED = Symbol('stopped');

/** A service in this thread. */
export class LocalService implements Service {
  readonly #serving: Serving;
  readonly #loader: Loader;
  readonly #sentFiles = new SentFiles();

  constructor(serving: Serving, loader: Loader) {
    this.#serving = serving;
    this.#loader = loader;
  }

  async models(): Promise<ServedCard[]> {
    return Array.from(this.#serving.models.values(), (model) => {
      const { name, folder, created, parent, trained } = model;
      return {
        name,
        folder,
        created,
        parent,
        task: trained.task,
        labels: trained.labels,
        input: trained.parts.modality.reads,
        writes: continues(model),
        embeds: trained.task !== undefined && trained.definition().prediction?.vectors !== undefined,
      };
    });
  }

  async predict(request: PredictRequest, signal?: AbortSignal): Promise<ServedAnswer[]> {
    const model = this.#model(request.model);
    if (continues(model)) throw onlyWriting(model);
    const { prediction } = model.trained.definition();
    const served = prediction?.served;
    if (!served) throw model.trained.cannotPredict();
    const { reading } = model.trained.context();
    const files = await this.#files(model, request.inputs, signal);
    if (!request.truncate) model.trained.parts.modality.checkLengths(request.inputs);
    const inputs = files ?? request.inputs.map(({ text, pair }) => served.input(text, pair, reading));
    const answers = await this.#serving.predict(model, inputs, signal, request.reading);
    return answers.map((answer, i) =>
      served.answer(answer, request.inputs[i]!.text, model.trained.labels, request.raw),
    );
  }

  async embed(
    { model: name, inputs: given, truncate, ...options }: EmbedRequest,
    signal?: AbortSignal,
  ): Promise<Embedded> {
    const model = this.#model(name);
    const { vectors } = model.trained.task === undefined ? {} : (model.trained.definition().prediction ?? {});
    if (!vectors) throw notEmbedding(model);
    const sent = given.map((input) => (typeof input === 'string' ? { text: input } : input));
    const files = await this.#files(model, sent, signal);
    if (!truncate) model.trained.parts.modality.checkLengths(sent);
    const asked = model.trained.vectorInputs(
      sent.map(({ text }) => text),
      options,
    );
    const inputs = asked.map((input, i) => ({ ...(input as object), ...(files?.[i] as object) }));
    const embedded: Embedded = { vectors: [], tokens: 0 };
    // Long lists are queued in parts, so that other requests get a turn.
    for (let start = 0; start < inputs.length; start += MAX_TOGETHER) {
      const part = inputs.slice(start, start + MAX_TOGETHER);
      for (const answer of await this.#serving.predict(model, part, signal)) {
        const { embedding, tokens } = vectors.of(answer);
        embedded.vectors.push(embedding);
        embedded.tokens += tokens;
      }
    }
    return embedded;
  }

  async write(
    { model: name, prompt, generation, seed, stop }: WriteRequest,
    signal?: AbortSignal,
    onText: (text: string) => void = () => {},
  ): Promise<Written> {
    const model = this.#model(name);
    const stops = new StopText(stop);
    const ending = new AbortController();
    const ends = signal ? AbortSignal.any([signal, ending.signal]) : ending.signal;
    let [text, promptTokens, read] = ['', 0, 0];
    const say = (piece: string) => {
      text += piece;
      if (piece !== '') onText(piece);
    };
    try {
      const written = await this.#serving.generate(model, prompt, generation, {
        seed,
        signal: ends,
        onRead: (tokens, isPrompt) => {
          if (isPrompt) promptTokens = tokens;
          else read += tokens;
        },
        onText: (piece) => {
          say(stops.add(piece));
          if (stops.isEnded) ending.abort(STOPPED);
        },
      });
      say(stops.end());
      const finish = stops.isEnded ? 'stop' : written.finish;
      return { text, finish, promptTokens, newTokens: written.ids.length };
    } catch (error) {
      if (error !== STOPPED) throw error;
      return { text, finish: 'stop', promptTokens, newTokens: read + 1 };
    }
  }

  load(name: string, path: string): Promise<void> {
    return this.#loader.load(name, path);
  }

  unload(name: string): Promise<void> {
    return this.#loader.unload(name);
  }

  close(): Promise<void> {
    this.#loader.close();
    return this.#serving.close();
  }

  /** The files of a request. Undefined for a model of texts. */
  async #files({ trained }: ServedModel, inputs: readonly ServedText[], signal: AbortSignal | undefined) {
    const { modality } = trained.parts;
    if (modality instanceof Contents) return this.#sentFiles.read(inputs, modality, signal);
    if (!inputs.some(({ file }) => file)) return undefined;
    throw new UserError({ where: 'inputs', fault: 'has files, but the model reads texts' });
  }

  #model(name: string): ServedModel {
    const model = this.#serving.models.get(name);
    if (!model) throw new UnknownModel(name, this.#serving.models.keys());
    return model;
  }
}

/** Whether a model continues texts. One that reads files answers with a text. */
function continues(model: ServedModel): boolean {
  return writesText(model.trained.parts.model.headKind) && !transcribes(model);
}

function notEmbedding({ name, trained }: ServedModel): UserError {
  return new UserError({
    where: name,
    fault: `is a model for ${trained.task ?? 'text generation'}, not an embedding model`,
    hint: 'See /v1/models for the task of each model.',
  });
}

function onlyWriting({ name }: ServedModel): UserError {
  return new UserError({
    where: name,
    fault: 'generates text and does not predict',
    hint: 'Use /v1/completions.',
  });
}

/** Ends a streamed text before the first stop text. It holds back text that may be the start of a stop text. */
export class StopText {
  readonly #stops: readonly string[];
  #held = '';
  #isEnded = false;

  constructor(stops: readonly string[]) {
    this.#stops = stops.filter((stop) => stop !== '');
  }

  /** Whether a stop text has occurred. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Adds a piece. Returns the text that certainly belongs to the output. */
  add(piece: string): string {
    if (this.#isEnded) return '';
    this.#held += piece;
    const places = this.#stops.map((stop) => this.#held.indexOf(stop)).filter((at) => at >= 0);
    if (places.length > 0) {
      this.#isEnded = true;
      return this.#give(smallest(places));
    }
    return this.#give(this.#held.length - this.#beginning());
  }

  /** Returns the text that is still held back, if the output ends without a stop text. */
  end(): string {
    return this.#isEnded ? '' : this.#give(this.#held.length);
  }

  /** The length of the longest suffix that is the start of a stop text. */
  #beginning(): number {
    const lengths = this.#stops.map((stop) => {
      for (let length = Math.min(stop.length - 1, this.#held.length); length > 0; length--)
        if (this.#held.endsWith(stop.slice(0, length))) return length;
      return 0;
    });
    return Math.max(0, largest(lengths));
  }

  #give(length: number): string {
    const released = this.#held.slice(0, length);
    this.#held = this.#held.slice(length);
    return released;
  }
}
