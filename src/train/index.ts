export { Trainer, type TrainerHost, type TrainerInputs } from './trainer.ts';
export { type TrainerSettings, trainerSettings } from './trainer-settings.ts';
export { Updater } from './updater.ts';
