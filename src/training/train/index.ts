/**
 * For your own training loop: the trainer, and below it programs, gradients, optimizers and schedules.
 *
 * @module train
 */

export { gradients } from '../../engine/autodiff/gradients.ts';
export * from '../../methods/optim/index.ts';
export * from '../../program/index.ts';
export { parseRunConfig } from '../run/config/parse-run-config.ts';
export { Trainer, type TrainerHost, type TrainerInputs } from './trainer.ts';
export { type TrainerSettings, trainerSettings } from './trainer-settings.ts';
export { Updater } from './updater.ts';
