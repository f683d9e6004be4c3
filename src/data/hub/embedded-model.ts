/**
 * The embedded model, in this package's folder `models/mini`, which runs use by default. The name cannot
 * belong to a model on the Hub, because it has no owner.
 */
export const EMBEDDED_MODEL = 'adalora-mini';
