import { causalGraph } from '../generation/cached-graph.ts';
import type { Generated } from '../generation/generated.ts';
import type { LanguageModel } from '../generation/language-model.ts';
import { openLanguageModel } from '../generation/open-language-model.ts';
import type { GenerateTextOptions, GenerationInput, Prompt } from '../generation/prompt.ts';
import { TextGenerator } from '../generation/text-generator.ts';
import type { HeadKind } from '../models/model-definition.ts';
import type { Engine } from '../program/engine.ts';
import type { LoadedModel } from '../program/model-weights.ts';
import { UserError } from '../support/user-error.ts';
import type { Answer } from '../tasks/prediction.ts';
import type { Tuner } from '../tuners/tuner.ts';
import type { BankShape } from './bank/bank-shape.ts';
import { bankedGraph } from './bank/banked-graph.ts';
import { type Banked, GrowingBank } from './bank/growing-bank.ts';
import { DecodingLoop, type DecodingOptions } from './decoding/decoding-loop.ts';
import { OwnModels } from './decoding/own-models.ts';
import { type MixedOptions, MixedRows, rowsGraph } from './rows/mixed-rows.ts';
import type { RowHeadKind } from './rows/row-logits.ts';
import type { ServedModel } from './served-model.ts';

/** The base model that all adapters are for. */
export interface ServedBase {
  /** Opens it with a head of some kind. */
  open(kind: HeadKind, outputs: number): Promise<LoadedModel>;
  engine(model: LoadedModel): Engine;
}

export interface ServingOptions {
  rows: MixedOptions;
  decoding: DecodingOptions;
}

export interface WriteOptions extends GenerateTextOptions {
  /** Told of tokens that are read: those of the prompt at once, then each that was chosen, but for the last. */
  onRead?: (tokens: number, isPrompt: boolean) => void;
}

/** Encoder-decoders that stay open. */
const MOST_OWN = 4;

/** Rows of one request: as many as there are. */
const ALL = 2 ** 20;

/** Many adapters over one base model: every request names its own, and those of one kind of head share their batches. */
export class Serving {
  readonly #base: ServedBase;
  readonly #models = new Map<string, ServedModel>();
  readonly #rows: Readonly<Record<RowHeadKind, GrowingBank<MixedRows>>>;
  readonly #decoding: GrowingBank<DecodingLoop>;
  readonly #own: OwnModels;

  constructor(base: ServedBase, { rows, decoding }: ServingOptions) {
    this.#base = base;
    const rowsOf = (kind: RowHeadKind) =>
      banked(base, kind, (engine, model, shape) => MixedRows.open(engine, model, shape, rows), rowsGraph);
    this.#rows = {
      SEQ_CLS: rowsOf('SEQ_CLS'),
      TOKEN_CLS: rowsOf('TOKEN_CLS'),
      QUESTION_ANS: rowsOf('QUESTION_ANS'),
    };
    this.#decoding = banked(
      base,
      'CAUSAL_LM',
      (engine, model, shape) => DecodingLoop.open(engine, model, shape, decoding),
      causalGraph,
    );
    this.#own = new OwnModels(MOST_OWN, decoding.maxQueued);
  }

  /** What is served, by name. */
  get models(): ReadonlyMap<string, ServedModel> {
    return this.#models;
  }

  /**
   * Serves a model under its name, in place of one that had it before. Requests that are under way end with that.
   *
   * @throws UserError for one that cannot share batches with the others; then everything is as before
   */
  async add(model: ServedModel): Promise<void> {
    const bank = this.#bankOf(model);
    // What shares no batch is read all the same, to see that it can be.
    if (bank) await bank.makeRoom(model.load(), model.outputs);
    else model.tuned();
    this.#models.set(model.name, model);
  }

  /** Serves a model no longer; requests that are under way end with it. Returns whether there was one. */
  remove(name: string): boolean {
    return this.#models.delete(name);
  }

  /** Opens the sessions of what is served, so that no request waits for them. */
  async open(): Promise<void> {
    const banks = new Set([...this.#models.values()].map((model) => this.#bankOf(model)));
    for (const bank of banks) await bank?.use(async () => {});
  }

  /**
   * Answers inputs of the model's task, in their order.
   *
   * @throws UserError for a model that writes text; Overloaded; the signal's reason
   */
  async predict(model: ServedModel, inputs: readonly unknown[], signal?: AbortSignal): Promise<Answer[]> {
    const { trained } = model;
    const { prediction } = trained.definition();
    const kind = headOf(model);
    if (!prediction || kind === 'CAUSAL_LM' || kind === 'SEQ_2_SEQ_LM') throw trained.cannotPredict();
    const packed = model.load();
    const generator = () => Promise.reject(new Error('rows are answered without writing'));
    return this.#rows[kind].use((mixed) => {
      const program = mixed.predictor(model, packed, signal);
      const tuned = { program, values: new Float32Array(0), generator };
      return prediction.answer(inputs, tuned, trained.context(), ALL);
    });
  }

  /**
   * Writes what follows a prompt.
   *
   * @throws UserError for a model that does not write, or for a prompt or settings that it cannot take; Overloaded; the
   * signal's reason
   */
  async generate(
    model: ServedModel,
    prompt: Prompt,
    input: GenerationInput,
    { onRead, ...options }: WriteOptions = {},
  ): Promise<Generated> {
    const head = headOf(model);
    if (head === 'SEQ_2_SEQ_LM') {
      const prefix = model.trained.parts.notes?.data.source_prefix ?? '';
      const given = typeof prompt === 'string' ? `${prefix}${prompt}` : prompt;
      return this.#own.use(
        model,
        async () => {
          const loaded = await this.#base.open(head, 1);
          const tuned = { engine: this.#base.engine(loaded), model: loaded, ...model.tuned() };
          return closing(loaded, await openLanguageModel(tuned));
        },
        (language) => written(model, counting(language, onRead), given, input, options),
      );
    }
    if (head !== 'CAUSAL_LM') throw notWriting(model);
    const packed = model.load();
    return this.#decoding.use(async (loop) => {
      const sequence = loop.sequence(model, packed);
      try {
        return await written(model, counting(sequence, onRead), prompt, input, options);
      } finally {
        await sequence.release();
      }
    });
  }

  async close(): Promise<void> {
    for (const bank of [...Object.values(this.#rows), this.#decoding]) await bank.close();
    await this.#own.close();
  }

  /** Undefined for an encoder-decoder, whose two graphs are its own. */
  #bankOf(model: ServedModel): GrowingBank<MixedRows> | GrowingBank<DecodingLoop> | undefined {
    const kind = headOf(model);
    if (kind === 'SEQ_2_SEQ_LM') return undefined;
    return kind === 'CAUSAL_LM' ? this.#decoding : this.#rows[kind];
  }
}

type ServedHeadKind = RowHeadKind | 'CAUSAL_LM' | 'SEQ_2_SEQ_LM';

/** Whether models with such a head are served. */
export function isServedHead(kind: HeadKind): kind is ServedHeadKind {
  return kind !== 'MASKED_LM';
}

/** The model's head. Throws a UserError for one that is not served. */
function headOf({ trained, name }: ServedModel): ServedHeadKind {
  const { headKind } = trained.parts.model;
  if (isServedHead(headKind)) return headKind;
  throw new UserError({
    where: name,
    expected: 'a model that answers about texts, or writes',
    got: `one of ${headKind}`,
    hint: 'Use adalora predict.',
  });
}

function notWriting({ name, trained }: ServedModel): UserError {
  return new UserError({
    where: name,
    expected: 'a model that writes text',
    got: `one of task ${trained.task}`,
    hint: 'Ask it at /predict.',
  });
}

/** Writes with a language model what a served model would. */
function written(
  { trained }: ServedModel,
  language: LanguageModel,
  prompt: Prompt,
  input: GenerationInput,
  options: GenerateTextOptions,
): Promise<Generated> {
  const { text, notes, generationFiles } = trained.parts;
  const generator = new TextGenerator({
    model: language,
    tokenizer: text.tokenizer,
    chatTemplate: () => text.chatTemplate(),
    files: generationFiles(),
    isChat: notes?.data.messages !== undefined,
    close: async () => {},
  });
  return generator.generate(prompt, input, options);
}

/** A language model that tells what it reads. */
function counting(language: LanguageModel, onRead: WriteOptions['onRead'] = () => {}): LanguageModel {
  const { vocabSize, maxPositions, encode } = language;
  return {
    ...{ vocabSize, maxPositions },
    ...(encode && {
      encode(tokens, rows, mask) {
        onRead(tokens.length, true);
        return encode.call(language, tokens, rows, mask);
      },
    }),
    read(tokens, rows, reading) {
      const isFirst = reading.mask !== undefined;
      // An encoder-decoder's first token stands for the beginning of what it writes.
      if (!isFirst || !encode) onRead(tokens.length, isFirst);
      return language.read(tokens, rows, reading);
    },
  };
}

/** What computes with a head of the base and a bank, and closes its model when it is released. */
function banked<Made extends Banked>(
  base: ServedBase,
  kind: HeadKind,
  open: (engine: Engine, model: LoadedModel, shape: BankShape) => Promise<Made>,
  build: (model: LoadedModel, tuner: Tuner) => unknown,
): GrowingBank<Made> {
  return new GrowingBank(
    async (shape, outputs) => {
      const model = await base.open(kind, outputs);
      return closing(model, await open(base.engine(model), model, shape));
    },
    async (shape, outputs) => {
      const model = await base.open(kind, outputs);
      try {
        bankedGraph(model, shape, (tuner) => build(model, tuner), 1);
      } finally {
        model.close();
      }
    },
  );
}

/** What computes with a model, and closes it when it is released. */
function closing<Made extends Banked>(model: LoadedModel, made: Made): Made {
  const release = made.release.bind(made);
  made.release = async () => {
    await release();
    model.close();
  };
  return made;
}
