import { printGraph } from '../../engine/graph/print.ts';
import { NotMixed } from '../../methods/tuners/bank/bank-form.ts';
import { FROZEN } from '../../methods/tuners/tuner.ts';
import type { Served } from '../../models/heads/head-definition.ts';
import { headNamed } from '../../models/heads/registry.ts';
import { causalGraph } from '../../program/generation/cached-session.ts';
import { openLanguageModel } from '../../program/generation/causal-language-model.ts';
import type { LanguageModel, TunedLanguageModel } from '../../program/generation/language-model.ts';
import type {
  Generated,
  GenerateTextOptions,
  GenerationInput,
  Prompt,
} from '../../program/generation/prompt.ts';
import { TextGenerator } from '../../program/generation/text-generator.ts';
import { Contents, writtenTexts } from '../../program/modalities/contents.ts';
import { plainModel } from '../../program/objectives/plain-model.ts';
import type { TaskModel } from '../../program/objectives/task-model.ts';
import { ALONE } from '../../program/parallel/communicator.ts';
import { type Predictor, Program } from '../../program/program.ts';
import { evaluationGraph } from '../../program/training-graph.ts';
import { untilAborted } from '../../program/until-aborted.ts';
import { releaseAll } from '../../support/opened.ts';
import { UserError } from '../../support/user-error.ts';
import type { Answer } from '../../tasks/prediction.ts';
import { type BankSession, type GrowingBank, headBank } from './bank/growing-bank.ts';
import { DecodingLoop, type DecodingOptions } from './decoding/decoding-loop.ts';
import { OwnSessions } from './own-sessions.ts';
import { type MixedOptions, MixedRows, rowsGraph } from './rows/mixed-rows.ts';
import type { ServedModel } from './served-adapter.ts';
import { closing, type ServedBase } from './served-base.ts';

interface ServingOptions {
  rows: MixedOptions;
  decoding: DecodingOptions;
}

/** Maximum number of open sessions of each use for models that cannot share a batch. */
const MAX_OWN = 4;

/** A request gets one text, whatever the model's own files say. */
const ONE_TEXT: GenerationInput = { num_return_sequences: 1 };
/** A sequence in the shared loop has one row, so it cannot use beams. */
const ONE_ROW: GenerationInput = { ...ONE_TEXT, num_beams: 1 };

/** The values of an adapter are in its slot. */
const NO_VALUES = new Float32Array(0);
/** A model that writes its answers computes no rows. */
const NO_PROGRAM: Predictor = {
  communicator: ALONE,
  maxTokens: Number.POSITIVE_INFINITY,
  predict: () => Promise.reject(new Error('answers are written')),
};
/** Maximum number of rows per request: in effect, no limit. */
const ALL = 2 ** 20;

/** A program for rows of one adapter, with the adapter's values. */
interface OwnProgram {
  program: Program;
  values: Float32Array;
  release(): Promise<void>;
}

/**
 * Serves many adapters of one base model. Every request names its adapter. Requests for models with the same head and
 * config share batches.
 */
export class Serving {
  readonly #base: ServedBase;
  readonly #models = new Map<string, ServedModel>();
  /** Banks for shared batches, by what is computed for a row besides its adapter. */
  readonly #rows: Banks<MixedRows>;
  readonly #decoding: Banks<DecodingLoop>;
  /** Models of shared heads that share no batch. */
  readonly #unmixed = new WeakSet<ServedModel>();
  readonly #ownRows: OwnSessions<OwnProgram>;
  readonly #ownTexts: OwnSessions<LanguageModel & { release(): Promise<void> }>;

  constructor(base: ServedBase, { rows, decoding }: ServingOptions) {
    this.#base = base;
    this.#rows = new Banks('rows', (like) =>
      headBank(base, like, (...parts) => MixedRows.open(...parts, rows), rowsGraph),
    );
    this.#decoding = new Banks('decoding', (like) =>
      headBank(base, like, (...parts) => DecodingLoop.open(...parts, decoding), causalGraph),
    );
    this.#ownRows = new OwnSessions(MAX_OWN, rows.maxQueued);
    this.#ownTexts = new OwnSessions(MAX_OWN, decoding.maxQueued);
  }

  /** Served models, by name. */
  get models(): ReadonlyMap<string, ServedModel> {
    return this.#models;
  }

  /**
   * Serves a model under its name, and replaces a model with the same name. Pending requests finish with the old model.
   *
   * @returns why it cannot share batches with others; undefined if it can, or if no model with its head can
   * @throws UserError for a model that cannot be served; then nothing changes
   */
  async add(model: ServedModel): Promise<string | undefined> {
    const bank = this.#bankOf(model);
    let reason: string | undefined;
    // A model with its own session is loaded too, to check its files.
    if (!bank) await model.tuned();
    else {
      try {
        await bank.makeRoom(model, await model.load(), model.outputs);
      } catch (error) {
        if (!(error instanceof NotMixed)) throw error;
        reason = error.message;
        this.#unmixed.add(model);
      }
    }
    this.remove(model.name);
    this.#models.set(model.name, model);
    return reason;
  }

  /** Stops serving a model. Pending requests finish. Returns whether it was served. */
  remove(name: string): boolean {
    const model = this.#models.get(name);
    if (model) void this.#bankOf(model)?.leave(model);
    return this.#models.delete(name);
  }

  /** Opens the sessions now, so that no request waits for them. */
  async open(): Promise<void> {
    const banks = new Set([...this.#models.values()].map((model) => this.#bankOf(model)));
    for (const bank of banks) await bank?.open();
  }

  /**
   * Predicts for inputs of the model's task, in their order.
   *
   * @param reading keys of the `data` section that differ from the run's
   * @throws UserError for a model that continues texts; Overloaded; the signal's reason
   */
  async predict(
    model: ServedModel,
    inputs: readonly unknown[],
    signal?: AbortSignal,
    reading?: object,
  ): Promise<Answer[]> {
    const { trained } = model;
    const { prediction } = trained.definition();
    const rows = this.#rows.of(model);
    if (!prediction || (!rows && !transcribes(model))) throw trained.cannotPredict();
    if (!rows) {
      const open = () => this.#opened(model, (parts) => openLanguageModel(parts));
      return this.#ownTexts.use(model, open, (language) => {
        const heard = hearUntilAborted(language, signal);
        const tuned = { program: NO_PROGRAM, values: NO_VALUES, generator: async () => writer(model, heard) };
        return prediction.answer(inputs, tuned, trained.context(reading), trained.batchSize);
      });
    }
    const generator = () => Promise.reject(new Error('rows are answered without writing'));
    const answer = (program: Predictor, values: Float32Array, batchSize: number) =>
      prediction.answer(inputs, { program, values, generator }, trained.context(), batchSize);
    if (this.#unmixed.has(model)) {
      return this.#ownRows.use(
        model,
        () => this.#opened(model, openProgram),
        ({ program, values }) => answer(untilAborted(program, signal), values, trained.batchSize),
      );
    }
    const packed = await model.load();
    return rows.use(packed, model.outputs, (mixed) =>
      answer(mixed.predictor(model, packed, signal), NO_VALUES, ALL),
    );
  }

  /**
   * Generates the text after a prompt.
   *
   * @throws UserError for a model that does not generate, or for a prompt or settings that it does not support;
   * Overloaded; the signal's reason
   */
  async generate(
    model: ServedModel,
    prompt: Prompt,
    input: GenerationInput,
    options: GenerateTextOptions = {},
  ): Promise<Generated> {
    const decoding = this.#decoding.of(model);
    if (transcribes(model) || (!decoding && servedAs(model) !== 'own')) throw notWriting(model);
    if (!decoding || this.#unmixed.has(model)) {
      const writing = chooseWriting(model, prompt, { ...input, ...ONE_TEXT });
      const open = () => this.#opened(model, (parts) => openLanguageModel(parts));
      return this.#ownTexts.use(model, open, (language) =>
        writer(model, language).generate(writing.prompt, writing.input, options),
      );
    }
    const packed = await model.load();
    return decoding.use(packed, model.outputs, async (loop) => {
      const sequence = loop.sequence(model, packed);
      try {
        return await writer(model, sequence).generate(prompt, { ...ONE_ROW, ...input }, options);
      } finally {
        await sequence.release();
      }
    });
  }

  async close(): Promise<void> {
    const all = [...this.#rows.all, ...this.#decoding.all, this.#ownRows, this.#ownTexts];
    await releaseAll(all.map((one) => ({ release: () => one.close() })));
  }

  /** Opens a session for a model alone. */
  async #opened<Made extends { release(): Promise<void> }>(
    { trained, outputs, tuned }: ServedModel,
    open: (tuned: TunedLanguageModel) => Promise<Made>,
  ): Promise<Made> {
    const model = await this.#base.open(trained.parts.model, outputs);
    return closing(model, async () => open({ engine: this.#base.engine(model), model, ...(await tuned()) }));
  }

  /** Returns undefined for a model with its own session. */
  #bankOf(model: ServedModel): GrowingBank<MixedRows> | GrowingBank<DecodingLoop> | undefined {
    if (servedAs(model) === 'own' || this.#unmixed.has(model)) return undefined;
    return this.#rows.of(model) ?? this.#decoding.of(model);
  }
}

/** The banks of all models that are served in one way. Models share a bank if the same graph computes their answers. */
class Banks<Made extends BankSession> {
  readonly #way: Served;
  readonly #open: (like: TaskModel) => GrowingBank<Made>;
  readonly #byGraph = new Map<string, GrowingBank<Made>>();
  readonly #graphs = new WeakMap<TaskModel, string>();

  /** @param open makes the bank for models with this head and config */
  constructor(way: Served, open: (like: TaskModel) => GrowingBank<Made>) {
    this.#way = way;
    this.#open = open;
  }

  get all(): Iterable<GrowingBank<Made>> {
    return this.#byGraph.values();
  }

  /** The bank of a model. Undefined if its head is served in another way. */
  of({ trained }: ServedModel): GrowingBank<Made> | undefined {
    const { model } = trained.parts;
    if (headNamed(model.headKind).served !== this.#way) return undefined;
    const graph = this.#graphs.get(model) ?? answerGraph(model);
    this.#graphs.set(model, graph);
    const bank = this.#byGraph.get(graph) ?? this.#open(model);
    this.#byGraph.set(graph, bank);
    return bank;
  }
}

/** The text of the graph that computes a row's outputs. The number of outputs may differ between rows of a batch. */
function answerGraph({ headKind, definition, config }: TaskModel): string {
  const model = plainModel(headKind, 1)(definition, config);
  return printGraph(Object.values(evaluationGraph(model, FROZEN.tuner, 'logits')));
}

async function openProgram({ engine, model, tuner, values }: TunedLanguageModel): Promise<OwnProgram> {
  const program = new Program(engine, model, tuner);
  return { program, values, release: () => program.release() };
}

/** The prompt and the settings of a text: those of the model's task, if it generates its answers. */
function chooseWriting({ trained }: ServedModel, prompt: Prompt, input: GenerationInput) {
  const { writes } = trained.task === undefined ? {} : (trained.definition().prediction ?? {});
  return typeof prompt === 'string' && writes ? writes(prompt, trained.context(), input) : { prompt, input };
}

function notWriting({ name, trained }: ServedModel): UserError {
  return new UserError({
    where: name,
    fault: `is a model for ${trained.task}, which does not generate text`,
    hint: 'Use /predict.',
  });
}

/**
 * Returns how a model is served.
 *
 * @throws UserError for a head that no server supports
 */
function servedAs({ trained, name }: ServedModel): Served {
  const { headKind } = trained.parts.model;
  const { served } = headNamed(headKind);
  if (served) return served;
  throw new UserError({
    where: name,
    fault: `is a model for ${headKind}; only models that classify, embed or generate are served`,
    hint: 'Use adalora predict.',
  });
}

/** The text generator of a served model. It does not close the language model. */
function writer({ trained }: ServedModel, model: LanguageModel): TextGenerator {
  const { modality, notes, generationFiles } = trained.parts;
  return new TextGenerator({
    model,
    texts: writtenTexts(modality),
    files: generationFiles(),
    isChat: notes?.data.messages !== undefined,
    close: async () => {},
  });
}

/** Whether a model writes texts about files of a medium. */
export function transcribes({ trained: { parts } }: ServedModel): boolean {
  return headNamed(parts.model.headKind).served === 'own' && parts.modality instanceof Contents;
}

/** A model that writes about files, until a signal aborts it. */
function hearUntilAborted(language: LanguageModel, signal: AbortSignal | undefined): LanguageModel {
  const { vocabSize, maxPositions, hear } = language;
  return {
    vocabSize,
    maxPositions,
    ...(hear && { hear: hear.bind(language) }),
    read(...asked) {
      signal?.throwIfAborted();
      return language.read(...asked);
    },
  };
}
