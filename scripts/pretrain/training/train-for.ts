import { setImmediate } from 'node:timers/promises';
import { AdamW } from '../../../src/methods/optim/adamw.ts';
import { clipByGlobalNorm } from '../../../src/methods/optim/gradient.ts';
import { type ChunkStore, chunkLengths } from '../corpus/chunk-store.ts';
import { batchPlan } from './batch-plan.ts';
import type { Batches } from './batches.ts';
import type { RunState } from './state-file.ts';
import type { Student } from './student.ts';

export interface RunSettings {
  minutes: number;
  /** Chunks to train on. Other chunks are ignored. */
  chunks: Int32Array;
  /** Tokens per step, including padding. */
  batchTokens: number;
  learningRate: number;
  seed: number;
}

export interface RunHost {
  log(line: string): void;
  save(state: RunState): void;
  /** Called between steps. */
  shouldStop(): boolean;
}

/** Share of the time in which the learning rate rises. In the rest, it falls to zero. */
const WARM_UP = 0.06;
const BETAS: [number, number] = [0.9, 0.98];
const WEIGHT_DECAY = 0.01;
const SECONDS_BETWEEN_REPORTS = 15;
const SECONDS_BETWEEN_CHECKPOINTS = 120;

/**
 * Trains for a given time instead of a number of steps (Geiping and Goldstein, 2022). The learning rate
 * follows the clock, so that a run ends well even on a busy machine. The state's `seconds` include the time
 * of earlier processes.
 */
export async function trainFor(
  settings: RunSettings,
  student: Student,
  batches: Batches,
  store: ChunkStore,
  state: RunState,
  host: RunHost,
): Promise<void> {
  const { seed, learningRate } = settings;
  const total = settings.minutes * 60;
  const all = chunkLengths(store, store.student);
  const lengths = settings.chunks.map((chunk) => all[chunk]!);
  const decay = student.layout.segments.filter(({ shape }) => shape.length > 1);
  const optimizer = new AdamW(student.layout.length, { betas: BETAS, weightDecay: WEIGHT_DECAY, decay });
  optimizer.adopt({ m: state.m, v: state.v, step: state.step });
  const before = state.seconds;
  const started = performance.now();
  let plan: { epoch: number; batches: Int32Array[] } | undefined;
  let saved = before;
  let window = { seconds: before, loss: 0, steps: 0, tokens: state.tokens };
  while (state.seconds < total && !host.shouldStop()) {
    if (plan?.epoch !== state.epoch)
      plan = { epoch: state.epoch, batches: batchPlan(lengths, settings.batchTokens, seed, state.epoch) };
    const chunks = plan.batches[state.batch]!.map((at) => settings.chunks[at]!);
    const { feeds, tokens } = await batches.feeds(chunks, seed, state.step);
    const { loss, gradient } = await student.differentiate(state.values, feeds);
    const norm = clipByGlobalNorm(gradient, 1);
    if (Number.isFinite(norm))
      optimizer.step(state.values, gradient, learningRate * rate(state.seconds / total));

    state.step++;
    state.tokens += tokens;
    state.batch++;
    if (state.batch === plan.batches.length) Object.assign(state, { epoch: state.epoch + 1, batch: 0 });
    state.seconds = before + (performance.now() - started) / 1000;
    window.loss += loss;
    window.steps++;
    if (state.seconds - window.seconds >= SECONDS_BETWEEN_REPORTS) {
      const speed = (state.tokens - window.tokens) / (state.seconds - window.seconds);
      const left = Math.max(0, total - state.seconds) / 60;
      host.log(
        `step ${state.step}  epoch ${(state.epoch + state.batch / plan.batches.length).toFixed(2)}  ` +
          `loss ${(window.loss / window.steps).toFixed(4)}  norm ${norm.toFixed(2)}  ` +
          `${speed.toFixed(0)} tokens/s  ${left.toFixed(1)} min left`,
      );
      window = { seconds: state.seconds, loss: 0, steps: 0, tokens: state.tokens };
    }
    if (state.seconds - saved >= SECONDS_BETWEEN_CHECKPOINTS) {
      host.save(state);
      saved = state.seconds;
    }
    // Lets signal handlers run.
    await setImmediate();
  }
  host.save(state);
}

function rate(share: number): number {
  return share < WARM_UP ? share / WARM_UP : Math.max(0, (1 - share) / (1 - WARM_UP));
}
