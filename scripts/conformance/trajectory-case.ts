import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withBaseDtype } from '../../src/program/bases/with-base-dtype.ts';
import { nodeEngine } from '../../src/program/node/node-engine.ts';
import { Program } from '../../src/program/program.ts';
import { Updater } from '../../src/training/train/updater.ts';
import { models } from '../../src/use/trained/node/load-model.ts';
import { readSafetensors } from '../../tests/support/safetensors-file.ts';
import { adapterChecks } from './adapter-checks.ts';
import { Findings } from './compare.ts';
import { loadCase } from './load-case.ts';
import { feedsOf, readDescription, trajectorySchema, withPrefix } from './read-case.ts';
import { trajectoryKind } from './trajectory-kinds.ts';
import { trajectoryMethod } from './trajectory-method.ts';
import { TrajectoryTensors } from './trajectory-tensors.ts';

/** Relative limit for losses and values that follow directly from them. */
const LOSS_LIMIT = 2e-4;
/** Relative limit for the learning rate, which is a formula. */
const RATE_LIMIT = 1e-9;

/**
 * Replays a whole training run of PEFT or another reference, from its initial values and on its batches. Then
 * checks the adapter that the reference saved.
 */
export async function trajectoryCase(folder: string): Promise<Findings> {
  const trajectory = readDescription(trajectorySchema, join(folder, 'trace.json'));
  const { training } = trajectory;
  const kind = trajectoryKind(trajectory.tuner.kind);
  const batches = readSafetensors(join(folder, 'batches.safetensors'));
  const plain = loadCase(join(folder, 'base'), trajectory.task_type, withPrefix(batches, '1.'));
  const baseDtype = training.base_dtype ?? 'float32';
  const cacheFolder = mkdtempSync(join(tmpdir(), 'adalora-trajectory-'));
  const model = await withBaseDtype(models.machine, plain, baseDtype, { cacheFolder });
  const findings = new Findings();
  try {
    const run = trajectoryMethod(model, trajectory, kind);
    const tensors = new TrajectoryTensors(folder, run.tuner.layout, kind, trajectory.undetermined);
    findings.names(
      'trained tensors',
      run.tuner.layout.segments.map(({ name }) => name),
      tensors.names(),
    );
    if (findings.faults.length > 0) return findings;
    if (run.tuner.frozen) run.tuner.initialValues(0, model.reader(0));
    tensors.setFrozen(run.tuner.frozen);
    const updater = new Updater(run, tensors.initialValues(), {
      learningRate: training.lr,
      schedule: training.warmup === undefined ? 'constant' : 'linear',
      warmupSteps: training.warmup ?? 0,
      totalSteps: training.steps,
      betas: [0.9, 0.999],
      epsilon: 1e-8,
      weightDecay: training.weight_decay,
      decays: () => true,
      maxGradNorm: training.clip ?? 0,
    });
    const program = new Program(nodeEngine(model, 'cpu'), model, run.tuner);
    for (const expected of trajectory.steps) {
      const at = `step ${expected.step}`;
      const inputs = withPrefix(batches, `${expected.step}.`);
      const {
        loss,
        regularizer = 0,
        gradient,
      } = await program.differentiate(updater.values, feedsOf(model, inputs), 0, expected.step);
      tensors.sawGradient(gradient);
      const { learningRate, gradNorm } = updater.apply(gradient);
      const objective = loss + regularizer * (run.tuner.regularizer?.weight ?? 0);
      findings.relative('loss', loss, expected.loss, LOSS_LIMIT, at);
      findings.relative('objective', objective, expected.objective, LOSS_LIMIT, at);
      findings.relative('lr', learningRate, expected.lr, RATE_LIMIT, at);
      if (expected.grad_norm !== undefined)
        findings.relative('grad norm', gradNorm, expected.grad_norm, LOSS_LIMIT, at);
      if (expected.budget !== undefined)
        findings.equal(`budget at ${at}`, run.budgetAt?.(expected.step), expected.budget);
      if (expected.ranks)
        findings.equal(`ranks at ${at}`, sorted(run.ranks()), sorted(byPath(expected.ranks)));
      tensors.checkMiddle(findings, expected.step, updater.values, run);
    }
    await program.release();
    tensors.checkFinal(findings, updater.values);
    await adapterChecks(findings, folder, {
      model,
      plain,
      baseDtype,
      run,
      kind,
      tensors,
      values: updater.values,
    });
    return findings;
  } finally {
    model.close();
    rmSync(cacheFolder, { recursive: true });
  }
}

function byPath(ranks: Record<string, number>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(ranks).map(([key, rank]) => [
      key.replace(/^base_model\.model\./, '').replace(/\.lora_E$/, ''),
      rank,
    ]),
  );
}

function sorted(ranks: Record<string, number>): [string, number][] {
  return Object.entries(ranks).sort(([a], [b]) => (a < b ? -1 : 1));
}
