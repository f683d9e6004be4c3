/**
 * The model in this package's folder `models/mini`, which runs use by default. No model on the Hub can have
 * this name, because it has no owner.
 */
export const EMBEDDED_MODEL = 'adalora-mini';
