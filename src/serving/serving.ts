import { causalGraph } from '../generation/cached-graph.ts';
import type { Generated } from '../generation/generated.ts';
import type { LanguageModel } from '../generation/language-model.ts';
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

/** Rows of one request: as many as there are. */
const ALL = 2 ** 20;

/** Many adapters over one base model: every request names its own, and those of one kind of head share their batches. */
export class Serving {
  readonly #models = new Map<string, ServedModel>();
  readonly #rows: Readonly<Record<RowHeadKind, GrowingBank<MixedRows>>>;
  readonly #decoding: GrowingBank<DecodingLoop>;

  constructor(base: ServedBase, { rows, decoding }: ServingOptions) {
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
    const packed = model.load();
    await this.#bankOf(model).makeRoom(packed, model.outputs);
    this.#models.set(model.name, model);
  }

  /** Serves a model no longer; requests that are under way end with it. Returns whether there was one. */
  remove(name: string): boolean {
    return this.#models.delete(name);
  }

  /** Opens the sessions of what is served, so that no request waits for them. */
  async open(): Promise<void> {
    const banks = new Set([...this.#models.values()].map((model) => this.#bankOf(model)));
    for (const bank of banks) await bank.use(async () => {});
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
    if (!prediction || kind === 'CAUSAL_LM') throw trained.cannotPredict();
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
    if (headOf(model) !== 'CAUSAL_LM') throw notWriting(model);
    const packed = model.load();
    const { text, notes, generationFiles } = model.trained.parts;
    return this.#decoding.use(async (loop) => {
      const sequence = loop.sequence(model, packed);
      const read: LanguageModel['read'] = (tokens, rows, reading) => {
        onRead?.(tokens.length, reading.mask !== undefined);
        return sequence.read(tokens, rows, reading);
      };
      const generator = new TextGenerator({
        model: { ...sequence, read },
        tokenizer: text.tokenizer,
        chatTemplate: () => text.chatTemplate(),
        files: generationFiles(),
        isChat: notes?.data.messages !== undefined,
        close: () => sequence.release(),
      });
      try {
        return await generator.generate(prompt, input, options);
      } finally {
        await generator.close();
      }
    });
  }

  async close(): Promise<void> {
    for (const bank of [...Object.values(this.#rows), this.#decoding]) await bank.close();
  }

  #bankOf(model: ServedModel): GrowingBank<MixedRows> | GrowingBank<DecodingLoop> {
    const kind = headOf(model);
    return kind === 'CAUSAL_LM' ? this.#decoding : this.#rows[kind];
  }
}

type ServedHeadKind = RowHeadKind | 'CAUSAL_LM';

/** Whether models with such a head are served. */
export function isServedHead(kind: HeadKind): kind is ServedHeadKind {
  return kind !== 'MASKED_LM' && kind !== 'SEQ_2_SEQ_LM';
}

/** The model's head. Throws a UserError for one that is not served. */
function headOf({ trained, name }: ServedModel): ServedHeadKind {
  const { headKind } = trained.parts.model;
  if (isServedHead(headKind)) return headKind;
  throw new UserError({
    where: name,
    expected: 'a model of classes, tokens or answers, or a decoder',
    got: `one of ${headKind}`,
    hint: 'Use adalora predict or adalora generate.',
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
      const made = await open(base.engine(model), model, shape);
      const release = made.release.bind(made);
      made.release = async () => {
        await release();
        model.close();
      };
      return made;
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
