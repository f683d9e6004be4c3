/**
 * The model that comes with this package, in its folder `models/mini`: the default of a run. No model on the Hub can
 * have this name, because it lacks an owner.
 */
export const EMBEDDED_MODEL = 'adalora-mini';
