import { causalGraph } from '../generation/cached-graph.ts';
import type { Generated } from '../generation/generated.ts';
import { openLanguageModel } from '../generation/open-language-model.ts';
import type { GenerationInput, Prompt } from '../generation/prompt.ts';
import { HEAD_KINDS, type HeadKind, headNamed } from '../models/heads/registry.ts';
import { UserError } from '../support/user-error.ts';
import type { Answer } from '../tasks/prediction.ts';
import type { GrowingBank } from './bank/growing-bank.ts';
import { headBank, type OpenBank } from './bank/head-bank.ts';
import { DecodingLoop, type DecodingOptions } from './decoding/decoding-loop.ts';
import { OwnModels } from './decoding/own-models.ts';
import { type WriteOptions, writeText } from './decoding/write-text.ts';
import { type MixedOptions, MixedRows, rowsGraph } from './rows/mixed-rows.ts';
import { closing, type ServedBase } from './served-base.ts';
import { servedAs } from './served-head.ts';
import type { ServedModel } from './served-model.ts';

export interface ServingOptions {
  rows: MixedOptions;
  decoding: DecodingOptions;
}

/** Maximum number of open models with their own session. */
const MAX_OWN = 4;

/** A request gets one text, whatever the model's own files say. */
const ONE_TEXT: GenerationInput = { num_return_sequences: 1 };
/** A sequence in the shared loop has one row, so it cannot use beams. */
const ONE_ROW: GenerationInput = { ...ONE_TEXT, num_beams: 1 };

/** Maximum number of rows per request: in effect, no limit. */
const ALL = 2 ** 20;

/**
 * Serves many adapters of one base model. Every request names its adapter. Requests with the same kind of head share
 * batches.
 */
export class Serving {
  readonly #base: ServedBase;
  readonly #models = new Map<string, ServedModel>();
  /** Banks for shared batches, by the kind of head. */
  readonly #rows = new Map<HeadKind, GrowingBank<MixedRows>>();
  readonly #decoding = new Map<HeadKind, GrowingBank<DecodingLoop>>();
  readonly #own: OwnModels;

  constructor(base: ServedBase, { rows, decoding }: ServingOptions) {
    this.#base = base;
    const openRows: OpenBank<MixedRows> = (...parts) => MixedRows.open(...parts, rows);
    const openLoop: OpenBank<DecodingLoop> = (...parts) => DecodingLoop.open(...parts, decoding);
    for (const kind of HEAD_KINDS) {
      const { served } = headNamed(kind);
      if (served === 'rows') this.#rows.set(kind, headBank(base, kind, openRows, rowsGraph));
      if (served === 'decoding') this.#decoding.set(kind, headBank(base, kind, openLoop, causalGraph));
    }
    this.#own = new OwnModels(MAX_OWN, decoding.maxQueued);
  }

  /** Served models, by name. */
  get models(): ReadonlyMap<string, ServedModel> {
    return this.#models;
  }

  /**
   * Serves a model under its name, and replaces a model with the same name. Pending requests finish with the old model.
   *
   * @throws UserError for a model that cannot share batches with the others; then nothing changes
   */
  async add(model: ServedModel): Promise<void> {
    const bank = this.#bankOf(model);
    // A model that cannot share a batch is loaded too, to check its files.
    if (bank) await bank.makeRoom(model.load(), model.outputs);
    else model.tuned();
    this.#models.set(model.name, model);
  }

  /** Stops serving a model. Pending requests finish. Returns whether it was served. */
  remove(name: string): boolean {
    return this.#models.delete(name);
  }

  /** Opens the sessions now, so that no request waits for them. */
  async open(): Promise<void> {
    const banks = new Set([...this.#models.values()].map((model) => this.#bankOf(model)));
    for (const bank of banks) await bank?.use(async () => {});
  }

  /**
   * Predicts for inputs of the model's task, in their order.
   *
   * @throws UserError for a model that generates text; Overloaded; the signal's reason
   */
  async predict(model: ServedModel, inputs: readonly unknown[], signal?: AbortSignal): Promise<Answer[]> {
    const { trained } = model;
    const { prediction } = trained.definition();
    const rows = this.#rows.get(trained.parts.model.headKind);
    if (!prediction || !rows) throw trained.cannotPredict();
    const packed = model.load();
    const generator = () => Promise.reject(new Error('rows are answered without writing'));
    return rows.use((mixed) => {
      const program = mixed.predictor(model, packed, signal);
      const tuned = { program, values: new Float32Array(0), generator };
      return prediction.answer(inputs, tuned, trained.context(), ALL);
    });
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
    options: WriteOptions = {},
  ): Promise<Generated> {
    const { headKind } = model.trained.parts.model;
    if (servedAs(model) === 'own') {
      const prefix = model.trained.parts.notes?.data.source_prefix ?? '';
      const prefixed = typeof prompt === 'string' ? `${prefix}${prompt}` : prompt;
      return this.#own.use(
        model,
        async () => {
          const loaded = await this.#base.open(headKind, 1);
          return closing(loaded, async () =>
            openLanguageModel({ engine: this.#base.engine(loaded), model: loaded, ...model.tuned() }),
          );
        },
        (language) => writeText(model, language, prefixed, { ...ONE_TEXT, ...input }, options),
      );
    }
    const decoding = this.#decoding.get(headKind);
    if (!decoding) throw notWriting(model);
    const packed = model.load();
    return decoding.use(async (loop) => {
      const sequence = loop.sequence(model, packed);
      try {
        return await writeText(model, sequence, prompt, { ...ONE_ROW, ...input }, options);
      } finally {
        await sequence.release();
      }
    });
  }

  async close(): Promise<void> {
    for (const bank of [...this.#rows.values(), ...this.#decoding.values()]) await bank.close();
    await this.#own.close();
  }

  /** Returns undefined for a model with its own session. */
  #bankOf(model: ServedModel): GrowingBank<MixedRows> | GrowingBank<DecodingLoop> | undefined {
    if (servedAs(model) === 'own') return undefined;
    const { headKind } = model.trained.parts.model;
    return this.#rows.get(headKind) ?? this.#decoding.get(headKind);
  }
}

function notWriting({ name, trained }: ServedModel): UserError {
  return new UserError({
    where: name,
    fault: `is a model for ${trained.task}, which does not generate text`,
    hint: 'Use /predict.',
  });
}
