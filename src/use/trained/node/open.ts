import { models } from './load-model.ts';

export const open = models.open.bind(models);
